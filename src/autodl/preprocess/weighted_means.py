"""Smoothed mean targets of categories; rows may have weights.

Notation: n rows, q columns, L categories of a column, w weights, W the sum of the weights in a category. The mean of
a category keeps the share ``W t2 / (W t2 + s2)`` of its distance from the mean of all rows (Micci-Barreca 2001). Its
two variances are those of a model with random effects, by moments (Henderson 1953): ``s2`` within the categories,
``t2`` between them. Both are one number a column, not one a category as in scikit-learn's ``TargetEncoder``: a
category of one row, or of a few that agree, has no spread of its own and would keep its mean whole. Whole weights
give what repeated rows give.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_BETWEEN = 1e-3
"""Share of the variance of all rows that categories differ by at least, so that large ones always keep their mean."""


class WeightedMeans:
    """Learns the means of each column; categories without weight get the mean of all rows."""

    def __init__(self) -> None:
        self._levels: list[NDArray[np.int64]] = []
        self._means: list[NDArray[np.float64]] = []
        self._all = 0.0

    def fit(self, codes: NDArray[Any], target: NDArray[np.float64], weight: NDArray[Any]) -> WeightedMeans:
        """Learn.

        Args:
            codes: (n, q) whole numbers. target: (n,).
            weight: (n,) non-negative, some positive. Their sum in a category stands for its number of rows, so
                weights that are no counts must have the mean 1.
        """
        w = np.asarray(weight, dtype=np.float64)
        self._all = float(np.average(target, weights=w))
        spread = float(np.average((target - self._all) ** 2, weights=w))
        self._levels, self._means = [], []
        for column in codes.T:
            levels, place = np.unique(column, return_inverse=True)
            mass = np.bincount(place, weights=w).astype(np.float64)
            safe = np.where(mass > 0, mass, 1.0)
            means = np.bincount(place, weights=w * target) / safe
            within = float(np.sum(w * (target - means[place]) ** 2))
            share = _share(mass, means - self._all, within, spread)
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


def _share(mass: NDArray[np.float64], away: NDArray[np.float64], within: float, spread: float) -> NDArray[np.float64]:
    """(L,) how much of its distance from the mean of all rows each category keeps.

    Args:
        mass: (L,) W. away: (L,) distances of the means. within: Weighted sum of squares about the means of the
            categories. spread: Variance of all rows.
    """
    total, others = mass.sum(), np.count_nonzero(mass) - 1
    free = total - others - 1
    s2 = min(spread, within / free) if free > 0 else spread
    scale = total - np.sum(mass**2) / total
    t2 = (np.sum(mass * away**2) - others * s2) / scale if scale > 0 else 0.0
    signal = mass * max(t2, LEAST_BETWEEN * spread)
    return np.divide(signal, signal + s2, out=np.zeros_like(mass), where=signal + s2 > 0)
