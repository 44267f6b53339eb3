"""Transforms of a regression target, mapped back after prediction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autodl.preprocess import weighted_statistics as weighted
from autodl.preprocess.normal_ranks import normal_ranks
from autodl.preprocess.older import completed
from autodl.preprocess.yeo_johnson import exponent, forward, inverse

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_UNIT = 1e-12
"""Of logarithms, as a part of the largest target."""
TargetKind = Literal["none", "standard", "log", "power", "quantile"]


class TargetTransform:
    """Fitted on the training targets when built.

    ``standard``: z = (y - mean) / deviation. ``log``: the same of log(1 + (y - s) / u), where the shift s is the
    smallest training target if that is negative, else 0. The unit u is 1, or the median of what is above s where that
    is smaller: of numbers far below 1 the logarithm would be the numbers themselves. ``power``: the power of Yeo &
    Johnson (2000) that makes the targets most like a normal distribution. ``quantile``: ranks mapped to a normal
    distribution; answers stay within the training targets.

    Args:
        kind: Which transform.
        y: (n,) finite training targets.
        weight: (n,) how much each counts; all alike if None.
        unit: u of ``log``; found in the targets if None.
    """

    def __init__(
        self, kind: TargetKind, y: NDArray[Any], weight: NDArray[Any] | None = None, *, unit: float | None = None
    ) -> None:
        self.kind = kind
        values = np.asarray(y, dtype=np.float64)
        self.shift = min(0.0, float(values.min())) if kind == "log" and len(values) else 0.0
        self._unit = unit or 1.0
        if unit is None and kind == "log":
            self._unit = _unit_of_logarithms(values - self.shift, weight)
        self._ranks: Any = (
            normal_ranks(values[:, None], 0, weight, 100_000) if kind == "quantile" and len(values) else None
        )
        # Centre, unit and exponent of ``power``.
        self._power = (0.0, 1.0, 1.0)
        if kind == "power" and len(values):
            centre, unit = _mean_and_spread(values, weight)
            unit = unit if unit > 1e-10 * abs(centre) else 1.0
            self._power = (centre, unit, exponent((values - centre) / unit, weight=weight))
        inner = self._inner(values)
        self.mean, deviation = _mean_and_spread(inner, weight) if kind != "none" and len(values) else (0.0, 1.0)
        # The deviation of equal numbers may be a rounding error instead of 0.
        self.deviation = deviation if deviation > 1e-10 * abs(self.mean) else 1.0
        # A model that extrapolates in logarithms or powers must not answer with astronomic values.
        self._floor, self._ceiling = -math.inf, math.inf
        if kind == "log" and len(values):
            self._ceiling = float(inner.max()) + math.log(10.0)
        elif kind == "power" and len(values):
            width = np.ptp(values)
            self._floor, self._ceiling = self._inner(np.array([values.min() - width, values.max() + width])).tolist()

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Older versions had no powers, no ranks, no least answer and one unit.
        later = {"_ranks": None, "_power": (0.0, 1.0, 1.0), "_floor": -math.inf, "_unit": 1.0}
        self.__dict__.update(completed(state, later))

    def forward(self, y: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) transformed targets; under ``log``, targets below the shift count as the shift."""
        values = np.asarray(y, dtype=np.float64)
        return values if self.kind == "none" else (self._inner(values) - self.mean) / self.deviation

    def inverse(self, z: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) predictions in the units of the target; under ``log`` at most about ten times the largest seen."""
        values = np.asarray(z, dtype=np.float64)
        if self.kind == "none":
            return values
        inner = values * self.deviation + self.mean
        if self.kind == "standard":
            return inner
        inner = np.clip(inner, self._floor, self._ceiling)
        if self.kind == "log":
            return np.asarray(self._unit * np.expm1(inner) + self.shift)
        if self.kind == "power":
            centre, unit, power = self._power
            return inverse(inner, power) * unit + centre
        if self._ranks is None:
            return np.asarray(inner)
        return np.asarray(self._ranks.inverse_transform(inner.reshape(-1, 1))).reshape(inner.shape)

    def _inner(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.kind == "log":
            return np.asarray(np.log1p(np.maximum(values - self.shift, 0.0) / self._unit))
        if self.kind == "power":
            centre, unit, power = self._power
            return forward((values - centre) / unit, power)
        if self._ranks is None:
            return values
        return np.asarray(self._ranks.transform(values.reshape(-1, 1))).reshape(values.shape)


def _unit_of_logarithms(above: NDArray[np.float64], weight: NDArray[Any] | None) -> float:
    """The median of (n,) targets that are above 0, at most 1, and not so small that large ones would overflow."""
    counts = above > 0 if weight is None else (above > 0) & (weight > 0)
    if not counts.any():
        return 1.0
    share = np.ones(len(above)) if weight is None else weight
    middle = weighted.quantiles(above[counts][:, None], [0.5], share[counts])
    return min(1.0, max(float(middle.item()), LEAST_UNIT * float(above.max())))


def _mean_and_spread(values: NDArray[np.float64], weight: NDArray[Any] | None) -> tuple[float, float]:
    if weight is None:
        return float(values.mean()), float(values.std())
    mean, spread = weighted.mean_and_spread(values[:, None], weight)
    return float(mean[0]), float(spread[0])
