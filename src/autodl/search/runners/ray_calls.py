"""Calls of an objective on Ray."""

from __future__ import annotations

import math
import sys
import time

from autodl.errors import ConfigError, SearchError
from autodl.machine import this_machine
from autodl.search.calling import Answer, Objective
from autodl.search.evaluators import Done, Evaluator, Processes
from autodl.search.runners.ray_crew import START_S, RayCrew, RayLostError
from autodl.search.runners.ray_setup import Ended, RaySetup
from autodl.search.space import Config

STORE_BYTES = 200_000_000
PATIENCE_S = 10.0
"""Without any worker for so long, the user is told what the search waits for."""


class RayCalls(Evaluator):
    """Calls in workers on Ray, which hold the objective once; it travels by cloudpickle.

    A worker that dies costs its call time alone: it is made once more. An objective that raises is not called again.

    Args:
        objective: What is called.
        workers: Calls at a time at most.
        address: A running cluster, or None to start Ray on this machine.
        cpus: Cores of a worker; a fraction lets several share one.
        start_s: Seconds to start Ray or to join the cluster, and again to wait for the first worker.
        seconds: How long both may take together.

    Raises:
        ConfigError: The cluster cannot be reached, or no worker comes up there.
        SearchError: They took all of ``seconds``.
    """

    def __init__(
        self,
        objective: Objective,
        workers: int,
        address: str | None = None,
        *,
        cpus: float = 1.0,
        start_s: float = START_S,
        seconds: float = math.inf,
    ) -> None:
        import cloudpickle

        setup = RaySetup(
            kind="calls", workers=workers, address=address, cpus=cpus, local_cpus=max(1, round(workers * cpus)),
            store_bytes=STORE_BYTES,
        )  # fmt: skip
        self._objective = objective
        self._answers: list[Done] = []
        self._requests: dict[int, tuple[Config, float | None]] = {}
        self._spare: Processes | None = None
        """Takes over when Ray is gone for good."""
        self._cores = 1
        """Those that it may use."""
        self._alone_since: float | None = None
        """Since when no worker is up; infinity once that was told."""
        until = time.monotonic() + seconds
        try:
            self._crew = RayCrew(
                setup, objective, dumps=cloudpickle.dumps, tell=_say, start_s=min(start_s, max(0.0, seconds))
            )
            try:
                self._crew.await_worker(min(start_s, max(0.0, until - time.monotonic())))
            except BaseException:
                self.close()
                raise
        except (ConfigError, RuntimeError) as error:
            if time.monotonic() < until:
                raise
            raise SearchError(
                f"the time was over before Ray had a worker: {error}",
                "Raise `time_budget`, or search on this machine without Ray.",
            ) from error

    def room(self, workers: int) -> int:
        """As many as are up; one may wait where none is."""
        if self._spare is not None:
            return min(workers, self._cores)
        return max(1, min(workers, self._crew.seats))

    def start(self, number: int, config: Config, fidelity: float | None) -> None:
        """Hand over a call."""
        self._requests[number] = config, fidelity
        if self._spare is not None:
            self._spare.start(number, config, fidelity)
        else:
            self._crew.start(number, (config, fidelity))

    def wait(self, seconds: float | None) -> Done | None:
        """The next answer of a call that was not given up."""
        until = math.inf if seconds is None else time.monotonic() + seconds
        while not self._answers:
            if self._spare is not None:
                return self._spare.wait(None if seconds is None else max(0.0, until - time.monotonic()))
            try:
                found = self._crew.ended(min(PATIENCE_S, max(0.0, until - time.monotonic())))
            except RayLostError as error:
                self._go_on_here(error)
                continue
            self._answers = [(e.number, _answer(e, a)) for e, a in found if e.number in self._requests]
            self._notice()
            if time.monotonic() >= until:
                break
        if not self._answers:
            return None
        done = self._answers.pop(0)
        self._requests.pop(done[0], None)
        return done

    def _notice(self) -> None:
        """Say once when no worker has been up for a while: the search may wait for ever."""
        now = time.monotonic()
        if self._crew.seats > 0:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = now
        elif now - self._alone_since >= PATIENCE_S:
            _say("no worker is up on Ray; the search waits until one comes, or until its time is over.")
            self._alone_since = math.inf

    def _go_on_here(self, error: RayLostError) -> None:
        _say(f"Ray is gone for good ({error}); the search goes on in processes of this machine.")
        self._spare, self._cores = Processes(self._objective), this_machine().cores
        for number, (config, fidelity) in self._requests.items():
            self._spare.start(number, config, fidelity)

    def give_up(self, number: int) -> None:
        """Kill its worker; another comes up."""
        self._requests.pop(number, None)
        self._answers = [a for a in self._answers if a[0] != number]
        if self._spare is not None:
            self._spare.give_up(number)
        else:
            self._crew.kill(number)

    def close(self) -> None:
        """Kill the workers; stop Ray if it was started here."""
        if self._spare is not None:
            self._spare.close()
        self._crew.close()


def _answer(ended: Ended, answer: object) -> Answer:
    return answer if isinstance(answer, Answer) else Answer(seconds=ended.seconds, error=f"the call {ended.reason}")


def _say(text: str) -> None:
    sys.stderr.write(f"autodl: {text}\n")
