"""From which probability on the answer is "yes": the cut for metrics that count decisions.

Where classes are rare or errors weigh unequally, 0.5 is seldom the best cut for F1, balanced accuracy or MCC (Lipton,
Elkan and Narayanaswamy 2014). A cut chosen on few rows, though, chases noise. Guards: loss curves are smoothed over
neighbouring cuts; the cut is the median of those chosen on random halves; it replaces 0.5 only if such cuts beat 0.5
on the other halves by more than one standard error.

Notation: n rows, p (n,) probabilities of code 1, m cuts, C (m, 2, 2) confusion matrices with true classes as rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.decision import HALF, decided
from autodl.ensemble.halves import random_half
from autodl.ensemble.known_rows import KnownRows, copies, rows_with_others
from autodl.evaluate.base import Metric
from autodl.evaluate.influence import influence, standard_error

Array = NDArray[Any]
MAX_CUTS = 100
"""Candidate cuts from the quantiles of all rows, and as many from those of the positives."""
MIN_CLASS = 20
"""With fewer rows of either class halves of them could not tell a better cut from 0.5."""
N_SPLITS = 10
MAX_ROWS = 30_000
"""Rows are sampled above it, as far as the sample holds enough of the rarer class: a cut is one number."""


def choose_threshold(p: Array, rows: KnownRows) -> float:
    """The cut on the probability of code 1 for a metric of decisions between two classes.

    Args:
        p: (n,) out-of-fold probabilities of code 1; rows that are not finite are left out.
        rows: The n rows, with codes 0 and 1 as targets.

    Returns:
        0.5 unless a better cut has shown itself on rows not used to choose it. Always 0.5 for metrics of
        probabilities, and for precision, recall and other scores that forgive one kind of error: their best cut
        gives one answer to almost everybody.
    """
    if rows.metric.needs != "label" or one_sided(rows.metric, 2):
        return HALF
    rng = np.random.default_rng(rows.seed)
    known = np.flatnonzero(np.isfinite(p))
    y = np.asarray(rows.y)[known].astype(np.int64)
    if too_few(p, rows):
        return HALF
    if len(known) > (most := max(MAX_ROWS, rows_with_others(y))):
        known = np.sort(rng.choice(known, size=most, replace=False))
    p = np.asarray(p, dtype=np.float64)[known]
    order = np.argsort(p)
    p, rows = p[order], rows.only(known[order]).coded()
    y = rows.y
    cuts = candidate_cuts(p, y)
    chosen, gains = [], []
    for _ in range(N_SPLITS):
        if rows.deadline.passed():
            break
        side = random_half(y, rng, rows.block)
        if min(np.bincount(y[part], minlength=2).min() for part in (side, ~side)) == 0:
            continue  # blocks of one class each: a half without the other class tells no cut
        for fit, check in ((side, ~side), (~side, side)):
            cut = float(cuts[np.argmin(smoothed_losses(p[fit], rows.only(fit), cuts))])
            kept, moved = _losses(p[check], rows.only(check), np.array([HALF, cut]))
            chosen.append(cut)
            gains.append(float(kept - moved))
    if not chosen:
        return HALF
    threshold = float(f"{np.median(chosen):.4g}")
    kept, moved = _losses(p, rows, np.array([HALF, threshold]))
    if not 0.0 < threshold < 1.0 or not moved < kept:
        return HALF
    spread = _spread(p, rows, threshold)
    return threshold if np.mean(gains) > (np.std(gains) if spread is None else spread) else HALF


def too_few(p: Array, rows: KnownRows) -> bool:
    """Whether the rows with finite (n,) probabilities hold too few of either class to prove a cut."""
    known = np.isfinite(p)
    y = np.asarray(rows.y)[known].astype(np.int64)
    block = None if rows.block is None else rows.block[known]
    return bool(np.bincount(y, minlength=2)[:2].min() < MIN_CLASS * copies(y, block))


def one_sided(metric: Metric, n_classes: int) -> bool:
    """Whether more false alarms, or more missed rows, leave the score as it is: never with more than two classes.

    There every alarm of one class is a missed row of another.
    """
    same = _score(metric, 20, 10, 10, 60) == _score(metric, 20, 10, 20, 60)
    return n_classes == 2 and (same or forgives_missed(metric))


def forgives_missed(metric: Metric) -> bool:
    """Whether more missed rows of the second of two classes leave the score as it is."""
    return _score(metric, 20, 10, 10, 60) == _score(metric, 20, 20, 10, 60)


def _score(metric: Metric, hits: int, missed: int, alarms: int, passed: int) -> float:
    y = np.repeat([1, 1, 0, 0], (hits, missed, alarms, passed))
    return metric.score(y, np.eye(2)[np.repeat([1, 0, 1, 0], (hits, missed, alarms, passed))], 2)


def candidate_cuts(p: Array, y: Array) -> Array:
    """(m,) ascending cuts halfway between neighbouring probabilities, at quantiles of all rows and of the positives.

    Args:
        p: (n,) probabilities. y: (n,) codes.
    """
    values = np.unique(p)
    between = (values[1:] + values[:-1]) / 2
    if len(between) > MAX_CUTS:
        levels = np.linspace(0, 1, MAX_CUTS + 2)[1:-1]
        wanted = np.concatenate([np.quantile(p, levels), np.quantile(p[y == 1], levels)])
        between = between[np.unique(np.searchsorted(between, wanted).clip(0, len(between) - 1))]
    return np.unique(np.append(between, HALF))


def smoothed_losses(p: Array, rows: KnownRows, cuts: Array) -> Array:
    """(m,) losses of the cuts, each the mean over its neighbours; see ``_losses`` for the arguments."""
    return _smooth(_losses(p, rows, cuts))


def _losses(p: Array, rows: KnownRows, cuts: Array) -> Array:
    """(m,) losses of answering code 1 from each cut on; at 0.5 a tie goes to code 0, as ``decide`` has it.

    Args:
        p: (n,) ascending probabilities. rows: The n rows, with codes as targets. cuts: (m,).
    """
    y, metric, w = rows.y, rows.metric, rows.weight
    if metric.counts is None:
        proba = np.column_stack([1 - p, p])
        return np.array([rows.loss(decided(proba, float(cut)), 2) for cut in cuts])
    cuts = np.where(cuts == HALF, np.nextafter(HALF, 1.0), cuts)
    below: list[Array] = [np.searchsorted(p[y == k], cuts, side="left") for k in (0, 1)]
    sizes = np.bincount(y, weights=w, minlength=2)
    if w is not None:
        below = [np.concatenate(([0.0], np.cumsum(w[y == k])))[b] for k, b in enumerate(below)]
    C = np.stack([np.stack([b, n - b], axis=-1) for b, n in zip(below, sizes, strict=True)], axis=-2).astype(float)
    scores = metric.counts(C)
    return np.asarray(metric.best - scores if metric.greater_is_better else scores - metric.best)


def _smooth(losses: Array) -> Array:
    """Running mean over about a tenth of the cuts: a lone dip is luck."""
    width = len(losses) // 10
    if width < 2:
        return losses
    padded = np.pad(losses, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.full(width, 1 / width), mode="valid")


def _spread(p: Array, rows: KnownRows, threshold: float) -> float | None:
    """Standard error of the difference that the cut makes; None where the metric has no influence function."""
    proba = np.column_stack([1 - p, p])
    moved, kept = (
        influence(rows.metric, rows.y, said, 2, rows.weight) for said in (decided(proba, threshold), proba)
    )
    return None if moved is None or kept is None else standard_error(moved - kept, rows.block)
