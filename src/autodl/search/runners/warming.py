"""Runs trials inline until another runner is up, then hands over: starting one takes time that need not be lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from autodl.search.runners.base import Runner
from autodl.search.trial import Job, TrialOutcome

CLOSE_S = 5.0
"""Seconds to wait for a runner that is shutting down."""
PATIENCE_S = 8.0
"""Seconds after which the second runner is made although the first has not returned enough outcomes."""


class WarmingRunner(Runner):
    """Two runners in one: the first works while the second is being made in the background.

    Args:
        first: Ready now.
        make: Makes the runner that takes over; an error it raises is kept in ``error`` and the first goes on.
        after: Outcomes of the first runner to let pass before the second is made, because its start would slow
            them down; it is made after ``PATIENCE_S`` in any case.
    """

    def __init__(self, first: Runner, make: Callable[[], Runner], after: int = 0) -> None:
        self._first, self._make = first, make
        self._second: Runner | None = None
        self._closed = threading.Event()
        self._after = after
        self._begin = threading.Event()
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
            second = self._make()
        except Exception as error:  # the run goes on inline; the pipeline tells the user
            self.error = error
            return
        self._second = second
        self._closed.wait()
        second.close()

    @property
    def handed_over(self) -> bool:
        """Whether the second runner takes the jobs now."""
        return self._second is not None

    def free(self) -> int:
        """Free slots of the runner in charge; after the hand-over the first one's last job holds a slot."""
        if self._second is None:
            return self._first.free()
        return max(0, self._second.free() - len(self._first.running()))

    def submit(self, job: Job) -> None:
        """Submit to the runner in charge."""
        (self._second or self._first).submit(job)

    def wait(self, timeout: float) -> list[TrialOutcome]:
        """Outcomes of both."""
        until = time.monotonic() + timeout
        while True:
            outcomes = self._first.wait(0.05) if self._first.running() else []
            self._after -= len(outcomes)
            if self._after <= 0:
                self._begin.set()
            if self._second is not None:
                outcomes += self._second.wait(0.2)
            if outcomes or time.monotonic() >= until or not self.running():
                return outcomes

    def running(self) -> list[Job]:
        """Jobs of both."""
        return self._first.running() + (self._second.running() if self._second else [])

    def close(self) -> None:
        """Close both; a runner still being made is closed as soon as it is there."""
        self._first.close()
        self._closed.set()
        self._begin.set()
        if self._second is not None:
            self._thread.join(timeout=CLOSE_S)
