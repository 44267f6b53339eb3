"""Confusion, ROC, precision-recall and calibration of one classifier. Notation: n rows, K classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.bounds import quantile_of_normal, quantile_of_t, wilson
from autodl.evaluate.grouped import group_numbers, share_bounds_of_groups
from autodl.evaluate.metrics.classification import confusion
from autodl.evaluate.ranks import binary_auc
from autodl.evaluate.weighted import share_bounds
from autodl.records import Curve, Interval

Array = NDArray[Any]
MAX_POINTS = 199
"""One more is the starting point of a precision-recall curve."""


def confusion_table(y: Array, answers: Array, n_classes: int) -> tuple[tuple[int, ...], ...]:
    """Counts with true classes as rows, predicted ones as columns.

    Args:
        y: (n,) true codes. answers: (n,) predicted codes. n_classes: K.
    """
    return tuple(tuple(int(v) for v in row) for row in confusion(y, answers, n_classes)[:n_classes])


def hardest_classes(y: Array, proba: Array, most: int = 5) -> list[int]:
    """The positive class for K = 2, else the classes with the lowest AUC against the rest, hardest first."""
    if proba.shape[1] == 2:
        return [1]
    sizes = np.bincount(y.astype(np.int64), minlength=proba.shape[1])
    usable = [int(k) for k in np.flatnonzero((sizes > 0) & (sizes < len(y)))]
    return sorted(usable, key=lambda k: binary_auc(y == k, proba[:, k]))[:most]


def _steps(positive: Array, score: Array) -> tuple[Array, Array, Array]:
    """True and false positives when all from each distinct score upwards is called positive, and the scores."""
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.concatenate((np.diff(score[order]) != 0, [True])))
    return np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last], score[order][last]


def _thin(x: Array, *others: Array) -> tuple[Array, ...]:
    """At most ``MAX_POINTS`` points, first and last kept."""
    if len(x) <= MAX_POINTS:
        return (x, *others)
    keep = np.linspace(0, len(x) - 1, MAX_POINTS).round().astype(int)
    return tuple(a[keep] for a in (x, *others))


def roc_curve(y: Array, proba: Array, k: int, label: str) -> Curve | None:
    """False positive rate (x) against true positive rate (y) for class k; None if it has no rows in or out of it."""
    positive = y == k
    if positive.all() or not positive.any():
        return None
    hits, alarms, from_on = _steps(positive, proba[:, k])
    fpr = np.concatenate(([0.0], alarms / alarms[-1]))
    tpr = np.concatenate(([0.0], hits / hits[-1]))
    at = np.concatenate(([1.0], from_on))
    # Points inside a straight stretch add nothing.
    corner = np.ones(len(fpr), dtype=bool)
    corner[1:-1] = (np.diff(fpr, 2) != 0) | (np.diff(tpr, 2) != 0)
    x, line, at = _thin(fpr[corner], tpr[corner], at[corner])
    return Curve(label=label, x=tuple(x.tolist()), y=tuple(line.tolist()), at=tuple(at.tolist()))


def pr_curve(y: Array, proba: Array, k: int, label: str) -> Curve | None:
    """Recall (x) against precision (y) for class k; None if it has no rows in or out of it."""
    positive = y == k
    if positive.all() or not positive.any():
        return None
    hits, alarms, _ = _steps(positive, proba[:, k])
    x, line = _thin(hits / hits[-1], hits / (hits + alarms))
    return Curve(label=label, x=(0.0, *x.tolist()), y=(float(line[0]), *line.tolist()))


def _claims(y: Array, proba: Array) -> tuple[Array, Array]:
    """Stated probabilities and what happened: of the positive class for K = 2, else of the most probable class."""
    if proba.shape[1] == 2:
        return proba[:, 1].astype(np.float64), (y == 1).astype(np.float64)
    top = proba.argmax(axis=1)
    return proba[np.arange(len(y)), top].astype(np.float64), (y == top).astype(np.float64)


def _bins(stated: Array, most: int) -> Array:
    """(n,) bin numbers 0.. of nearly equal counts, with equal values in one bin."""
    n_bins = int(np.clip(len(stated) // 20, 1, most))
    edges = np.unique(np.quantile(stated, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, stated, side="right"), return_inverse=True)[1]


def _masses(weight: Array | None, n: int) -> Array:
    """(n,) weights of mean 1."""
    return np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64) / np.mean(weight)


def calibration_curve(
    y: Array,
    proba: Array,
    label: str,
    n_bins: int = 10,
    level: float = 0.95,
    weight: Array | None = None,
    group: Array | None = None,
) -> Curve:
    """Mean stated probability (x) against the observed share (y), in bins of equal counts, with Wilson intervals.

    Where rows were drawn in groups, these are Wilson intervals of groups; a group that fills a bin counts as one row.
    """
    stated, happened = _claims(y, proba)
    place = _bins(stated, n_bins)
    counts, w = np.bincount(place), _masses(weight, len(y))
    mass = np.bincount(place, w)
    x, share = np.bincount(place, w * stated) / mass, np.bincount(place, w * happened) / mass
    bounds, several = [], group_numbers(group)
    for b, (p, c) in enumerate(zip(share, counts, strict=True)):
        rows = place == b
        own = w[rows] / w[rows].mean()
        block = None if several is None else group_numbers(several[rows])
        if several is not None and np.ptp(several[rows]) == 0:
            block = np.zeros(len(own), dtype=np.int64)
        if block is not None:
            bounds.append(share_bounds_of_groups(happened[rows], own, block, level))
        elif weight is None:
            bounds.append(wilson(float(p * c), int(c), level))
        else:
            bounds.append(share_bounds(happened[rows], own, level))
    return Curve(
        label=label, x=tuple(x.tolist()), y=tuple(share.tolist()), low=tuple(b[0] for b in bounds),
        high=tuple(b[1] for b in bounds), counts=tuple(int(c) for c in counts),
        mass=() if weight is None else tuple(mass.tolist()),
    )  # fmt: skip


def calibration_error(
    y: Array,
    proba: Array,
    *,
    seed: int,
    n_bins: int = 15,
    n_resamples: int = 2000,
    level: float = 0.95,
    weight: Array | None = None,
    group: Array | None = None,
) -> Interval:
    """Expected calibration error (mean gap of stated and observed shares), corrected for its upward bias.

    Even honest probabilities show gaps in a finite sample: e0 on average, which follows from the stated probabilities
    alone. Noise adds to gaps like the sides of a right angle, so an error e is reported as
    ``sqrt(max(0, e^2 - e0^2))``; the interval is the normal one of e, with a bootstrap standard error, put through
    the same correction. Where rows were drawn in groups, e0 is that of gaps which the rows of a group share.

    Args:
        y: (n,) codes. proba: (n, K). seed: Of the resampling.
        n_bins: Bins of equal counts, fewer below 20 rows a bin.
        n_resamples: Bootstrap samples.
        level: Nominal coverage.
        weight: (n,) how much each row counts; all alike if None.
        group: (n,) rows of the same number were drawn together; each for itself if None.
    """
    stated, happened = _claims(y, proba)
    place, w = _bins(stated, n_bins), _masses(weight, len(y))
    mass, squares = np.bincount(place, w), np.bincount(place, w * w)
    # As many rows of equal weight would tell as much (Kish 1965).
    counts = mass**2 / squares
    gap = happened - stated
    mean = np.bincount(place, w * gap) / mass
    part = mass / mass.sum()
    raw = float((part * np.abs(mean)).sum())
    # E|N(0, s)| = s sqrt(2 / pi), with s^2 the variance of a bin's gap if its probabilities are true.
    honest = np.sqrt(np.bincount(place, w * w * stated * (1 - stated)).clip(0)) / mass
    # One prior row a bin, half of it wrong, keeps the spread of pure bins from being 0.
    spread_of_rows = np.bincount(place, np.square(w * (gap - mean[place]))) / squares
    variance = (spread_of_rows * counts + 0.25) / (counts + 1) / counts
    noise, z = np.random.default_rng(seed).standard_normal((n_resamples, len(counts))), quantile_of_normal(level)
    if (block := group_numbers(group)) is None:
        noise *= np.sqrt(variance)
    else:
        covariance = _shared_noise(w * (gap - mean[place]), place, mass, block, variance)
        values, vectors = np.linalg.eigh(covariance)
        noise = (noise * np.sqrt(values.clip(0))) @ vectors.T
        honest, z = np.maximum(honest, np.sqrt(np.diag(covariance))), quantile_of_t(level, int(block.max()))
    expected = float((part * honest).sum() * np.sqrt(2 / np.pi))
    spread = float((part * np.abs(mean + noise)).sum(axis=1).std())
    half = z * spread
    low, value, high = (
        math.sqrt(max(0.0, e * abs(e) - expected**2)) for e in (raw - half, raw, min(1.0, raw + half))
    )
    return Interval(value=value, low=low, high=high, n=len(y), level=level, method="bias-corrected bootstrap")


def _shared_noise(rest: Array, place: Array, mass: Array, block: Array, variance: Array) -> Array:
    """(bins, bins) covariance of the bins' mean gaps from the sums over groups (Liang and Zeger 1986).

    Args:
        rest: (n,) gaps less the mean of their bin, times the weights. place: (n,) bins. mass: (bins,) their weights.
        block: (n,) numbers of the groups from 0 to G - 1.
        variance: (bins,) of rows that stand for themselves: the least, for a bin of one group shows no spread.
    """
    n_groups, n_bins = int(block.max()) + 1, len(mass)
    sums = np.bincount(block * n_bins + place, rest, n_groups * n_bins).reshape(n_groups, n_bins) / mass
    covariance = sums.T @ sums * n_groups / (n_groups - 1)
    own = np.diag(covariance)
    return np.asarray(covariance + np.diag(np.maximum(variance - own, 0.0)))
