"""Losses on a scale that a Gaussian process can model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Matrix = NDArray[np.float64]


def normal_scores(y: Matrix) -> Matrix:
    """Ranks as quantiles of the normal distribution: blind to the scale of a loss, fine near the best; (n,)."""
    return np.asarray(ndtri((rankdata(y) - 0.5) / len(y)))


def standard(y: Matrix) -> Matrix:
    """Zero mean, unit variance; (n,)."""
    sd = float(y.std())
    return (y - y.mean()) / sd if sd > 0 else np.zeros_like(y)
