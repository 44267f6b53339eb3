"""From the plan to a runner: a slow starter works behind the first trials and takes over when it is up."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from autodl.events import Listener, Note
from autodl.models.base import families
from autodl.records import Plan
from autodl.search.budget import Budget
from autodl.search.runners.base import Runner
from autodl.search.runners.inline import InlineRunner, last_resort

if TYPE_CHECKING:
    from autodl.search.runners.ray import RayRunner
    from autodl.search.trial import TrialData

Make = Callable[[threading.Event], Runner]
"""Makes a runner; the event tells that it is needed no longer."""
GPU_SHARE = 0.5
"""Of a GPU, for each worker on a cluster that has some, where networks are among the candidates."""
START_S = 60.0
"""Seconds to wait for workers at most."""
FIRST_OUTCOMES = 2
"""The baseline and the first real model are there before worker processes take a core to start."""


def make_runner(
    plan: Plan, data: TrialData, address: str | None, budget: Budget, listener: Listener, *, resumed: bool = False
) -> Runner:
    """The runner that the plan asks for.

    Where Ray does not start on this machine, worker processes take its place. Where those do not come up either,
    trials run one at a time in this process, with all cores.

    Without a clock, the slow starters take all trials from the first on, so that a run repeats exactly. So they do in
    a resumed run: a trial that has ended one run in this process would end every further one, too.

    Args:
        plan: Kind of runner, and trials at a time.
        data: Rows and folds.
        address: Ray cluster, or None.
        budget: The clock.
        listener: Is told when the runner takes over, or why it cannot.
        resumed: Whether an earlier run was interrupted.

    Raises:
        ConfigError: If the cluster at ``address`` cannot be reached.
    """
    if plan.runner == "inline":
        return InlineRunner(data, slots=plan.workers)
    start_s = START_S if budget.unlimited else min(START_S, 0.5 * budget.total_s)

    def processes(closing: threading.Event) -> Runner:
        from autodl.search.runners.process import ProcessRunner

        return ProcessRunner(data, plan.workers, start_s=start_s, closing=closing, tell=tell)

    def tell(text: str) -> None:
        listener(Note(text, budget.elapsed()))

    def on_ray(closing: threading.Event) -> Runner:
        from autodl.search.runners.ray import RayRunner

        runner = joined or RayRunner(data, plan.workers, None, start_s=start_s, closing=closing, tell=tell)
        runner.await_worker(start_s, closing)
        if not closing.is_set():
            most = "at most " if joined is not None else ""
            tell(f"Ray is up: {most}{plan.workers} trials at a time from here on.")
        return runner

    def on_ray_or_here(closing: threading.Event) -> Runner:
        try:
            return on_ray(closing)
        except Exception as error:  # whatever it is, there is another way
            if closing.is_set():
                raise
            tell(f"Ray did not start ({error}); trials run in processes of this machine instead.")
            return processes(closing)

    make, name = processes, "A separate process for the trials"
    if plan.runner == "ray":
        # Who names a cluster does not want its trials here; worker processes need a POSIX system.
        make, name = (on_ray, "Ray") if address is not None or os.name != "posix" else (on_ray_or_here, name)
    never = threading.Event()
    joined: RayRunner | None = None
    if plan.runner == "ray" and address is not None:
        from autodl.search.runners.ray import RayRunner

        gpus = GPU_SHARE if any(families[f.key].deep for f in plan.families) else 0.0
        # Not in the background: who names a cluster hears now if it is not there.
        joined = RayRunner(data, plan.workers, address, gpus=gpus, start_s=start_s, tell=tell)
    if budget.unlimited and plan.runner == "ray":
        return make(never)
    from autodl.search.runners.warming import WarmingRunner

    # Threads of one process gain nothing from a second trial, least of all while processes start; and what fits a
    # cluster at a time may be too much for the memory of this machine.
    first = InlineRunner(data)
    if not budget.unlimited and not resumed:
        after = FIRST_OUTCOMES if plan.runner == "process" else 0  # Ray takes so long that every second counts
        return WarmingRunner(first, _or_last_resort(make, name, data, tell), after)
    if address is not None:
        return make(never)
    return _or_last_resort(make, name, data, tell)(never)


def _or_last_resort(make: Make, name: str, data: TrialData, tell: Callable[[str], None]) -> Make:
    def made(closing: threading.Event) -> Runner:
        try:
            return make(closing)
        except Exception as error:
            if closing.is_set():
                raise
            tell(f"{name} did not start ({error}); trials go on without it, one at a time.")
            return last_resort(data)

    return made
