"""Losses on a scale that a Gaussian process can model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Matrix = NDArray[np.float64]


def normal_scores(y: Matrix) -> Matrix:
    """Ranks as quantiles of the normal distribution: blind to scale, wide near the best; (n,)."""
    return np.asarray(ndtri((rankdata(y) - 0.5) / len(y)))


def clipped(y: Matrix) -> Matrix:
    """Standardised losses whose bad side is cut off as far from the median as the best is on the good side.

    So an outlier costs no resolution, and a smooth loss stays smooth where it matters.

    Args:
        y: (n,) losses; those that are not finite count as the worst finite one.
    """
    finite = np.isfinite(y)
    if not finite.any():
        return np.zeros_like(y)
    y = np.where(finite, y, y[finite].max())
    middle = float(np.median(y))
    y = np.minimum(y, middle + (middle - y.min()))
    sd = float(y.std())
    return (y - y.mean()) / sd if sd > 0 else np.zeros_like(y)


def blended(y: Matrix) -> Matrix:
    """The mean of clipped losses and ranks: tells apart good configurations that are close to each other; (n,)."""
    return 0.5 * (normal_scores(y) + clipped(y))


WARPS: tuple[Callable[[Matrix], Matrix], ...] = (clipped, blended)
"""Used in turn, ask by ask: the first is far better on smooth losses, the second on jagged ones with plateaus."""


def warp_of(asks: int) -> Callable[[Matrix], Matrix]:
    """The scale for the ask with this number."""
    return WARPS[asks % len(WARPS)]
