"""The power transform of Yeo & Johnson (2000), which makes skewed numbers of any sign more symmetric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 5_000
"""Values from which an exponent is learnt at most."""
FURTHEST = 4.0
"""Exponents beyond -2 and 4 (1 is the identity) would only follow single values."""


def exponent(values: NDArray[Any], seed: int = 0, weight: NDArray[Any] | None = None) -> float:
    """The exponent of the greatest likelihood; 1, the identity, for fewer than three distinct values.

    Args:
        values: (n,) numbers of about unit size, NaN where missing.
        seed: For the values sampled.
        weight: (n,) how much each value counts; all alike if None.
    """
    from scipy import stats

    present = np.asarray(values, dtype=np.float64)
    known = np.isfinite(present)
    w = None if weight is None else np.asarray(weight, dtype=np.float64)[known]
    present = present[known]
    if len(np.unique(present[: 10 * ROWS])) < 3:
        return 1.0
    if len(present) > ROWS:
        rows = np.random.default_rng(seed).choice(len(present), ROWS, replace=False)
        present, w = present[rows], None if w is None else w[rows]
    with np.errstate(all="ignore"):
        if w is None:
            found = float(stats.yeojohnson_normmax(present, brack=(-1.0, 2.0)))
        else:
            found = _weighted_exponent(present, w)
    return float(np.clip(found, -FURTHEST / 2, FURTHEST)) if np.isfinite(found) else 1.0


def _weighted_exponent(x: NDArray[np.float64], w: NDArray[np.float64]) -> float:
    """The exponent of the greatest weighted likelihood; scipy's has no weights.

    With z the transformed values the log-likelihood is ``-log(var(z)) / 2 + (p - 1) mean(sign(x) log(1 + |x|))``.
    """
    from scipy.optimize import minimize_scalar

    bend = float(np.average(np.sign(x) * np.log1p(np.abs(x)), weights=w))

    def loss(power: float) -> float:
        z = forward(x, power)
        spread = float(np.average((z - np.average(z, weights=w)) ** 2, weights=w))
        return 0.5 * float(np.log(spread)) - (power - 1.0) * bend if spread > 0 else np.inf

    return float(minimize_scalar(loss, bounds=(-FURTHEST / 2, FURTHEST), method="bounded").x)


def forward(values: NDArray[Any], power: float) -> NDArray[np.float64]:
    """((x + 1)^p - 1) / p for x >= 0, -((1 - x)^(2 - p) - 1) / (2 - p) below, and their limits; NaN stays."""
    x = np.asarray(values, dtype=np.float64)
    up, down = np.log1p(np.maximum(x, 0.0)), np.log1p(np.maximum(-x, 0.0))
    above = up if abs(power) < 1e-12 else np.expm1(power * up) / power
    rest = 2.0 - power
    below = down if abs(rest) < 1e-12 else np.expm1(rest * down) / rest
    return np.asarray(np.where(x >= 0, above, -below) + 0.0 * x)


def inverse(values: NDArray[Any], power: float) -> NDArray[np.float64]:
    """What ``forward`` maps to the values; infinite beyond its image."""
    z = np.asarray(values, dtype=np.float64)
    high, low = np.maximum(z, 0.0), np.maximum(-z, 0.0)
    rest = 2.0 - power
    with np.errstate(divide="ignore", invalid="ignore"):
        above = high if abs(power) < 1e-12 else np.log1p(np.maximum(power * high, -1.0)) / power
        below = low if abs(rest) < 1e-12 else np.log1p(np.maximum(rest * low, -1.0)) / rest
    return np.asarray(np.where(z >= 0, np.expm1(above), -np.expm1(below)))
