"""Where trials run, how many at a time, and with how many threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from autodl.errors import ConfigError
from autodl.options import FitOptions
from autodl.records import Decision

if TYPE_CHECKING:
    from autodl.machine import Machine

RAY_PAYS_S = 240.0
"""Below this budget, starting Ray costs more than trials side by side give."""


def choose_runner(
    options: FitOptions, machine: Machine, est_bytes: float = 0.0
) -> tuple[Literal["inline", "ray"], int, int, Decision]:
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
        workers = options.workers or machine.cores
        threads = max(1, machine.cores // workers)
        why = "You gave the address of a Ray cluster."
        return "ray", workers, threads, _decision(f"Ray at {options.address}, {workers} at a time", why, threads)
    short = options.time_budget_s is None or options.time_budget_s < RAY_PAYS_S
    if options.workers is None and short:
        why = (
            "Without a clock, one trial after another gives the same result every time."
            if options.time_budget_s is None
            else f"Starting Ray takes seconds that a budget of {options.time_budget_s:.0f} s does not give back."
        )
        return "inline", 1, machine.cores, _decision("one trial after another in this process", why, machine.cores)
    workers = options.workers or machine.cores
    if est_bytes > 0 and options.workers is None:
        workers = max(1, min(workers, int(0.7 * machine.memory_bytes / est_bytes)))
    if workers == 1 or (options.workers is not None and short and machine.cores == 1):
        why = "One worker was asked for." if options.workers == 1 else "There is room for one trial at a time only."
        return "inline", 1, machine.cores, _decision("one trial after another in this process", why, machine.cores)
    threads = max(1, machine.cores // workers)
    why = f"{machine.cores} cores, and time enough for trials side by side."
    return "ray", workers, threads, _decision(f"Ray on this machine, {workers} trials at a time", why, threads)


def _decision(choice: str, why: str, threads: int) -> Decision:
    return Decision(
        topic="Computing", choice=f"{choice}, {threads} thread{'s' if threads > 1 else ''} each", why=why,
        evidence={"threads": threads},
    )  # fmt: skip
