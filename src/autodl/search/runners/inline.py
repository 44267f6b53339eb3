"""Trials in a thread of this process: nothing to start, nothing to copy.

The main thread only waits, so that Ctrl-C is heard at once, and a trial that overruns its deadline is left behind
(a thread cannot be killed) while the run goes on.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, replace

from autodl.machine import available_memory, this_machine
from autodl.records import Cost, TrialResult, TrialStatus
from autodl.search.prepared import PreparedFolds, cache_limit
from autodl.search.runners.base import Runner, grace
from autodl.search.runners.reasons import overdue
from autodl.search.trial import Job, TrialData, TrialOutcome, run_trial


@dataclass
class _Running:
    job: Job
    started: float
    step: str = ""
    """What it is doing."""

    def overdue(self) -> bool:
        """Whether it has outrun its deadline and the grace period."""
        return time.monotonic() > self.started + self.job.seconds + grace(self.job.seconds, self.step)


class InlineRunner(Runner):
    """A few trials at a time, each in a thread; the libraries that train let go of Python's lock while they work.

    Args:
        data: Shared by all trials.
        slots: Trials at a time.
    """

    def __init__(self, data: TrialData, slots: int = 1) -> None:
        self._data, self._slots = data, slots
        self._cache_bytes = cache_limit(available_memory())
        self._cache = PreparedFolds(data, self._cache_bytes)
        self._alone = slots == 1
        """Whether a trial has the process for itself; not after one was left behind."""
        self._done: queue.Queue[tuple[str, TrialOutcome]] = queue.Queue()
        self._running: dict[str, _Running] = {}

    def free(self) -> int:
        """Slots in which nothing runs."""
        return self._slots - len(self._running)

    def submit(self, job: Job) -> None:
        """Start the job in a thread of its own."""
        entry = self._running[job.spec.id] = _Running(job, time.monotonic())
        threading.Thread(target=self._work, args=(entry, self._cache), daemon=True, name=job.spec.id).start()

    def _work(self, entry: _Running, cache: PreparedFolds) -> None:
        job = entry.job

        def tell(step: str) -> None:
            entry.step = step

        try:
            outcome = run_trial(job, self._data, cache, tell, alone=self._alone)
        except BaseException as error:  # e.g. SystemExit or a panic of a native library: without an outcome, a hang
            result = TrialResult(spec=job.spec, status=TrialStatus.FAILED, error=f"{type(error).__name__}: {error}")
            outcome = TrialOutcome(result)
        self._done.put((job.spec.id, outcome))

    def wait(self, timeout: float) -> list[TrialOutcome]:
        """The next outcome, and timeout outcomes of trials that are overdue."""
        until = time.monotonic() + timeout
        while self._running:
            try:
                trial_id, outcome = self._done.get(timeout=max(0.0, min(0.2, until - time.monotonic())))
            except queue.Empty:
                late = [r for r in self._running.values() if r.overdue()]
                if late or time.monotonic() >= until:
                    return [self._give_up(r) for r in late]
                continue
            if self._running.pop(trial_id, None) is not None:  # else: a straggler that was given up before
                return [outcome]
        return []

    def _give_up(self, late: _Running) -> TrialOutcome:
        del self._running[late.job.spec.id]
        self._alone = False
        self._cache = PreparedFolds(self._data, self._cache_bytes)  # the straggler may still write to the old one
        return TrialOutcome(
            TrialResult(
                spec=late.job.spec,
                status=TrialStatus.TIMEOUT,
                error=overdue(late.job.seconds, late.step, "given up"),
                cost=Cost(fit_s=time.monotonic() - late.started),
            )
        )

    def running(self) -> list[Job]:
        """The running jobs."""
        return [r.job for r in self._running.values()]

    def close(self) -> None:
        """Forget the running jobs; their threads end with the process."""
        self._running = {}


def last_resort(data: TrialData) -> InlineRunner:
    """One trial at a time with all cores, as nothing else runs beside it: where no worker comes up."""
    return InlineRunner(replace(data, threads=max(data.threads, this_machine().cores)))
