"""Smoothed mean targets of categories; rows may have weights.

Notation: n rows, q columns, L categories of a column, w weights, W the sum of the weights in a category. The mean of
a category keeps the share ``W t2 / (W t2 + s2)`` of its distance from the mean of all rows (Micci-Barreca 2001). Its
two variances are those of a model with random effects, by moments (Henderson 1953): ``s2`` within the categories,
``t2`` between them. Both are one number a column, not one a category as in scikit-learn's ``TargetEncoder``: a
category of one row, or of a few that agree, has no spread of its own and would keep its mean whole. They are those of
the ranks of the target, or a single enormous target would be all the variance within; two classes have the same
share by ranks. Whole weights give what repeated rows give.
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
        ranks = _ranks(target, w)
        self._levels, self._means = [], []
        for column in codes.T:
            levels, place = np.unique(column, return_inverse=True)
            mass = np.bincount(place, weights=w).astype(np.float64)
            safe = np.where(mass > 0, mass, 1.0)
            means = np.bincount(place, weights=w * target) / safe
            share = _share(place, mass, ranks, w)
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


def _ranks(target: NDArray[np.float64], w: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) shares of the weight below each target, and half of that of its equals; less their mean, a half."""
    _, place = np.unique(target, return_inverse=True)
    mass = np.bincount(place, weights=w)
    return np.asarray(((np.cumsum(mass) - 0.5 * mass) / mass.sum() - 0.5)[place])


def _share(
    place: NDArray[np.intp], mass: NDArray[np.float64], ranks: NDArray[np.float64], w: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(L,) how much of its distance from the mean of all rows each category keeps.

    Args:
        place: (n,) category of each row. mass: (L,) W. ranks: (n,) as of ``_ranks``. w: (n,).
    """
    away = np.bincount(place, weights=w * ranks) / np.where(mass > 0, mass, 1.0)
    spread = float(np.average(ranks**2, weights=w))
    total, others = mass.sum(), np.count_nonzero(mass) - 1
    s2 = spread * _share_within(w * (mass > 1)[place], ranks, ranks - away[place], int(np.sum(mass > 1)))
    scale = total - np.sum(mass**2) / total
    t2 = (np.sum(mass * away**2) - others * s2) / scale if scale > 0 else 0.0
    signal = mass * max(t2, LEAST_BETWEEN * spread)
    return np.divide(signal, signal + s2, out=np.zeros_like(mass), where=signal + s2 > 0)


def _share_within(
    w: NDArray[np.float64], ranks: NDArray[np.float64], left: NDArray[np.float64], n_categories: int
) -> float:
    """Share of the variance that lies within categories: 1 where the rows that could tell are alike anyway.

    Args:
        w: (n,) weights, 0 in categories of a single row. ranks: (n,). left: (n,) less the mean of their category.
        n_categories: Of those with more rows.
    """
    free = w.sum() - n_categories
    if free <= 0:
        return 1.0
    around = float(np.average((ranks - np.average(ranks, weights=w)) ** 2, weights=w))
    return min(1.0, float(np.sum(w * left**2)) / free / around) if around > 0 else 1.0
