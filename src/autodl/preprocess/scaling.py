"""Scaling of numeric columns. Notation: n rows, p columns; NaN passes through everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autodl.preprocess import weighted_statistics as weighted
from autodl.preprocess.normal_ranks import normal_ranks
from autodl.preprocess.older import completed
from autodl.preprocess.yeo_johnson import exponent, forward

if TYPE_CHECKING:
    from numpy.typing import NDArray

ScaleKind = Literal["none", "standard", "robust", "quantile", "power"]


def column_quantiles(
    x: NDArray[np.float64], levels: tuple[float, ...], weight: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """(len(levels), p) quantiles of each column without its NaN; NaN for a column without values.

    Args:
        x: (n, p). levels: From 0 to 1. weight: (n,) how much each row counts; all alike if None.
    """
    import pandas as pd

    if weight is not None:
        return weighted.quantiles(x, levels, weight)

    if x.shape[1] == 0 or len(x) == 0:
        return np.full((len(levels), x.shape[1]), np.nan)
    return np.asarray(pd.DataFrame(x).quantile(list(levels)).to_numpy(dtype=np.float64))


def smooth_clip(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """x / sqrt(1 + (x/3)^2), which keeps small values and bends large ones to (-3, 3).

    Source: Holzmueller et al. 2024, "Better by default", section 3 (arXiv:2407.04491).
    """
    return np.asarray(x / np.hypot(1.0, x / 3.0))


class NumericScaler:
    """Centres and scales each column; a column with one value becomes 0.

    Args:
        kind: ``none``; ``standard`` (mean 0, deviation 1); ``robust`` (median 0, interquartile range 1, then
            ``smooth_clip``); ``quantile`` (ranks mapped to a normal distribution); ``power`` (made symmetric by a
            power that is learnt, Yeo & Johnson 2000, then like ``robust``).
        seed: For the row sample from which quantiles and powers are learnt.
    """

    def __init__(self, kind: ScaleKind, seed: int = 0) -> None:
        self.kind, self.seed = kind, seed
        self._center: NDArray[np.float64] = np.empty(0)
        self._factor: NDArray[np.float64] = np.empty(0)
        self._ranks: Any = None
        self._powers: NDArray[np.float64] = np.empty(0)
        self._spread: NumericScaler | None = None

    @property
    def factor(self) -> NDArray[np.float64]:
        """(p,) what centred values are multiplied by; 0 for a column with one value."""
        return self._factor

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(completed(state, {"_powers": np.empty(0), "_spread": None}))

    def fit(self, x: NDArray[np.float64], weight: NDArray[Any] | None = None) -> NumericScaler:
        """Learn from (n, p) values of rows with (n,) weights; all count alike if None."""
        if self.kind == "none" or x.shape[1] == 0:
            return self
        if self.kind == "power":
            x = self._fit_power(x, weight)
        low, q1, median, q3, high = np.nan_to_num(column_quantiles(x, (0.0, 0.25, 0.5, 0.75, 1.0), weight))
        varies = high > low
        if self.kind == "standard" and weight is not None:
            self._center, width = weighted.mean_and_spread(x, weight)
        elif self.kind == "standard":
            present = np.maximum(1, np.sum(~np.isnan(x), axis=0))
            self._center = np.nansum(x, axis=0) / present
            width = np.sqrt(np.nansum((x - self._center) ** 2, axis=0) / present)
        else:
            self._center = median
            # A column with equal quartiles still has a range: RealMLP divides by half of it.
            width = np.where(q3 > q1, q3 - q1, (high - low) / 2.0)
        self._factor = np.divide(1.0, width, out=np.zeros_like(width), where=varies & (width > 0))
        if self.kind == "quantile":
            self._ranks = normal_ranks(x, self.seed, weight)
        return self

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, p) scaled values."""
        if self.kind == "none" or x.shape[1] == 0:
            return x
        if self._ranks is not None:
            return np.where(self._factor > 0, self._ranks.transform(x), np.where(np.isnan(x), x, 0.0))
        if self.kind == "power":
            x = self._bend(x)
        scaled = (x - self._center) * self._factor
        return smooth_clip(scaled) if self.kind in ("robust", "power") else np.asarray(scaled)

    def _fit_power(self, x: NDArray[np.float64], weight: NDArray[Any] | None) -> NDArray[np.float64]:
        """Learn the exponents; (n, p) values made symmetric."""
        self._spread = NumericScaler("standard").fit(x, weight)
        unit = self._spread.transform(x)
        self._powers = np.array([exponent(column, self.seed, weight) for column in unit.T])
        return self._bend(x)

    def _bend(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        assert self._spread is not None
        unit = np.clip(self._spread.transform(x), -1e6, 1e6)
        return np.column_stack([forward(column, power) for column, power in zip(unit.T, self._powers, strict=True)])
