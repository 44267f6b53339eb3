"""Trials in a thread of this process: nothing to start, nothing to copy.

The main thread only waits, so that Ctrl-C is heard at once, and a trial that overruns its deadline is left behind
(a thread cannot be killed) while the run goes on.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass

from autodl.records import Cost, TrialResult, TrialStatus
from autodl.search.runners.base import Runner
from autodl.search.trial import Job, PreparedFolds, TrialData, TrialOutcome, run_trial


@dataclass
class _Running:
    job: Job
    started: float
    thread: threading.Thread


def grace(seconds: float) -> float:
    """Seconds that a trial may take beyond its deadline before it is given up."""
    return 1.0 + 0.1 * min(seconds, 60.0)


class InlineRunner(Runner):
    """One trial at a time."""

    def __init__(self, data: TrialData) -> None:
        self._data = data
        self._cache = PreparedFolds(data)
        self._done: queue.Queue[tuple[str, TrialOutcome]] = queue.Queue()
        self._current: _Running | None = None
        self.abandoned = 0

    def free(self) -> int:
        """1 if nothing is running."""
        return 0 if self._current else 1

    def submit(self, job: Job) -> None:
        """Start the job in a thread of its own."""
        thread = threading.Thread(target=self._work, args=(job, self._cache), daemon=True, name=job.spec.id)
        self._current = _Running(job, time.monotonic(), thread)
        thread.start()

    def _work(self, job: Job, cache: PreparedFolds) -> None:
        self._done.put((job.spec.id, run_trial(job, self._data, cache)))

    def wait(self, timeout: float) -> list[TrialOutcome]:
        """The outcome of the running job, or a timeout outcome when it is overdue."""
        if self._current is None:
            return []
        job, started = self._current.job, self._current.started
        overdue = started + job.seconds + grace(job.seconds)
        until = min(time.monotonic() + timeout, overdue)
        while True:
            try:
                trial_id, outcome = self._done.get(timeout=max(0.0, min(0.2, until - time.monotonic())))
            except queue.Empty:
                if time.monotonic() < until:
                    continue
                return [self._give_up(job, started)] if time.monotonic() >= overdue else []
            if trial_id == job.spec.id:  # else: a straggler that was given up before
                self._current = None
                return [outcome]

    def _give_up(self, job: Job, started: float) -> TrialOutcome:
        self._current = None
        self._cache = PreparedFolds(self._data)  # the straggler may still write to the old one
        self.abandoned += 1
        spent = time.monotonic() - started
        return TrialOutcome(
            TrialResult(
                spec=job.spec,
                status=TrialStatus.TIMEOUT,
                error=f"did not stop at its deadline of {job.seconds:.1f} s and was given up",
                cost=Cost(fit_s=spent),
            )
        )

    def running(self) -> list[Job]:
        """The running job, if any."""
        return [self._current.job] if self._current else []

    def close(self) -> None:
        """Forget the running job; its thread ends with the process."""
        self._current = None
