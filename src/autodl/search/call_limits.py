"""When a search over any function ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from autodl.errors import ConfigError
from autodl.search.fidelity import Fidelity


@dataclass(frozen=True)
class Limits:
    """When to end; infinity where there is no limit."""

    evals: float = math.inf
    fidelity_total: float = math.inf
    seconds: float = math.inf
    per_call: float = math.inf


def limits_of(
    max_evals: int | None,
    max_fidelity_total: float | None,
    time_budget: float | str | None,
    call_timeout: float | str | None,
    fidelity: Fidelity | None,
) -> Limits:
    """The limits in numbers; arguments as of ``optimize``.

    Raises:
        ConfigError: If there is no limit, or one is invalid.
    """
    if max_evals is None and max_fidelity_total is None and time_budget is None:
        raise ConfigError("the search needs an end", "Give `max_evals`, `max_fidelity_total` or `time_budget`.")
    if max_fidelity_total is not None and fidelity is None:
        raise ConfigError(
            "`max_fidelity_total` needs a `fidelity`", "Give for example fidelity=(1, 50), or use `max_evals`."
        )
    total = math.inf if max_fidelity_total is None else positive("max_fidelity_total", max_fidelity_total)
    if fidelity is not None and total < fidelity.low:
        raise ConfigError(
            f"`max_fidelity_total` ({total:g}) is less than one evaluation at the lowest fidelity ({fidelity.low:g})",
            "Raise it.",
        )
    return Limits(
        math.inf if max_evals is None else positive("max_evals", max_evals, whole=True),
        total,
        _seconds("time_budget", time_budget),
        _seconds("call_timeout", call_timeout),
    )


def positive(name: str, value: Any, whole: bool = False) -> Any:
    """The value, if it is a number above 0.

    Raises:
        ConfigError: Otherwise.
    """
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not value > 0:
        raise ConfigError(f"`{name}` must be a {'whole ' if whole else ''}number above 0, but got {value!r}")
    return value


def _seconds(name: str, value: float | str | None) -> float:
    if value is None:
        return math.inf
    if isinstance(value, str):
        from autodl.duration import parse_duration

        return parse_duration(value)
    return float(positive(name, value))
