"""Trials on Ray: warm workers that come and go with the nodes, the data once in the object store of each."""

from __future__ import annotations

import threading
from collections.abc import Callable

from autodl.records import Cost, TrialResult, TrialStatus
from autodl.search.memory import WORKER_BYTES
from autodl.search.naming import trial_number
from autodl.search.runners.base import Runner
from autodl.search.runners.inline import InlineRunner, last_resort
from autodl.search.runners.ray_crew import START_S, RayCrew, RayLostError
from autodl.search.runners.ray_setup import Ended, RaySetup
from autodl.search.trial import Job, TrialData, TrialOutcome

STORE_BYTES = 200_000_000
"""Of a local object store, besides the data: for results on their way back. What does not fit goes to disk."""


class RayRunner(Runner):
    """Up to so many workers, one trial each at a time; made as soon as Ray is there, before its workers are up.

    Args:
        data: Shared by all trials; in the object store once a node.
        workers: Workers at most; there are fewer while the cluster has no room for more.
        address: A running cluster (``auto``, ``ray://HOST:PORT``, ``HOST:PORT``), or None to start Ray locally.
        cpus: Cores of a worker; the threads of a trial if None.
        gpus: GPUs of a worker, or a fraction of one, as long as the cluster has some.
        start_s: Seconds to start Ray locally.
        closing: When set, nobody waits any longer.
        tell: Is told what the user should know of the cluster.

    Raises:
        ConfigError: The cluster cannot be reached.
        RuntimeError: Ray does not start on this machine.
    """

    def __init__(
        self,
        data: TrialData,
        workers: int,
        address: str | None = None,
        *,
        cpus: float | None = None,
        gpus: float = 0.0,
        start_s: float = START_S,
        closing: threading.Event | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        setup = RaySetup(
            kind="trials",
            workers=workers,
            address=address,
            cpus=data.threads if cpus is None else cpus,
            gpus=gpus,
            memory=WORKER_BYTES,
            local_cpus=max(1, round(workers * (data.threads if cpus is None else cpus))),
            store_bytes=STORE_BYTES,
        )
        self._data, self._workers, self._tell = data, workers, tell or (lambda text: None)
        self._running: dict[int, Job] = {}
        self._spare: InlineRunner | None = None
        """Takes over when Ray is gone for good."""
        self._left_over: list[Job] = []
        self._arrived: list[tuple[Job, TrialOutcome]] = []
        """Outcomes that nobody has asked for; their jobs count as running until then."""
        self._crew = RayCrew(setup, data, closing=closing, start_s=start_s, tell=tell)

    def await_worker(self, seconds: float, closing: threading.Event | None = None) -> None:
        """Wait for the first worker; closes the runner if none comes up.

        Args:
            seconds: At most so long.
            closing: When set, nobody waits any longer.

        Raises:
            ConfigError: The cluster has no room for a single worker, or cannot run autodl.
        """
        try:
            self._crew.await_worker(seconds, closing)
        except BaseException:
            self.close()
            raise

    def free(self) -> int:
        """Workers that are up and have nothing to do; one whose outcome nobody has fetched yet does not count."""
        self._collect(0.0)
        if self._spare is not None:
            return max(0, self._spare.free() - len(self._left_over))
        if self._crew.waiting:
            return 0
        return max(0, min(self._workers, self._crew.seats) - len(self._running) - len(self._arrived))

    def submit(self, job: Job) -> None:
        """Hand the job over; where memory is short it waits for others to end."""
        if self._spare is not None:
            self._spare.submit(job)
            return
        number = trial_number(job.spec.id)
        self._running[number] = job
        self._crew.start(number, job, job.seconds, job.bytes)

    def wait(self, timeout: float) -> list[TrialOutcome]:
        """Outcomes of finished, overdue and lost trials."""
        if not self._arrived and self.running():
            self._collect(timeout)
        found, self._arrived = [outcome for _, outcome in self._arrived], []
        return found

    def _collect(self, timeout: float) -> None:
        if self._spare is None:
            try:
                for ended, answer in self._crew.ended(timeout):
                    job = self._running.pop(ended.number)
                    outcome = answer if isinstance(answer, TrialOutcome) else _without(job, ended)
                    self._arrived.append((job, outcome))
                return
            except RayLostError as error:
                self._go_on_here(error)
        assert self._spare is not None
        while self._left_over and self._spare.free() > 0:
            self._spare.submit(self._left_over.pop(0))
        jobs = {job.spec.id: job for job in self._spare.running()}
        if jobs:
            self._arrived.extend((jobs[o.result.spec.id], o) for o in self._spare.wait(timeout))

    def _go_on_here(self, error: RayLostError) -> None:
        self._tell(f"Ray is gone for good ({error}); trials go on in this process, one at a time.")
        self._spare = last_resort(self._data)
        self._left_over = list(self._running.values())
        self._running = {}

    def running(self) -> list[Job]:
        """Jobs that were handed over and have not come back."""
        here = [] if self._spare is None else self._spare.running()
        arrived = [job for job, _ in self._arrived]
        return arrived + list(self._running.values()) + self._left_over + here

    def close(self) -> None:
        """Kill the workers; stop Ray if this runner started it."""
        self._running, self._left_over, self._arrived = {}, [], []
        if self._spare is not None:
            self._spare.close()
        self._crew.close()


def _without(job: Job, ended: Ended) -> TrialOutcome:
    """The outcome of a trial that has none of its own."""
    status = TrialStatus.TIMEOUT if ended.late else TrialStatus.FAILED
    cost = Cost(fit_s=ended.seconds)
    return TrialOutcome(TrialResult(spec=job.spec, status=status, error=ended.reason, cost=cost, lost=ended.lost))
