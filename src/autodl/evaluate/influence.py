"""How much each row moves a score: the common ground of standard errors, intervals and paired tests.

Notation: n rows, phi (n,) the empirical influence function; a score's standard error is ``sqrt(sum phi^2) / n``
(Efron and Tibshirani 1993, ch. 22). The influence of a difference of two scores on the same rows is the difference of
their influences, which is what makes paired tests sharp: DeLong's test for the AUC, the paired t test for means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric

Array = NDArray[Any]
MAX_CELLS = 2_000_000
"""Cells of confusion matrices held at once: few, so that they stay near the caches."""


def influence(
    metric: Metric, y: Array, prediction: Array, n_classes: int, weight: Array | None = None
) -> Array | None:
    """(n,) influence of each row on the score; None for scores that are not smooth.

    Args:
        metric: Any metric.
        y: (n,) targets. prediction: (n, K) or (n,). n_classes: K; 0 for regression.
        weight: (n,) how much each row counts; all alike if None.
    """
    w = None if weight is None else np.asarray(weight, dtype=np.float64) / np.mean(weight)
    if metric.rows is not None:
        rows = metric.rows(y, metric.prepare(prediction), n_classes)
        mean = np.average(rows, weights=w)
        centred = rows - mean if w is None else w * (rows - mean)
        if not metric.root:
            return np.asarray(centred)
        score = float(np.sqrt(mean))
        return centred / (2 * score) if score > 0 else np.zeros(len(y))
    if metric.counts is not None:
        return _counts_influence(metric, y, metric.prepare(prediction), n_classes, w)
    if metric.influence is not None:
        return metric.influence(y, prediction, n_classes, w)
    return None


def _counts_influence(metric: Metric, y: Array, label: Array, n_classes: int, w: Array | None) -> Array:
    """Derivative of the score by the share of each occupied cell of the confusion matrix (central differences)."""
    assert metric.counts is not None
    k = max(n_classes, 2)
    cell = y.astype(np.int64) * k + label.astype(np.int64)
    cells, place = np.unique(cell, return_inverse=True)
    count = np.bincount(place, weights=w)
    share = np.zeros(k * k)
    share[cells] = count / len(y)
    delta = np.minimum(1e-6, share[cells] / 2)
    slope, chunk = np.empty(len(cells)), max(1, MAX_CELLS // (2 * k * k))
    for start in range(0, len(cells), chunk):
        part = slice(start, start + chunk)
        moved = np.tile(share, (2, len(cells[part]), 1))
        index = np.arange(len(cells[part]))
        moved[0, index, cells[part]] += delta[part]
        moved[1, index, cells[part]] -= delta[part]
        value = metric.counts(moved.reshape(2, len(index), k, k))
        slope[part] = (value[0] - value[1]) / (2 * delta[part])
    slope = slope - float((slope * share[cells]).sum())
    return np.asarray(slope[place] if w is None else w * slope[place])


def standard_error(phi: Array, block: Array | None = None) -> float:
    """``sqrt(sum phi^2) / n``, with n - 1 for one of the n as for the standard error of a mean.

    Args:
        phi: (n,) influences.
        block: (n,) rows of the same number, such as a group, were drawn together: the sums over blocks take the place
            of rows (Liang and Zeger 1986). Each row stands for itself if None, or if all are one block.
    """
    n = len(phi)
    if block is not None:
        _, place = np.unique(block, return_inverse=True)
        sums = np.bincount(place, weights=phi)
        if (b := len(sums)) > 1:
            return float(np.sqrt(np.square(sums).sum() * b / (b - 1)) / n)
    return float(np.sqrt(np.square(phi).sum() / (n * max(1, n - 1))))
