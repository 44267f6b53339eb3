"""Conformal calibration of quantiles: one shift a level, from out-of-fold predictions.

Conformalized quantile regression with a tail each (Romano, Patterson and Candes 2019, theorem 2) on cross-validated
residuals (Barber et al. 2021, "Predictive inference with the jackknife+"). With exchangeable rows and one model, a
new target lies below the shifted quantile of level tau >= 1/2 with probability tau at least, and below one of level
tau < 1/2 with probability tau at most, whatever the distribution: an interval between two levels then holds at least
its share. The models of the folds are not quite the delivered one, so the test rows measure what it really holds.

Notation: n rows, Q levels tau, q (n, Q) predictions, r = y - q residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.ensemble.known_rows import copies
from autodl.quantiles import MIDDLE, in_order
from autodl.records import Calibration

Array = NDArray[Any]


def fit_shifts(
    q: Array, y: Array, levels: Sequence[float], weight: Array | None = None, block: Array | None = None
) -> Calibration:
    """Learn the shifts; rows without predictions are left out.

    Args:
        q: (n, Q) out-of-fold quantiles. y: (n,) targets. levels: Q levels.
        weight: (n,) weights of the rows; all alike if None.
        block: (n,) rows of the same number may be one row of several splits, see ``copies``: they count as one here.
    """
    known = np.isfinite(q).all(axis=1)
    if weight is not None:
        known &= np.asarray(weight) > 0
    target = np.asarray(y, dtype=np.float64)[known]
    residual = target[:, None] - np.asarray(q, dtype=np.float64)[known]
    mass = np.ones(len(target)) if weight is None else np.asarray(weight, dtype=np.float64)[known]
    rows = len(target) / copies(target, None if block is None else np.asarray(block)[known])
    shifts = tuple(_shift(residual[:, j], mass, rows, level) for j, level in enumerate(levels))
    return Calibration(kind="quantiles", coefficients=shifts, minimum=0.0 if target.min() >= 0 else None)


def shifted(calibration: Calibration, q: Array) -> Array:
    """(n, Q) quantiles after the shifts, in ascending order."""
    moved = in_order(np.asarray(q, dtype=np.float64) + np.asarray(calibration.coefficients))
    return moved if calibration.minimum is None else np.maximum(moved, calibration.minimum)


def _shift(residual: Array, mass: Array, rows: float, level: float) -> float:
    """The residual of rank ceil((n + 1) tau) above the middle, floor((n + 1) tau) below it, the median in it.

    Ranks beyond the rows are the outermost rows: with so few no finite shift has the guarantee.
    """
    if level < MIDDLE:
        return -_shift(-residual, mass, rows, 1 - level)
    order = np.argsort(residual, kind="stable")
    below = np.cumsum(mass[order])
    one = below[-1] / rows
    wanted = level * (below[-1] + one)
    ranked = residual[order]
    tiny = 1e-9 * below[-1]
    last = len(ranked) - 1
    if level == MIDDLE:
        low = int(np.searchsorted(below, below[-1] / 2 - tiny))
        high = int(np.searchsorted(below, below[-1] / 2 + tiny))
        return float((ranked[min(low, last)] + ranked[min(high, last)]) / 2)
    return float(ranked[min(last, int(np.searchsorted(below, wanted - tiny)))])
