"""One call of a user's objective: whatever it does, its trial alone pays for it."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autodl.search.space import Config

Losses = float | Sequence[float]
Objective = Callable[[Config, float | None], Losses]


@dataclass(frozen=True)
class Call:
    """Which call this is, for objectives that keep their state.

    Attributes:
        number: Its place in the history, under which to keep the state.
        source: The call from whose state to go on; None to begin anew.
    """

    number: int
    source: int | None


ObjectiveWithCall = Callable[[Config, float | None, Call], Losses]


@dataclass(frozen=True)
class Answer:
    """What came of a call.

    Attributes:
        losses: One or more finite losses; empty if the call failed.
        seconds: Wall clock.
        error: Why it failed, in one line.
    """

    losses: tuple[float, ...] = ()
    seconds: float = 0.0
    error: str = ""


_NUMBER, _SOURCE = "\0number", "\0source"


@dataclass(frozen=True)
class WithLineage:
    """Gives ``objective(config, fidelity, call)`` its third argument.

    The call travels in the configuration, so that everything that runs objectives carries it as it is.
    """

    objective: ObjectiveWithCall

    @staticmethod
    def pack(config: Config, call: Call) -> Config:
        """The configuration with the call in it."""
        return {**config, _NUMBER: call.number, _SOURCE: call.source}

    def __call__(self, config: Config, fidelity: float | None) -> Losses:
        """Unpack and call."""
        own = {k: v for k, v in config.items() if k not in (_NUMBER, _SOURCE)}
        number, source = config[_NUMBER], config[_SOURCE]
        assert isinstance(number, int) and (source is None or isinstance(source, int))
        return self.objective(own, fidelity, Call(number, source))


@dataclass(frozen=True)
class ConfigOnly:
    """Calls ``objective(config)``, leaving out the fidelity."""

    objective: Callable[[Config], Losses]

    def __call__(self, config: Config, fidelity: float | None) -> Losses:
        """Call without the fidelity."""
        return self.objective(config)


def takes_config_only(objective: Callable[..., Any]) -> bool:
    """Whether a function takes exactly one argument; False where that cannot be told for certain."""
    try:
        signature = inspect.signature(objective)
    except (TypeError, ValueError):
        return False

    def fits(*given: None) -> bool:
        try:
            signature.bind(*given)
        except TypeError:
            return False
        return True

    return fits(None) and not fits(None, None)


def call(objective: Objective, config: Config, fidelity: float | None) -> Answer:
    """Call an objective once. Ctrl-C passes; every other fault becomes an ``error``."""
    began = time.perf_counter()
    try:
        value = objective(dict(config), fidelity)
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split())
        return Answer(seconds=time.perf_counter() - began, error=f"{type(error).__name__}: {text}".rstrip(": "))
    seconds = time.perf_counter() - began
    losses = _numbers(value)
    if losses is None:
        return Answer(seconds=seconds, error=f"the objective must return a number, but returned {_shown(value)}")
    if not all(math.isfinite(v) for v in losses):
        return Answer(seconds=seconds, error=f"the objective returned {_shown(value)}, which is not a finite number")
    return Answer(losses, seconds)


def _numbers(value: Any) -> tuple[float, ...] | None:
    try:
        if isinstance(value, list | tuple):
            return tuple(float(v) for v in value) or None
        return None if value is None or isinstance(value, str) else (float(value),)
    except (TypeError, ValueError):
        return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
