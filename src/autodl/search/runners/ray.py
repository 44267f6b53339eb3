"""Trials on Ray: warm actors, the data once in the object store; a dead worker costs only its running trial."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from autodl.errors import ConfigError
from autodl.machine import available_memory
from autodl.records import Cost, TrialResult, TrialStatus
from autodl.search.prepared import PreparedFolds, cache_limit
from autodl.search.runners import reasons
from autodl.search.runners.base import MAX_RETRIES, Runner, grace
from autodl.search.runners.local_cluster import READY, LocalCluster
from autodl.search.trial import Job, TrialData, TrialOutcome, run_trial

START_S = 60.0
"""Seconds to wait for an actor."""


class _Worker:
    """Lives in an actor; keeps the data and the prepared folds between trials."""

    def __init__(self, data: TrialData, workers: int) -> None:
        self._data = data
        self._cache = PreparedFolds(data, cache_limit(available_memory() / max(1, workers)))

    def ready(self) -> int:
        """The process number: answers once everything is imported."""
        return os.getpid()

    def run(self, job: Job) -> TrialOutcome:
        """Carry out one trial."""
        return run_trial(job, self._data, self._cache)


@dataclass
class _Slot:
    actor: Any
    ready: Any
    """Resolves once the actor has imported everything; until then the slot is not free."""
    job: Job | None = None
    ref: Any = None
    started: float = 0.0
    tries: int = 0


class RayRunner(Runner):
    """A pool of actors, one trial each at a time.

    Args:
        data: Shared by all trials; put into the object store once.
        workers: Number of actors.
        address: A running cluster (``auto``, ``ray://HOST:PORT``, ``HOST:PORT``), or None to start Ray locally.
        start_s: Seconds to wait for the first actor.
        closing: When set, the local Ray is waited for no longer.

    Raises:
        ConfigError: If the cluster cannot be reached or has no room for a single worker.
    """

    def __init__(
        self,
        data: TrialData,
        workers: int,
        address: str | None = None,
        *,
        start_s: float = START_S,
        closing: threading.Event | None = None,
    ) -> None:
        import ray

        self._ray = ray
        self._threads, self._workers = data.threads, workers
        self._owns = not ray.is_initialized()
        self._cluster: LocalCluster | None = None
        if self._owns and address is None:
            self._cluster = LocalCluster(
                max(1, workers * data.threads), _store_bytes(len(data.frame)), start_s, closing
            )
            _join(self._cluster.address)
        elif self._owns and address is not None:
            _join_foreign(address)
        self._data = ray.put(data)
        self._slots = [_Slot(*self._spawn()) for _ in range(workers)]
        if not self._warm(start_s):
            self.close()
            raise ConfigError(
                f"no process with {data.threads} free cores came up within {start_s:.0f} s",
                "Ask for fewer with --workers, or look at `ray status`.",
            )

    def _spawn(self) -> tuple[Any, Any]:
        remote = self._ray.remote(num_cpus=self._threads, max_restarts=0)(_Worker)
        actor = remote.remote(self._data, self._workers)
        return actor, actor.ready.remote()

    def _warm(self, timeout: float) -> bool:
        """Wait for the first actor; later ones join when the cluster has room for them."""
        ready, _ = self._ray.wait([s.ready for s in self._slots], num_returns=1, timeout=timeout)
        return bool(ready)

    def _idle(self) -> list[_Slot]:
        waiting = [s for s in self._slots if s.job is None]
        return [s for s in waiting if self._up(s)]

    def _up(self, slot: _Slot) -> bool:
        ready, _ = self._ray.wait([slot.ready], num_returns=1, timeout=0)
        return bool(ready)

    def free(self) -> int:
        """Number of idle actors that are up."""
        return len(self._idle())

    def submit(self, job: Job) -> None:
        """Hand the job to an idle actor."""
        slot = self._idle()[0]
        slot.job, slot.tries = job, 0
        self._launch(slot)

    def _launch(self, slot: _Slot) -> None:
        slot.started = time.monotonic()
        slot.ref = slot.actor.run.remote(slot.job)

    def wait(self, timeout: float) -> list[TrialOutcome]:
        """Outcomes of finished, overdue and lost trials."""
        busy = [s for s in self._slots if s.job is not None]
        if not busy:
            return []
        refs = [s.ref for s in busy]
        self._ray.wait(refs, num_returns=1, timeout=max(0.0, min(timeout, 0.5)))
        ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        outcomes: list[TrialOutcome] = []
        for slot in busy:
            if slot.ref in ready:
                outcomes.extend(self._collect(slot))
            elif self._overdue(slot):
                outcomes.append(self._give_up(slot))
        return outcomes

    def _collect(self, slot: _Slot) -> list[TrialOutcome]:
        assert slot.job is not None
        try:
            outcome: TrialOutcome = self._ray.get(slot.ref)
        except self._ray.exceptions.RayError as error:
            return self._lost(slot, error)
        slot.job = None
        return [outcome]

    def _lost(self, slot: _Slot, error: Exception) -> list[TrialOutcome]:
        assert slot.job is not None
        slot.actor, slot.ready = self._spawn()
        slot.tries += 1
        why = self._death(error)
        left = slot.job.seconds - (time.monotonic() - slot.started)
        if not why.memory and slot.tries <= MAX_RETRIES and left > 0:
            slot.job = replace(slot.job, seconds=left)
            self._launch(slot)
            return []
        return [self._ended(slot, TrialStatus.FAILED, reasons.tries(why.reason, slot.tries))]

    def _death(self, error: Exception) -> reasons.Death:
        """What Ray's error means; its own watch over memory ends the largest worker before the kernel must."""
        if isinstance(error, self._ray.exceptions.OutOfMemoryError) or "running low on memory" in str(error):
            return reasons.Death("was ended by Ray, whose machine ran low on memory", memory=True)
        return reasons.Death(f"lost its worker ({type(error).__name__}): it crashed or was killed")

    def _overdue(self, slot: _Slot) -> bool:
        assert slot.job is not None
        late = time.monotonic() - slot.started - slot.job.seconds - grace(slot.job.seconds)
        return late > 0 and (late > START_S or self._up(slot))

    def _give_up(self, slot: _Slot) -> TrialOutcome:
        assert slot.job is not None
        self._ray.kill(slot.actor)
        slot.actor, slot.ready = self._spawn()
        return self._ended(slot, TrialStatus.TIMEOUT, reasons.overdue(slot.job.seconds))

    @staticmethod
    def _ended(slot: _Slot, status: TrialStatus, reason: str) -> TrialOutcome:
        assert slot.job is not None
        spec, slot.job = slot.job.spec, None
        cost = Cost(fit_s=time.monotonic() - slot.started)
        return TrialOutcome(TrialResult(spec=spec, status=status, error=reason, cost=cost))

    def running(self) -> list[Job]:
        """Jobs in the actors."""
        return [s.job for s in self._slots if s.job is not None]

    def close(self) -> None:
        """Kill the actors; stop Ray if this runner started it."""
        for slot in self._slots:
            self._ray.kill(slot.actor)
        self._slots = []
        if self._owns:
            self._ray.shutdown()
        if self._cluster is not None:
            self._cluster.close()


def _store_bytes(rows: int) -> int:
    """Room for the data, once, and for results on their way back."""
    return int(min(2e9, 2e8 + rows * 4_000))


def _join(address: str) -> None:
    import logging

    import ray

    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)


def _join_foreign(address: str) -> None:
    try:
        _knock(address)
        _join(address)
    except Exception as error:
        raise ConfigError(
            f"cannot reach a Ray cluster at '{address}' ({type(error).__name__})",
            "Check that `ray status` works there and that the port is open, or leave out --address to run locally.",
        ) from error


def hold_cluster(cpus: int, store_bytes: int) -> None:
    """Start a cluster, print its address, and keep it until standard input ends; run by ``LocalCluster``."""
    import logging
    import sys

    import ray

    ray.init(
        num_cpus=cpus,
        include_dashboard=False,
        object_store_memory=store_bytes,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    print(f"{READY}{ray.get_runtime_context().gcs_address}", flush=True)
    sys.stdin.buffer.read()
    ray.shutdown()


def _knock(address: str) -> None:
    """Try the port: where nobody answers, Ray would wait a minute and then end the whole process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=5.0).close()
