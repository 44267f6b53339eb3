"""Losses on a scale that a Gaussian process can model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Matrix = NDArray[np.float64]


def normal_scores(y: Matrix) -> Matrix:
    """Ranks as quantiles of the normal distribution: blind to scale, wide near the best; (n,)."""
    return np.asarray(ndtri((rankdata(y) - 0.5) / len(y)))


def clipped(y: Matrix) -> Matrix:
    """Standardised losses whose bad side is cut off as far from the median as the best is on the good side; (n,)."""
    finite = np.isfinite(y)
    if not finite.any():
        return np.zeros_like(y)
    y = np.where(finite, y, y[finite].max())
    middle = float(np.median(y))
    y = np.minimum(y, middle + (middle - y.min()))
    sd = float(y.std())
    return (y - y.mean()) / sd if sd > 0 else np.zeros_like(y)


def warped(y: Matrix) -> Matrix:
    """The mean of both: ranks alone make much of nothing on a plateau, values alone are lost to outliers; (n,).

    Args:
        y: Losses; infinite ones count as the worst finite one.
    """
    return 0.5 * (normal_scores(y) + clipped(y))
