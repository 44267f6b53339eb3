"""Trials in worker processes of this machine: one that crashes, hangs or takes all memory costs itself alone.

Own processes and pipes rather than ``concurrent.futures`` or loky: those give up the whole pool when one worker dies,
cannot end a single overdue task, and cannot say which task a dead worker had.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for

from autodl.machine import available_memory
from autodl.records import Cost, TrialResult, TrialStatus
from autodl.search.memory import allowance, room
from autodl.search.prepared import cache_limit
from autodl.search.runners import reasons
from autodl.search.runners.base import MAX_RETRIES, PAUSE_S, Runner, grace
from autodl.search.runners.inline import InlineRunner, last_resort
from autodl.search.runners.memory_watch import MemoryWatch
from autodl.search.runners.shared_data import write_shared
from autodl.search.runners.worker_log import Told
from autodl.search.runners.worker_process import WorkerProcess
from autodl.search.trial import Job, TrialData, TrialOutcome

START_S = 60.0
"""Seconds after which a worker that does not come up is replaced."""
MAX_STARTS = 3
"""Workers of a slot that may end without having begun a trial, before the slot is given up."""
LEAST_S = 0.5
"""A second try with less time is not worth its start."""
NO_ANSWER = "it did not answer in time"
NO_PROCESS = "got no process of its own to run in"


@dataclass
class _Slot:
    worker: WorkerProcess
    born: float
    job: Job | None = None
    submitted: float = 0.0
    launched: bool = False
    """Whether the worker has the job; another try waits for a new worker to come up."""
    tries: int = 0
    """How often a worker ended while it carried out the job."""
    why: str = ""
    """Why the job has no outcome yet."""
    useless: int = 0
    """Workers in a row that ended without having begun a trial."""
    next_start: float | None = None
    """When another worker is started; the one before is closed until then. None while there is a worker."""

    @property
    def ready(self) -> bool:
        """Whether its worker can be given a job."""
        return self.next_start is None and self.worker.ready


class ProcessRunner(Runner):
    """A few warm worker processes, one trial each at a time.

    Args:
        data: Handed over once, through a mapped file.
        workers: Number of processes; fewer where memory has no room for so many.
        memory: Bytes that all of them may hold together with the reserve; what is free now if None.
        start_s: Seconds to wait for the first worker.
        closing: When set, the first worker is waited for no longer.
        tell: Is told what the user should know of the workers.

    Raises:
        RuntimeError: If none comes up; with the reason in words.
        OSError: If the data cannot be written to a temporary file.
    """

    def __init__(
        self,
        data: TrialData,
        workers: int = 1,
        *,
        memory: float | None = None,
        start_s: float = START_S,
        closing: threading.Event | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        free = available_memory() if memory is None else memory
        workers = min(workers, room(free))
        self.allowed = allowance(free, workers)
        self._cache_bytes = cache_limit(self.allowed)
        self._data, self._tell = data, tell or (lambda text: None)
        self._spare: InlineRunner | None = None
        """Takes over when no worker comes up any more."""
        self._file = write_shared(data)
        self._lock = threading.Lock()
        self._last_end = NO_ANSWER
        self._told = Told()
        self._slots = [_Slot(self._spawn(), time.monotonic()) for _ in range(workers)]
        self._watch = MemoryWatch(self._processes, self.allowed)
        self._up = False
        """Whether a worker has ever come up."""
        self._await_first(start_s, closing or threading.Event())

    def _spawn(self) -> WorkerProcess:
        return WorkerProcess(self._file, self._cache_bytes)

    def _processes(self) -> list[WorkerProcess]:
        with self._lock:
            return [s.worker for s in self._slots if s.next_start is None]

    def _connections(self) -> list[Connection]:
        return [s.worker.connection for s in self._slots if s.next_start is None]

    def _await_first(self, timeout: float, closing: threading.Event) -> None:
        until = time.monotonic() + timeout
        while self._slots and time.monotonic() < until and not closing.is_set():
            if self._idle():
                self._up = True
                return
            wait_for(self._connections(), timeout=0.2)
        self.close()
        raise RuntimeError(self._last_end)

    def free(self) -> int:
        """Warm workers without a job."""
        idle = len(self._idle())
        return idle if self._spare is None else self._spare.free()

    def _idle(self) -> list[_Slot]:
        for slot in [s for s in self._slots if s.job is None]:
            self._look(slot)
        return [s for s in self._slots if s.job is None and s.ready]

    def submit(self, job: Job) -> None:
        """Hand the job to an idle worker."""
        if self._spare is not None:
            self._spare.submit(job)
            return
        slot = next(s for s in self._slots if s.job is None and s.ready)
        slot.job, slot.tries, slot.submitted, slot.why = job, 0, time.monotonic(), NO_PROCESS
        self._launch(slot, job.seconds)

    def _launch(self, slot: _Slot, seconds: float) -> None:
        assert slot.job is not None
        slot.launched = slot.worker.begin(replace(slot.job, seconds=seconds))
        # If the worker has just ended, ``_look`` finds out, and the next one gets the job.

    def wait(self, timeout: float) -> list[TrialOutcome]:
        """Outcomes of finished, overdue and lost trials."""
        until = time.monotonic() + timeout
        while any(s.job is not None for s in self._slots):
            left = until - time.monotonic()
            wait_for(self._connections(), timeout=max(0.0, min(left, 0.2)))
            outcomes = [o for slot in list(self._slots) if (o := self._look(slot)) is not None]
            if outcomes or left <= 0:
                return outcomes
        return [] if self._spare is None else self._spare.wait(max(0.0, until - time.monotonic()))

    def _look(self, slot: _Slot) -> TrialOutcome | None:
        """Take in what the worker has sent; its trial's outcome if there is one now."""
        if slot.next_start is not None and time.monotonic() >= slot.next_start:
            self._start(slot)
        for kind, content in slot.worker.messages() if slot.next_start is None else ():
            if kind == "done" and slot.job is not None:
                slot.job, slot.useless = None, 0
                self._told.tell(slot.worker.said())
                assert isinstance(content, TrialOutcome)
                return content
            if kind == "ended":
                return self._lost(slot)
        if slot.next_start is None and not slot.ready and time.monotonic() > slot.born + START_S:
            return self._useless(slot, NO_ANSWER)
        if slot.job is None:
            return None
        left = slot.submitted + slot.job.seconds - time.monotonic()
        if not slot.launched and left < LEAST_S:
            return self._ended(slot, slot.worker, TrialStatus.FAILED, slot.why, lost=slot.tries == 0)
        if not slot.launched and slot.ready:
            self._launch(slot, left)
        if left < -grace(slot.job.seconds, slot.worker.step):
            return self._give_up(slot)
        return None

    def _lost(self, slot: _Slot) -> TrialOutcome | None:
        """A worker has ended: replace it, and try its trial again unless lack of memory was the cause."""
        why, dead = slot.worker.death(), slot.worker
        if slot.job is None or not slot.launched or not dead.step:
            words = dead.last_words().splitlines()[-1:] if dead.excess is None else []
            return self._useless(slot, words[0][:300] if words else f"it {why.reason}")
        self._replace(slot)
        slot.useless, slot.tries = 0, slot.tries + 1
        slot.launched, slot.why = False, reasons.tries(why.reason, slot.tries)
        if why.memory or slot.tries > MAX_RETRIES:
            return self._ended(slot, dead, TrialStatus.FAILED, slot.why)
        return None

    def _useless(self, slot: _Slot, reason: str) -> TrialOutcome | None:
        """A worker has ended without having begun a trial, which is not the trial's fault; its slot gets few more."""
        slot.useless, slot.launched, self._last_end = slot.useless + 1, False, reason
        if slot.useless < MAX_STARTS:
            came_up = slot.worker.ready
            slot.worker.close()
            if came_up:
                self._start(slot)
            else:
                # What it lacked, such as memory, may be there again a little later.
                with self._lock:
                    slot.next_start = time.monotonic() + PAUSE_S * 2**slot.useless
            return None
        logging.getLogger("autodl").warning("no worker process comes up any more: %s", reason)
        with self._lock:
            self._slots.remove(slot)
        slot.worker.close()
        if not self._slots and self._up:
            self._tell(
                f"No worker process comes up any more ({reason}); trials go on in this process, one at a time."
            )
            self._spare = last_resort(self._data)
        if slot.job is None:
            return None
        reason = f"{NO_PROCESS}: {reason}"
        return self._ended(slot, slot.worker, TrialStatus.FAILED, reason, lost=slot.tries == 0)

    def _give_up(self, slot: _Slot) -> TrialOutcome:
        assert slot.job is not None
        reason, late = reasons.overdue(slot.job.seconds, slot.worker.step), slot.worker
        self._replace(slot)
        return self._ended(slot, late, TrialStatus.TIMEOUT, reason)

    def _replace(self, slot: _Slot) -> None:
        slot.worker.close()
        self._start(slot)

    def _start(self, slot: _Slot) -> None:
        fresh = self._spawn()
        with self._lock:
            slot.worker, slot.born, slot.next_start = fresh, time.monotonic(), None

    @staticmethod
    def _ended(
        slot: _Slot, worker: WorkerProcess, status: TrialStatus, reason: str, *, lost: bool = False
    ) -> TrialOutcome:
        assert slot.job is not None
        spec, slot.job = slot.job.spec, None
        cost = Cost(fit_s=time.monotonic() - slot.submitted, peak_bytes=worker.added())
        return TrialOutcome(TrialResult(spec=spec, status=status, error=reason, cost=cost, lost=lost))

    def running(self) -> list[Job]:
        """Jobs in the workers."""
        here = [] if self._spare is None else self._spare.running()
        return [s.job for s in self._slots if s.job is not None] + here

    def close(self) -> None:
        """End the workers."""
        self._watch.close()
        if self._spare is not None:
            self._spare.close()
        workers = self._processes()
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.close()
        self._slots = []
        self._file.close()
