"""Where trials run, how many at a time, and with how many threads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from autodl.errors import ConfigError
from autodl.machine import in_gib
from autodl.options import FitOptions
from autodl.records import Decision, Plan
from autodl.search.memory import UNSURE, room

if TYPE_CHECKING:
    from autodl.machine import Machine

RAY_PAYS_S = 600.0
"""Below this budget processes of this machine do the same and start some twenty CPU seconds sooner than Ray."""
PROCESS_PAYS_S = 20.0
"""Below this budget a worker process, which needs some seconds to start, would be up for the last trials only."""
FEW_CORES = 4
"""Up to so many cores each trial gets one: two trials side by side do more than one with two threads."""
MEMORY_ASKS = 0.3
"""From this share of the free memory on, a trial runs in a process of its own even without a clock."""

CLUSTER_WORKERS = 32
"""Trials at a time on a cluster at most, unless the user wants more; how many it has room for is seen there."""

TOPIC = "Computing"

Kind = Literal["inline", "process", "ray"]


def choose_runner(options: FitOptions, machine: Machine, est_bytes: float = 0.0) -> tuple[Kind, int, int, Decision]:
    """Runner, trials at a time, threads of one trial, and the decision in words.

    Args:
        options: For workers, address and budget.
        machine: Cores and memory.
        est_bytes: Memory of the largest trial; fewer run at a time where memory is short.

    Raises:
        ConfigError: If the number of workers is not positive.
    """
    if options.workers is not None and options.workers < 1:
        raise ConfigError(f"`workers >= 1` must hold, but got {options.workers}", "Pass for example --workers 2.")
    if options.address is not None:
        workers = options.workers or CLUSTER_WORKERS
        threads = max(1, machine.cores // workers)
        why = "You gave the address of a Ray cluster; as many trials run there at a time as it has room for."
        choice = f"Ray at {options.address}, at most {_trials(workers)} at a time"
        return "ray", workers, threads, _decision(choice, why, threads, machine)
    budget = options.time_budget_s
    short = budget is None or budget < RAY_PAYS_S
    if options.workers is None and (budget is None or budget < PROCESS_PAYS_S):
        return _one_at_a_time(budget, machine, est_bytes, "")
    workers = options.workers or max(1, machine.cores // (1 if machine.cores <= FEW_CORES else 2))
    fewer = ""
    # Who asks for more at a time than the largest trial allows gets them, and smaller trials alone.
    fitting = room(machine.memory_bytes, UNSURE * est_bytes if options.workers is None else 0.0)
    if fitting < workers:
        largest = f"the largest needs about {in_gib(est_bytes)}" if options.workers is None else ""
        fewer = f" Memory allows {fitting} at a time: {largest or f'{in_gib(machine.memory_bytes)} are free'}."
        workers = fitting
    if workers == 1:
        why = "There is room for one trial at a time only." if fewer else "There is one core."
        why = "One worker was asked for." if options.workers == 1 else why
        return _one_at_a_time(budget, machine, est_bytes, why + fewer)
    threads = max(1, machine.cores // workers)
    if short and os.name == "posix":
        why = "You asked for it." if options.workers else "Trials side by side use the cores best."
        why += f" Processes of this machine start sooner than Ray, and a crash costs its own trial alone.{fewer}"
        choice = f"processes on this machine, {workers} trials at a time"
        return "process", workers, threads, _decision(choice, why, threads, machine)
    why = f"{machine.cores} cores, and time enough for trials side by side.{fewer}"
    choice = f"Ray on this machine, {workers} trials at a time"
    return "ray", workers, threads, _decision(choice, why, threads, machine)


def runner_again(plan: Plan, before: FitOptions, options: FitOptions, machine: Machine) -> Plan:
    """The plan of a resumed run, with another runner where other workers or another address are asked for now.

    With a clock also where the run goes on with other cores or a budget of another kind; workers that were asked for
    before stay while the cores do. Without a clock the plan stays, so that the run repeats.
    """
    if options.address == before.address and options.workers in (None, before.workers):
        if options.time_budget_s is None:
            return plan
        cores = next((d.evidence.get("cores") for d in plan.decisions if d.topic == TOPIC), None)
        same_cores = cores in (None, machine.cores)
        if same_cores and _kind_of(options.time_budget_s) == _kind_of(before.time_budget_s):
            return plan
        options = options.model_copy(update={"workers": before.workers}) if same_cores else options
    largest = max((p.est_bytes for p in plan.families), default=0.0)
    runner, workers, threads, computing = choose_runner(options, machine, largest)
    decisions = tuple(computing if d.topic == TOPIC else d for d in plan.decisions)
    return plan.model_copy(update={"runner": runner, "workers": workers, "threads": threads, "decisions": decisions})


def _kind_of(budget: float | None) -> int | None:
    """Which of the limits of ``choose_runner`` a budget reaches; None without a clock."""
    return None if budget is None else sum(budget >= limit for limit in (PROCESS_PAYS_S, RAY_PAYS_S))


def _one_at_a_time(
    budget: float | None, machine: Machine, est_bytes: float, why: str
) -> tuple[Kind, int, int, Decision]:
    """In this process, or in one of its own, where a crash or lack of memory costs the trial alone."""
    large = est_bytes > MEMORY_ASKS * machine.memory_bytes
    pays = budget is not None and budget >= PROCESS_PAYS_S
    threads = machine.cores
    # The pipes and signals that worker processes need are those of POSIX systems.
    if os.name == "posix" and (large or pays):
        reason = why or f"The largest trial needs about {est_bytes / 2**30:.1f} GiB, much of the free memory."
        reason += " A trial that crashes or takes all memory costs itself alone."
        choice = "one trial after another, in a process of its own"
        return "process", 1, threads, _decision(choice, reason, threads, machine)
    reason = why or (
        "Without a clock, one trial after another gives the same result every time."
        if budget is None
        else f"Starting other processes takes seconds that a budget of {budget:.0f} s does not give back."
    )
    choice = "one trial after another in this process"
    return "inline", 1, threads, _decision(choice, reason, threads, machine)


def _trials(count: int) -> str:
    return "1 trial" if count == 1 else f"{count} trials"


def _decision(choice: str, why: str, threads: int, machine: Machine) -> Decision:
    return Decision(
        topic=TOPIC, choice=f"{choice}, {threads} thread{'s' if threads > 1 else ''} each", why=why,
        evidence={"threads": threads, "cores": machine.cores},
    )  # fmt: skip
