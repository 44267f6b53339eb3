"""The evaluator for a runner's name."""

from __future__ import annotations

import math
from collections.abc import Callable

from autodl.errors import ConfigError, did_you_mean
from autodl.search.calling import Objective
from autodl.search.evaluators import Direct, Evaluator, Processes, Threads


def evaluator(
    runner: str,
    objective: Objective,
    *,
    workers: int,
    interruptible: bool,
    address: str | None = None,
    cpus: float = 1.0,
    seconds: float = math.inf,
) -> Evaluator:
    """The evaluator for a runner's name.

    Args:
        runner: ``inline``, ``process`` or ``ray``.
        objective: What is called.
        workers: Calls at a time.
        interruptible: Whether a call that takes too long must be left.
        address: Of the cluster for ``ray``; None starts one on this machine.
        cpus: Cores that each call takes on Ray.
        seconds: How long Ray may take to start, or to be joined, and to give a first worker.

    Raises:
        ConfigError: An unknown name, or an address that is of no use.
    """

    def ray(objective: Objective) -> Evaluator:
        from autodl.search.runners.ray_calls import RayCalls

        return RayCalls(objective, workers, address, cpus=cpus, seconds=seconds)

    makers: dict[str, Callable[[Objective], Evaluator]] = {"inline": Threads, "process": Processes, "ray": ray}
    if runner not in makers:
        raise ConfigError(f"unknown runner '{runner}' for a function", did_you_mean(runner, makers))
    if address is not None and runner != "ray":
        raise ConfigError(f"an `address` needs Ray, but the runner is '{runner}'", 'Pass runner="ray".')
    if runner == "inline" and workers == 1 and not interruptible:
        return Direct(objective)
    return makers[runner](objective)
