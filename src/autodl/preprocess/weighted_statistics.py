"""Means, spreads and quantiles of columns whose rows have weights; a whole weight is the row repeated so often.

Only how weights compare counts: all of them times a number give the same.

Notation: n rows, p columns, w weights, NaN where missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
SAME = 1e-12
"""Shares of the weight closer than this are equal: sums of scaled weights are not exact."""


def quantiles(x: Array, levels: Sequence[float], w: Array) -> NDArray[np.float64]:
    """(Q, p) quantiles of (n, p) columns with (n,) weights; NaN for a column without values.

    The value at which the share of the weight up to it passes the level; halfway to the next one where the share is
    the level itself (Hyndman and Fan 1996, definition 2, which gives the usual median).
    """
    out = np.full((len(levels), x.shape[1]), np.nan)
    level = np.asarray(levels, dtype=np.float64)
    for j, column in enumerate(np.asarray(x, dtype=np.float64).T):
        present = np.flatnonzero(~np.isnan(column) & (w > 0))
        if len(present) == 0:
            continue
        order = present[np.argsort(column[present], kind="stable")]
        share = np.cumsum(w[order])
        share /= share[-1]
        last = len(order) - 1
        low = np.searchsorted(share, level - SAME, side="left").clip(0, last)
        high = np.searchsorted(share, level + SAME, side="right").clip(0, last)
        out[:, j] = (column[order[low]] + column[order[high]]) / 2
    return out


def mean_and_spread(x: Array, w: Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(p,) means and (p,) standard deviations of (n, p) columns; 0 for a column without values."""
    present = ~np.isnan(x)
    mass = (present * w[:, None]).sum(axis=0)
    mass = np.where(mass > 0, mass, 1.0)
    mean = (np.where(present, x, 0.0) * w[:, None]).sum(axis=0) / mass
    square = (np.where(present, x - mean, 0.0) ** 2 * w[:, None]).sum(axis=0) / mass
    return mean, np.sqrt(square)


def most_frequent(x: Array, w: Array) -> NDArray[np.float64]:
    """(p,) values with the most weight, the smallest of those that tie; NaN for a column without values."""
    out = np.full(x.shape[1], np.nan)
    for j, column in enumerate(np.asarray(x, dtype=np.float64).T):
        present = ~np.isnan(column)
        if present.any():
            values, place = np.unique(column[present], return_inverse=True)
            mass = np.bincount(place, weights=w[present])
            out[j] = values[np.flatnonzero(mass >= mass.max() * (1 - SAME))[0]]
    return out
