"""Smoothed mean targets of categories where rows have weights, which scikit-learn's ``TargetEncoder`` does not take.

Notation: n rows, q columns, w weights, W the sum of the weights in a category. As there, the mean of a category is
drawn towards that of all rows by an empirical Bayes share ``s2_all W / (s2_all W + s2_within)`` (Micci-Barreca 2001),
with weighted variances; whole weights give what repeated rows give.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class WeightedMeans:
    """Learns the means of each column; categories without weight get the mean of all rows."""

    def __init__(self) -> None:
        self._levels: list[NDArray[np.int64]] = []
        self._means: list[NDArray[np.float64]] = []
        self._all = 0.0

    def fit(self, codes: NDArray[Any], target: NDArray[np.float64], weight: NDArray[Any]) -> WeightedMeans:
        """Learn.

        Args:
            codes: (n, q) whole numbers. target: (n,). weight: (n,) non-negative, some positive.
        """
        w = np.asarray(weight, dtype=np.float64)
        self._all = float(np.average(target, weights=w))
        spread = float(np.average((target - self._all) ** 2, weights=w))
        self._levels, self._means = [], []
        for column in codes.T:
            levels, place = np.unique(column, return_inverse=True)
            mass = np.bincount(place, weights=w)
            safe = np.where(mass > 0, mass, 1.0)
            means = np.bincount(place, weights=w * target) / safe
            within = np.bincount(place, weights=w * (target - means[place]) ** 2) / safe
            bottom = spread * mass + within
            share = np.divide(spread * mass, bottom, out=np.zeros_like(mass), where=bottom > 0)
            self._levels.append(levels.astype(np.int64))
            self._means.append(share * means + (1.0 - share) * self._all)
        return self

    def transform(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        """(n, q) means; that of all rows for codes never seen."""
        out = np.full(codes.shape, self._all)
        for j, (levels, means) in enumerate(zip(self._levels, self._means, strict=True)):
            place = np.searchsorted(levels, codes[:, j]).clip(0, len(levels) - 1)
            known = levels[place] == codes[:, j]
            out[known, j] = means[place[known]]
        return out
