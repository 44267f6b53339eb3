"""ROC AUC and its row influences from ranks.

Notation: n rows, m positives, s scores of one class. AUC = P(s+ > s-) + P(s+ = s-) / 2 (Hanley and McNeil 1982).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def binary_auc(positive: Array, score: Array, weight: Array | None = None) -> float:
    """AUC of one score.

    Args:
        positive: (n,) bool. score: (n,) any numbers. weight: (n,) non-negative or None.

    Returns:
        0.5 if one of the classes has no weight.
    """
    order = np.argsort(score)
    s = score[order]
    up = positive[order].astype(np.float64)
    w = np.ones(len(s)) if weight is None else weight[order].astype(np.float64)
    starts = np.flatnonzero(np.concatenate(([True], s[1:] != s[:-1])))
    pos = np.add.reduceat(w * up, starts) if len(starts) < len(s) else w * up
    neg = np.add.reduceat(w * (1 - up), starts) if len(starts) < len(s) else w * (1 - up)
    below = np.cumsum(neg) - neg
    total = pos.sum() * neg.sum()
    return float((pos * (below + neg / 2)).sum() / total) if total > 0 else 0.5


def _classes(y: Array, proba: Array) -> list[int]:
    """Columns to score: the positive class for K = 2, else each class with rows in and out of it."""
    if proba.shape[1] == 2:
        return [1]
    sizes = np.bincount(y.astype(np.int64), minlength=proba.shape[1])
    return [int(k) for k in np.flatnonzero((sizes > 0) & (sizes < len(y)))]


def roc_auc_score(y: Array, proba: Array, n_classes: int, weight: Array | None) -> float:
    """AUC of the last class for K = 2, else the unweighted mean over classes, each against the rest.

    Args:
        y: (n,) codes. proba: (n, K). n_classes: K. weight: (n,) or None.
    """
    columns = _classes(y, proba)
    if not columns:
        return 0.5
    return float(np.mean([binary_auc(y == k, proba[:, k], weight) for k in columns]))


def placements(positive: Array, score: Array, weight: Array | None = None) -> Array:
    """(n,) DeLong's structural components (DeLong et al. 1988, eq. 4 and 5).

    For a positive row: the share of negatives below it; for a negative row: the share of positives above it; ties
    count half, and rows by their weights. Sorting does it in O(n log n) (Sun and Xu 2014).
    """
    out = np.empty(len(score))
    for side in (positive, ~positive):
        below = _share_below(score[~side], score[side], None if weight is None else weight[~side])
        out[side] = below if side is positive else 1 - below
    return out


def _share_below(others: Array, score: Array, weight: Array | None) -> Array:
    """(m,) share of the others below each of m scores, ties counting half; 0 if there are no others."""
    order = np.argsort(others)
    ordered = others[order]
    first, last = np.searchsorted(ordered, score, "left"), np.searchsorted(ordered, score, "right")
    if weight is None:
        return np.asarray((first + last) / (2 * max(1, len(others))))
    mass = np.concatenate(([0.0], np.cumsum(weight[order])))
    return np.asarray((mass[first] + mass[last]) / (2 * mass[-1] if mass[-1] > 0 else 1.0))


def auc_influence(y: Array, proba: Array, n_classes: int, weight: Array | None = None) -> Array:
    """(n,) influence of each row on ``roc_auc_score``; its variance is DeLong's (up to n / (n - 1))."""
    n = len(y)
    total = np.zeros(n)
    columns = _classes(y, proba)
    for k in columns:
        positive = y == k
        m = int(positive.sum())
        if m in (0, n):
            continue
        v = placements(positive, proba[:, k], weight)
        # The (m - 1) and (n - m - 1) of DeLong's covariance, so that small classes are not overconfident.
        if weight is None:
            auc = v[positive].mean()
            up = n / np.sqrt(m * max(m - 1, 1))
            down = n / np.sqrt((n - m) * max(n - m - 1, 1))
            total += np.where(positive, up, down) * (v - auc)
            continue
        auc = np.average(v[positive], weights=weight[positive])
        for side in (positive, ~positive):
            w = weight[side]
            rows = w.sum() ** 2 / np.square(w).sum()
            total[side] += n * w / w.sum() * np.sqrt(rows / max(rows - 1, 1)) * (v[side] - auc)
    return total / max(1, len(columns))
