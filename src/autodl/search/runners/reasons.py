"""Why a worker ended, in words for the user, and whether another try makes sense."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from autodl.machine import in_gib


@dataclass(frozen=True)
class Death:
    """How a worker process ended.

    Attributes:
        reason: A clause that follows the name of the trial.
        memory: Whether lack of memory is the cause, so that another try would end alike.
        machine: Whether its whole machine is gone, for which it is not to blame.
    """

    reason: str
    memory: bool = False
    machine: bool = False


def no_memory(taken: float, allowed: float) -> Death:
    """The watchdog ended it."""
    return Death(
        f"was ended before this machine ran out of memory: it had taken {in_gib(taken)}, and there was room for "
        f"{in_gib(allowed)}",
        memory=True,
    )


def death(exit_code: int | None, taken: float, oom_kill: bool | None) -> Death:
    """What an exit code means.

    Args:
        exit_code: Negative for a signal, as ``subprocess`` tells it; None if unknown.
        taken: Most bytes seen in the process.
        oom_kill: Whether the kernel killed a process for lack of memory meanwhile; None if it does not tell.
    """
    if exit_code is None or exit_code >= 0:
        return Death(f"ended its process without a result (exit code {exit_code})")
    number = -exit_code
    if number != signal.SIGKILL:
        return Death(f"crashed ({_name(number)}): a fault in a library that it uses")
    if oom_kill is False:
        return Death("was ended by another program or by hand")
    sure = "for lack of memory" if oom_kill else "most likely for lack of memory"
    return Death(f"was ended by the operating system, {sure}; it had taken about {in_gib(taken)}", memory=True)


def overdue(seconds: float, step: str = "", end: str = "killed") -> str:
    """It did not stop at its deadline.

    Args:
        seconds: The deadline.
        step: What it was doing, if known.
        end: What became of it.
    """
    where = f" while {step}" if step else ""
    return f"did not stop at its deadline of {seconds:.1f} s and was {end}{where}"


def tries(reason: str, count: int) -> str:
    """The reason with the number of tries, if there was more than one."""
    return reason if count <= 1 else f"{reason}; tried {count} times"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
