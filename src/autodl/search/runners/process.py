"""Trials in worker processes of this machine: one that crashes, hangs or takes all memory costs itself alone.

Own processes and pipes rather than ``concurrent.futures`` or loky: those give up the whole pool when one worker dies,
cannot end a single overdue task, and cannot say which task a dead worker had.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import wait as wait_for

from autodl.machine import available_memory
from autodl.records import Cost, TrialResult, TrialStatus
from autodl.search.runners import reasons
from autodl.search.runners.base import MAX_RETRIES, Runner, grace
from autodl.search.runners.memory_watch import MemoryWatch, allowance
from autodl.search.runners.shared_data import write_shared
from autodl.search.runners.worker_process import WorkerProcess
from autodl.search.trial import Job, TrialData, TrialOutcome, cache_limit

START_S = 30.0
"""Seconds after which a worker that does not come up counts as dead."""


@dataclass
class _Slot:
    worker: WorkerProcess
    born: float
    job: Job | None = None
    submitted: float = 0.0
    launched: float | None = None
    """When the worker was given the job; None while it is still starting."""
    tries: int = 0


class ProcessRunner(Runner):
    """A few warm worker processes, one trial each at a time.

    A slot whose worker is being replaced takes jobs: they begin, with the time then left, once it is up.

    Args:
        data: Handed over once, through a mapped file.
        workers: Number of processes.
        memory: Bytes that all of them may hold together with the reserve; what is free now if None.
        start_s: Seconds to wait for the first worker.

    Raises:
        RuntimeError: If none comes up; with the last line that it printed.
        OSError: If the data cannot be written to a temporary file.
    """

    def __init__(
        self, data: TrialData, workers: int = 1, *, memory: float | None = None, start_s: float = START_S
    ) -> None:
        self.allowed = allowance(available_memory() if memory is None else memory, workers)
        self._cache_bytes = cache_limit(self.allowed)
        self._file = write_shared(data)
        self._lock = threading.Lock()
        self._slots = [_Slot(self._spawn(), time.monotonic()) for _ in range(workers)]
        self._watch = MemoryWatch(self._processes, self.allowed)
        self._await_first(start_s)

    def _spawn(self) -> WorkerProcess:
        return WorkerProcess(self._file, self._cache_bytes)

    def _processes(self) -> list[WorkerProcess]:
        with self._lock:
            return [s.worker for s in self._slots]

    def _await_first(self, timeout: float) -> None:
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            ended = [s for s in self._slots if any(kind == "ended" for kind, _ in s.worker.messages())]
            if any(s.worker.ready for s in self._slots):
                return
            if len(ended) == len(self._slots):
                break
            wait_for([s.worker.connection for s in self._slots], timeout=0.2)
        last = self._slots[0].worker.last_words().splitlines()[-1:]
        self.close()
        raise RuntimeError(f"no worker process came up: {last[0][:300] if last else 'no answer in time'}")

    def free(self) -> int:
        """Slots without a job."""
        return sum(s.job is None for s in self._slots)

    def submit(self, job: Job) -> None:
        """Hand the job to an idle worker, a warm one if there is one."""
        slot = min((s for s in self._slots if s.job is None), key=lambda s: not s.worker.ready)
        slot.job, slot.tries, slot.submitted, slot.launched = job, 0, time.monotonic(), None
        self._launch(slot)

    def _launch(self, slot: _Slot) -> None:
        """Give the worker its job if it is up."""
        assert slot.job is not None
        if not slot.worker.ready:
            return
        now = time.monotonic()
        left = max(0.1, slot.job.seconds - (now - slot.submitted))
        slot.launched, slot.tries = now, slot.tries + 1
        slot.worker.begin(replace(slot.job, seconds=left))  # a worker that has ended is noticed by ``wait``

    def wait(self, timeout: float) -> list[TrialOutcome]:
        """Outcomes of finished, overdue and lost trials."""
        until = time.monotonic() + timeout
        while any(s.job is not None for s in self._slots):
            left = until - time.monotonic()
            wait_for([s.worker.connection for s in self._slots], timeout=max(0.0, min(left, 0.2)))
            outcomes = [o for slot in self._slots if (o := self._look(slot)) is not None]
            if outcomes or left <= 0:
                return outcomes
        return []

    def _look(self, slot: _Slot) -> TrialOutcome | None:
        """Take in what the worker has sent; its trial's outcome if there is one now."""
        for kind, content in slot.worker.messages():
            if kind == "done" and slot.job is not None:
                slot.job = None
                assert isinstance(content, TrialOutcome)
                return content
            if kind == "ended":
                return self._lost(slot)
        if slot.job is None:
            return None
        if slot.launched is None:
            self._launch(slot)
        return self._give_up(slot) if self._overdue(slot) else None

    def _overdue(self, slot: _Slot) -> bool:
        assert slot.job is not None
        if slot.launched is None:
            return time.monotonic() > slot.born + START_S
        return time.monotonic() > slot.submitted + slot.job.seconds + grace(slot.job.seconds)

    def _lost(self, slot: _Slot) -> TrialOutcome | None:
        """A worker has ended: replace it, and try its trial again unless lack of memory was the cause."""
        why, dead = slot.worker.death(), slot.worker
        self._replace(slot)
        if slot.job is None:
            return None
        started = slot.launched is not None
        left = slot.job.seconds - (time.monotonic() - slot.submitted)
        if not why.memory and left > 0 and slot.tries <= MAX_RETRIES:
            slot.launched, slot.tries = None, slot.tries + (not started)
            return None
        return self._ended(slot, dead, TrialStatus.FAILED, reasons.tries(why.reason, slot.tries))

    def _give_up(self, slot: _Slot) -> TrialOutcome:
        assert slot.job is not None
        if slot.launched is None:
            reason, status = f"its worker process did not start within {START_S:.0f} s", TrialStatus.FAILED
        else:
            reason, status = reasons.overdue(slot.job.seconds, slot.worker.step), TrialStatus.TIMEOUT
        late = slot.worker
        late.kill()
        self._replace(slot)
        return self._ended(slot, late, status, reason)

    def _replace(self, slot: _Slot) -> None:
        slot.worker.close()
        fresh = self._spawn()
        with self._lock:
            slot.worker, slot.born = fresh, time.monotonic()

    @staticmethod
    def _ended(slot: _Slot, worker: WorkerProcess, status: TrialStatus, reason: str) -> TrialOutcome:
        assert slot.job is not None
        spec, slot.job = slot.job.spec, None
        cost = Cost(fit_s=time.monotonic() - slot.submitted, peak_bytes=int(worker.peak - worker.base))
        return TrialOutcome(TrialResult(spec=spec, status=status, error=reason, cost=cost))

    def running(self) -> list[Job]:
        """Jobs in the workers."""
        return [s.job for s in self._slots if s.job is not None]

    def close(self) -> None:
        """End the workers."""
        self._watch.close()
        for slot in self._slots:
            slot.worker.kill()
        for slot in self._slots:
            slot.worker.close()
        self._slots = []
        self._file.close()
