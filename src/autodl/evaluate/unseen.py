"""Room in an interval for rows that a sample of this size may well have missed: those beyond an extreme quantile.

The pinball loss of the 1 % quantile is made by one row in a hundred. Where few test rows lie beyond it, their losses
tell neither how many there are nor how far out, and no resampling of them does: of 50 rows from a normal distribution
95 % bootstrap-t intervals cover in 66 % of the cases, of 200 in 75 %. So the upper end is that of the rows and one
more for each such quantile, as Agresti and Coull (1998) add successes and failures to a share.

Notation: n rows, Q levels tau, q (n, Q) predicted quantiles.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.influence import standard_error

Array = NDArray[Any]
FEW = 10
"""With so many rows beyond a quantile, they speak for themselves."""


def unseen_losses(metric: Metric, y: Array, q: Array) -> Array:
    """(m,) losses of further rows, one for each level with few rows beyond it; empty for other metrics.

    Each lies as far beyond the quantile as rows usually lie from it. (Rows beyond the 1 % quantile of a normal
    distribution lie 0.15 times as far on average, of a t(3) one 0.5 times.)
    """
    losses = []
    columns = np.asarray(q, dtype=np.float64).reshape(len(y), -1).T if metric.levels else ()
    for tau, column in zip(metric.levels, columns, strict=True):
        error = np.asarray(y, dtype=np.float64) - column
        beyond = np.count_nonzero(error < 0 if tau < 0.5 else error > 0)
        if tau != 0.5 and beyond < FEW:
            losses.append(max(tau, 1 - tau) * float(np.median(np.abs(error))) / len(metric.levels))
    return np.array(losses)


def upper_bound(rows: Array, unseen: Array, z: float, w: Array | None = None) -> float:
    """The upper end for the mean loss of the rows and the unseen ones, by the normal limit of its logarithm.

    Args:
        rows: (n,) non-negative losses. unseen: (m,) of the further rows.
        z: Quantile of the normal distribution.
        w: (n,) weights of mean 1, which a further row gets too; all alike if None.
    """
    loss = np.concatenate([rows, unseen])
    weight = np.ones(len(loss)) if w is None else np.concatenate([w, np.ones(len(unseen))])
    mean = float(np.average(loss, weights=weight))
    if mean <= 0:
        return 0.0
    return mean * math.exp(z * standard_error(weight / weight.mean() * (loss - mean) / mean))
