"""Winsorizing: extreme values are moved to a fence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Winsorizer:
    """Clips each column at ``factor`` interquartile ranges outside its quartiles (Tukey 1977, "far out").

    A column whose quartiles coincide is left as it is: its fence would flatten it to a constant.
    """

    def __init__(self, factor: float = 3.0) -> None:
        self.factor = factor
        self._low: NDArray[np.float64] = np.empty(0)
        self._high: NDArray[np.float64] = np.empty(0)

    def fit(self, x: NDArray[np.float64], weight: NDArray[Any] | None = None) -> Winsorizer:
        """Learn the fences from (n, p) values with NaN where missing; (n,) weights, all alike if None."""
        from autodl.preprocess.scaling import column_quantiles

        q1, q3 = column_quantiles(x, (0.25, 0.75), weight)
        reach = self.factor * (q3 - q1)
        fenced = reach > 0
        self._low = np.where(fenced, q1 - reach, -np.inf)
        self._high = np.where(fenced, q3 + reach, np.inf)
        return self

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, p) clipped values; NaN stays."""
        return np.clip(x, self._low, self._high)
