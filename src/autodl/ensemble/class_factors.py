"""What the probability of each class is multiplied by before the largest wins: the cut for more than two classes.

Metrics that count decisions class by class (macro F1, balanced accuracy, MCC) want rare classes named more often than
the most probable class names them: for balanced accuracy the best factors are the inverse class shares (Menon et al.
2021, logit adjustment), for F1 something between. Two ways, tried in this order: one power of the class shares
(factors ``share ** -tau``, a single number to learn), and a factor for each class by coordinate descent. Each is
chosen on halves of the rows and judged on the others; it is used only where it gains more than one standard error,
the second only where it is ahead of the first by as much.

Notation: n rows, K classes, p (n, K) probabilities, f (K,) factors, C confusion matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.decision import decide, decided
from autodl.ensemble.halves import random_half
from autodl.ensemble.known_rows import KnownRows, copies
from autodl.ensemble.level_cuts import rounded, tuned
from autodl.evaluate.influence import influence, standard_error

Array = NDArray[Any]
TAUS = np.linspace(0.0, 1.5, 13)
"""Powers of the class shares; 0 leaves the most probable class."""
MIN_ROWS = 200
MAX_CLASSES = 30
"""Beyond, coordinate descent would take seconds, and most classes have too few rows to learn a factor from."""
MAX_ROWS = 10_000
MAX_CUTS = 40
PASSES = 2
N_SPLITS = 5
RARE = 5
"""A class with fewer rows keeps the factor that the power of its share gives."""

Fit = Callable[[Array, KnownRows], Array]


def choose_factors(p: Array, rows: KnownRows) -> tuple[float, ...]:
    """The factors for a metric of decisions between more than two classes.

    Args:
        p: (n, K) out-of-fold probabilities; rows that are not finite are left out.
        rows: The n rows, with class codes as targets.

    Returns:
        K factors, or for metrics of ordered classes K - 1 cuts (see ``level_cuts``); empty unless some have shown
        themselves better than none on rows not used to choose them, and for metrics of probabilities.
    """
    k, metric = p.shape[1], rows.metric
    if metric.needs != "label" or metric.counts is None or k < 3:
        return ()
    rng = np.random.default_rng(rows.seed)
    known = np.flatnonzero(np.isfinite(p).all(axis=1))
    if len(known) > MAX_ROWS:
        known = np.sort(rng.choice(known, size=MAX_ROWS, replace=False))
    if len(known) < MIN_ROWS * copies(rows.y[known], None if rows.block is None else rows.block[known]):
        return ()
    p, rows = np.asarray(p, dtype=np.float64)[known], rows.only(known).coded()
    halves = [random_half(rows.y, rng, rows.block) for _ in range(N_SPLITS)]
    best: tuple[float, ...] = ()
    kept = np.zeros(2 * N_SPLITS)
    ways = (power_of_shares, *((class_by_class,) if k <= MAX_CLASSES else ()))
    for fit in (rounded, tuned) if metric.ordered else ways:
        gains = _held_out(fit, p, rows, halves)
        if gains is None:
            break
        factors = fit(p, rows)
        spread = _spread(p, rows, factors, best)
        if (gains - kept).mean() > spread:
            best, kept = tuple(float(f"{f:.4g}") for f in factors), gains
    return best


def power_of_shares(p: Array, rows: KnownRows) -> Array:
    """(K,) factors ``share ** -tau`` with the best tau, smoothed over its neighbours."""
    shares = _shares(rows.y, rows.weight, p.shape[1])
    losses = np.array([_loss(p, rows, shares**-tau) for tau in TAUS])
    padded = np.pad(losses, 1, mode="edge")
    smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return _scaled(shares ** -TAUS[int(np.argmin(smooth))])


def class_by_class(p: Array, rows: KnownRows) -> Array:
    """(K,) factors by coordinate descent from the best power of the shares; rare classes keep theirs."""
    factors = power_of_shares(p, rows)
    sizes = np.bincount(rows.y, minlength=p.shape[1])
    best = _loss(p, rows, factors)
    for _ in range(PASSES):
        before = best
        for c in np.flatnonzero(sizes >= RARE):
            tried, loss = _best_factor(int(c), p, rows, factors)
            if loss < best:
                factors, best = factors.copy(), loss
                factors[c] = tried
        if not best < before:
            break
    return _scaled(factors)


def _best_factor(c: int, p: Array, rows: KnownRows, factors: Array) -> tuple[float, float]:
    """The best factor of class c with the others held, and its loss; all confusion matrices at once."""
    y, metric = rows.y, rows.metric
    assert metric.counts is not None
    k, weights = p.shape[1], np.ones(len(y)) if rows.weight is None else rows.weight
    score = p * factors
    score[:, c] = -1.0
    other = score.argmax(axis=1)
    # From this factor on a row is said to be of class c.
    turn = score[np.arange(len(y)), other] / np.maximum(p[:, c], 1e-12)
    low, high = factors[c] / 8, factors[c] * 8
    inside = turn[(turn > low) & (turn < high)]
    if len(inside) < 2:
        return float(factors[c]), np.inf
    cuts = np.unique(np.quantile(inside, np.linspace(0, 1, MAX_CUTS + 2)[1:-1]))
    place = np.searchsorted(cuts, turn, side="left")  # row says c for the cuts from `place` on
    m = len(cuts)
    said = np.bincount(place * k + y, weights=weights, minlength=(m + 1) * k).reshape(m + 1, k)
    stay = np.bincount((place * k + y) * k + other, weights=weights, minlength=(m + 1) * k * k).reshape(m + 1, k, k)
    C = stay.sum(axis=0) - np.cumsum(stay, axis=0)[:m]
    C[:, :, c] += np.cumsum(said, axis=0)[:m]
    scores = metric.counts(C)
    losses = metric.best - scores if metric.greater_is_better else scores - metric.best
    padded = np.pad(losses, 1, mode="edge")
    at = int(np.argmin((padded[:-2] + padded[1:-1] + padded[2:]) / 3))
    return float(cuts[at] * (1 + 1e-9)), float(losses[at])


def _held_out(fit: Fit, p: Array, rows: KnownRows, halves: list[Array]) -> Array | None:
    """(2 * N_SPLITS,) improvements over the most probable class on rows not used to choose; None if time ran out."""
    gains = []
    none = np.ones(p.shape[1])
    for side in halves:
        for chosen, check in ((side, ~side), (~side, side)):
            if rows.deadline.passed():
                return None
            factors = fit(p[chosen], rows.only(chosen))
            part = p[check], rows.only(check)
            gains.append(_loss(*part, none) - _loss(*part, factors))
    return np.array(gains)


def _spread(p: Array, rows: KnownRows, factors: Array, before: tuple[float, ...]) -> float:
    """Standard error of the difference that the factors make to those before."""
    moved, kept = (
        influence(rows.metric, rows.y, decided(p, factors=f), p.shape[1], rows.weight)
        for f in (tuple(factors), before)
    )
    assert moved is not None and kept is not None, "scores of confusion matrices have influences"
    return standard_error(moved - kept, rows.block)


def _loss(p: Array, rows: KnownRows, factors: Array) -> float:
    from autodl.evaluate.metrics.classification import confusion

    metric, answers = rows.metric, decide(p, factors=tuple(factors))
    assert metric.counts is not None
    return metric.to_loss(float(metric.counts(confusion(rows.y, answers, p.shape[1], rows.weight))))


def _shares(y: Array, w: Array | None, k: int) -> Array:
    """(K,) shares of the classes, half a row added so that none is 0."""
    total = np.bincount(y, weights=w, minlength=k) + 0.5
    return np.asarray(total / total.sum())


def _scaled(factors: Array) -> Array:
    """With geometric mean 1; only their ratios say anything."""
    return np.asarray(factors / np.exp(np.log(factors).mean()))
