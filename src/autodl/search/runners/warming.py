"""Runs trials inline until another runner is up, then hands over: starting one takes time that need not be lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from autodl.search.runners.base import Runner
from autodl.search.trial import Job, TrialOutcome

CLOSE_S = 5.0
"""Seconds to wait for a runner that is shutting down."""
PATIENCE_S = 8.0
"""Seconds after which the second runner is made although the first has not returned enough outcomes."""


class WarmingRunner(Runner):
    """Two runners in one: the first works while the second is being made in the background.

    A job that is not ``light`` waits for the second, since it could take the process of the first with it.

    Args:
        first: Ready now.
        make: Makes the runner that takes over, and gives up when the event is set; an error it raises is kept in
            ``error`` and the first goes on.
        after: Outcomes of the first runner to let pass before the second is made, because its start would slow
            them down; it is made after ``PATIENCE_S`` in any case.
    """

    def __init__(self, first: Runner, make: Callable[[threading.Event], Runner], after: int = 0) -> None:
        self._first, self._make = first, make
        self._second: Runner | None = None
        self._held: tuple[Job, float] | None = None
        """A job that waits for the second runner, and since when."""
        self._closed, self._begin, self._made = threading.Event(), threading.Event(), threading.Event()
        self._after = after
        if after == 0:
            self._begin.set()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._warm, daemon=True, name="warm-up")
        self._thread.start()

    def _warm(self) -> None:
        self._begin.wait(PATIENCE_S)
        if self._closed.is_set():
            return
        try:
            second = self._make(self._closed)
        except Exception as error:  # the run goes on inline; ``make`` has told the user
            self.error = error
            self._made.set()
            return
        self._second = second
        self._made.set()
        self._closed.wait()
        second.close()

    def free(self) -> int:
        """Free slots of the runner in charge; after the hand-over the first one's last job holds a slot."""
        if self._held is not None:
            return 0
        if self._second is None:
            return self._first.free()
        return max(0, self._second.free() - len(self._first.running()))

    def submit(self, job: Job) -> None:
        """Submit to the runner in charge, or hold the job until it is known which one that is."""
        if job.light or self._made.is_set():
            (self._second or self._first).submit(job)
        else:
            self._held = job, time.monotonic()
            self._begin.set()

    def _release(self) -> None:
        """Submit the held job if the second runner has room for it, or will never come."""
        runner = self._second or self._first
        if self._held is None or not self._made.is_set() or runner.free() == 0:
            return
        job, since = self._held
        self._held = None
        runner.submit(replace(job, seconds=max(0.0, job.seconds - (time.monotonic() - since))))

    def wait(self, timeout: float) -> list[TrialOutcome]:
        """Outcomes of both."""
        until = time.monotonic() + timeout
        while True:
            self._release()
            outcomes = self._first.wait(0.05) if self._first.running() else []
            self._after -= len(outcomes)
            if self._after <= 0:
                self._begin.set()
            if self._second is not None:
                outcomes += self._second.wait(0.2)
            if outcomes or time.monotonic() >= until or not self.running():
                return outcomes
            if self._held is not None:
                time.sleep(0.05)

    def running(self) -> list[Job]:
        """Jobs of both, and the one that waits."""
        held = [] if self._held is None else [self._held[0]]
        return self._first.running() + (self._second.running() if self._second else []) + held

    def close(self) -> None:
        """Close both; a runner that is still being made gives up or is closed as soon as it is there."""
        self._first.close()
        self._held = None
        self._closed.set()
        self._begin.set()
        if self._second is not None:
            self._thread.join(timeout=CLOSE_S)
