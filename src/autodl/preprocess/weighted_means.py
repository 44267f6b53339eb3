"""Smoothed mean targets of categories; rows may have weights.

Notation: n rows, q columns, L categories of a column, w weights, W the sum of the weights in a category. The mean of
a category keeps the share ``W t2 / (W t2 + s2)`` of its distance from the mean of all rows (Micci-Barreca 2001). Its
two variances are those of a model with random effects, by moments (Henderson 1953): ``s2`` within the categories,
``t2`` between them. Both are one number a column, not one a category as in scikit-learn's ``TargetEncoder``: a
category of one row, or of a few that agree, has no spread of its own and would keep its mean whole. They are those of
the ranks of the target, or a single enormous target would be all the variance within; two classes have the same
share by ranks.

Whole weights give what repeated rows give. Of others only how they compare counts: rows of unequal weight are worth
fewer rows of equal weight, ``W**2 / sum(w**2)`` in a category (Kish 1965). With ``o = sum(w**2) / W``, which is 1 for
counts, the share is ``W t2 / (W t2 + o s2)``, and the moments are those of means weighted in any way (DerSimonian and
Kacker 2007): the squares about the means of categories sum up to ``s2 sum(W - o)``, and those of the means about the
mean of all rows to ``t2 (sum(W) - sum(W**2) / sum(W)) + s2 (sum(o) - sum(w**2) / sum(W))``, each weighted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_BETWEEN = 1e-3
"""Share of the variance of all rows that categories differ by at least, so that large ones always keep their mean."""
ROUNDING = 1e-9
"""A category tells of the variance within by more than this share of its weight: what is less is rounding."""


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
            weight: (n,) non-negative, some positive. Whole ones count how often a row is repeated.
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
    safe = np.where(mass > 0, mass, 1.0)
    away = np.bincount(place, weights=w * ranks) / safe
    spread, total = float(np.average(ranks**2, weights=w)), mass.sum()
    counts = bool(np.all(w == np.rint(w)))
    own: NDArray[np.float64] = np.where(mass > 0, 1.0, 0.0) if counts else np.bincount(place, weights=w**2) / safe
    free = np.where(mass - own > ROUNDING * mass, mass - own, 0.0)
    s2 = spread * _share_within(w * (free > 0)[place], ranks, ranks - away[place], float(free.sum()))
    scale = total - np.sum(mass**2) / total
    others = own.sum() - (1.0 if counts else np.sum(w**2) / total)
    t2 = (np.sum(mass * away**2) - others * s2) / scale if scale > 0 else 0.0
    signal: NDArray[np.float64] = mass / np.where(own > 0, own, 1.0) * max(t2, LEAST_BETWEEN * spread)
    return np.divide(signal, signal + s2, out=np.zeros_like(mass), where=signal + s2 > 0)


def _share_within(
    w: NDArray[np.float64], ranks: NDArray[np.float64], left: NDArray[np.float64], free: float
) -> float:
    """Share of the variance that lies within categories: 1 where the rows that could tell are alike anyway.

    Args:
        w: (n,) weights, 0 in categories of a single row. ranks: (n,). left: (n,) less the mean of their category.
        free: Sum of ``W - o`` over those with more rows.
    """
    if free <= 0:
        return 1.0
    around = float(np.average((ranks - np.average(ranks, weights=w)) ** 2, weights=w))
    return min(1.0, float(np.sum(w * left**2)) / free / around) if around > 0 else 1.0
