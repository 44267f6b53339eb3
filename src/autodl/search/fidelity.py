"""How much of a resource an evaluation gets: epochs, rows, folds, trees."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autodl.errors import ConfigError


@dataclass(frozen=True)
class Fidelity:
    """The range of a resource.

    Attributes:
        low: The least that says anything.
        high: All of it: what the search is about.
        whole: Whether only whole numbers make sense (both ends were given as such).
        goes_on: From whose state an evaluation goes on, so that only what is new is paid: its own configuration's, or
            that of any it names.
    """

    low: float
    high: float
    whole: bool = False
    goes_on: Literal["none", "own", "any"] = "none"

    @classmethod
    def of(cls, pair: Sequence[float] | Fidelity) -> Fidelity:
        """From ``(low, high)``.

        Raises:
            ConfigError: If that is not two positive numbers in order.
        """
        if isinstance(pair, Fidelity):
            return pair
        given: object = pair
        if (
            not isinstance(given, list | tuple)
            or len(given) != 2
            or any(isinstance(v, bool) or not isinstance(v, int | float) for v in pair)
        ):
            raise ConfigError(
                f"`fidelity` must be two numbers, but got {pair!r}", "Write for example fidelity=(1, 50)."
            )
        low, high = pair
        if not 0 < low <= high < math.inf:
            raise ConfigError(
                f"`fidelity`: 0 < low <= high must hold, but got low={low:g}, high={high:g}",
                "Write for example fidelity=(1, 50).",
            )
        return cls(low, high, whole=isinstance(low, int) and isinstance(high, int))

    def rungs(self, eta: float = 3.0) -> tuple[float, ...]:
        """From low to high, each about ``eta`` times the one before; the last is ``high``."""
        count = int(math.log(self.high / self.low) / math.log(eta) + 1e-9)
        raw = [self.high / eta**k for k in range(count, -1, -1)]
        return tuple(float(round(r)) if self.whole else r for r in raw)

    def spent(self, calls: Sequence[float]) -> float:
        """What the calls of one configuration have taken of the resource, the state of others aside."""
        return max(calls, default=0.0) if self.goes_on != "none" else sum(calls)

    def place(self, value: float) -> float:
        """Where a value stands from 0 (low) to 1 (high) on a logarithmic scale."""
        return math.log(value / self.low) / math.log(self.high / self.low) if self.high > self.low else 1.0
