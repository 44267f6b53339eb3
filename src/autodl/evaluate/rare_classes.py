"""What a class with few test rows leaves open in scores that count classes alike: ROC AUC and averages over classes.

A few rows seldom show how far rows of their class differ: placed alike by chance, or all hit, their spread looks like
none, and a normal limit on it takes luck for certainty. Without signal, 60 rows of one class and 1, 2, 3, 5 or 8 of
the other, normal limits call a difference in ROC AUC at 5 % in 75, 29, 18, 13 and 8 % of samples, those here in 2, 0,
5, 5 and 4 %; the t test of balanced accuracy against always "no" does so in 100, 53, 26 and 10 % with 1, 2, 3 and 5
rows, the test here in 0, 0, 3 and 3 %.

The logit of an AUC near 1 is steep: there the room for a few rows would be all from 0 to 1. The limit on the side of
1/2 is reckoned from the score as if one row more of the rare class were ranked at random. With an AUC of 0.97, 100
rows of one class and 3, 5 or 7 of the other it is 0.31, 0.62 and 0.74 in the middle case, else 0.00, 0.09 and 0.35;
95 % intervals hold in 95 % of samples or more, with 1 to 30 rows and AUCs of 0.5, 0.7, 0.9 and 0.97.

Precision looks at the rows of each answer, not of each class: it is unsure where few rows are said to be of a class.

Notation: n rows, K classes, m_c rows of class c (Kish's effective rows with weights), C confusion matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.effective_rows import effective_rows
from autodl.evaluate.base import Metric
from autodl.evaluate.bounds import FEW, percentiles, quantile_of_normal, quantile_of_t, transformed_bounds

Array = NDArray[Any]
PLACEMENT = 1 / 12
"""Variance of where a guess places a row among those of the other classes: anywhere from 0 to 1."""
RARE = 30
"""Of averages over classes: with so many rows of each class the t test holds."""
CELLS = 10_000_000
"""Of confusion matrices held at once."""
MANY_CLASSES = 100
"""An average over more classes is about normal: ``FEW_DRAWS`` tell its spread, and more would take long."""
FEW_DRAWS = 200
TAIL, MOST_DRAWS, DRAWN_CELLS = 20, 20_000, 4_000_000
"""Draws go on until so many lie beyond zero (Besag and Clifford 1991), so that p can be small enough for Holm's
correction; so many draws at most, and of so many cells together."""


def by_ranks(metric: Metric, n_classes: int) -> bool:
    """Whether the score is an average over classes of how rows of each are ranked."""
    return n_classes > 0 and metric.influence is not None and metric.worst is not None


def one_class(metric: Metric, y: Array, n_classes: int) -> bool:
    """Whether all rows are of one class, so that nothing can be ranked."""
    return by_ranks(metric, n_classes) and len(np.unique(y)) < 2


def class_rows(y: Array, weight: Array | None) -> Array:
    """(C,) rows of each class that occurs: Kish's effective rows with weights, of the classes that have any."""
    codes = y.astype(np.int64)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64) / np.max(weight)
    sums, squares = np.bincount(codes, w), np.bincount(codes, w * w)
    found = squares > 0
    return np.asarray(sums[found] ** 2 / squares[found])


def by_answer(metric: Metric) -> bool:
    """Whether the first right answer of a class lifts it from 0 to 1, as of precision, however rare such answers are.

    Of a model that never gives an answer, a row answered at random would then be all that its score speaks of.
    """
    if metric.counts is None:
        return False
    unsaid, said = metric.counts(np.array([[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 1e-9]]]))
    return bool(abs(said - unsaid) > 0.1)


def few_decide(metric: Metric, y: Array, weight: Array | None, said_a: Array, said_b: Array) -> bool:
    """Whether a score of a confusion matrix counts classes alike and one has too few rows for the t test.

    Args:
        metric: Any. y: (n,) targets. weight: (n,) or None. said_a, said_b: (n,) answers of two models.
    """
    if metric.counts is None or metric.rows is not None or not metric.greater_is_better:
        return False
    deciding = (said_a, said_b) if by_answer(metric) else (y,)
    return any(bool(class_rows(codes, weight).min() < RARE) for codes in deciding)


def rank_bounds(
    metric: Metric, y: Array, prediction: Array, k: int, weight: Array | None, phi: Array, value: float, level: float
) -> tuple[float, float, str]:
    """Low, high and method of a rank score, with (n,) influences; the others as of ``intervals.interval``."""
    se, freedom = rank_error(phi, y, k, weight, (prediction,))
    se *= quantile_of_t(level, freedom) / quantile_of_normal(level)
    rows = class_rows(y, weight)
    # Of two classes that occur the rarer one counts; of more all do, and their chances even out as errors do.
    shrink = float(np.linalg.norm(1 / (rows + 1)) / len(rows)) if len(rows) > 2 else float(1 / (rows.min() + 1))
    return transformed_bounds(metric, value, se, max(1, int(rows.min())), level, shrink)


def rank_error(
    phi: Array, y: Array, n_classes: int, weight: Array | None, predictions: tuple[Array, ...]
) -> tuple[float, float]:
    """Standard error of a rank score, or of a difference of two, and the degrees of freedom of its t limits.

    The variance is the sum of those within each class, its degrees of freedom are Welch's (1947). A class of fewer
    than ``FEW`` rows gets one row more, which is placed as guesses place it.

    Args:
        phi: (n,) influences. y: (n,) codes. n_classes: K. weight: (n,) or None.
        predictions: (n, K) that the score is of; those that are the same for all rows place none.
    """
    n, present = len(y), np.unique(y)
    guessed = PLACEMENT * sum(np.ptp(p, axis=0).max() > 0 for p in predictions)
    if len(present) > 2:
        guessed /= len(present) ** 2
    variance, squares = 0.0, 0.0
    for c in present:
        own = y == c
        rows = effective_rows(weight[own]) if weight is not None and weight[own].max() > 0 else float(own.sum())
        part, freedom = float(np.square(phi[own]).sum()) / (n * (n - 1)), rows - 1
        if rows < FEW:
            part, freedom = (part * (rows - 1) + guessed / rows) / rows, rows
        variance += part
        squares += part**2 / freedom
    return float(np.sqrt(variance)), variance**2 / squares if squares > 0 else float(n)


def answers_test(
    metric: Metric, y: Array, a: Array, b: Array, n_classes: int, sign: float, seed: int, n_resamples: int,
    level: float, weight: Array | None,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Low, high, p-value and spread of a difference of two scores of a confusion matrix, by the Bayesian bootstrap.

    The cells of true class and both answers are drawn, with one row more in each class that both models answer at
    random: that keeps few rows which agree from being certain, and favours neither model. Where the rows of each
    answer count (``by_answer``), it is one row more of each answer, of a random class; an answer that a model never
    gives is taken to be right as often as a guess would be, so that a lucky hit proves little there too.

    Args:
        metric: With ``counts``. y, a, b: (n,) codes: true, of the two models. n_classes: K. sign: 1 where greater is
            better, else -1. seed, n_resamples, level: Of the resampling. weight: (n,) or None.
    """
    assert metric.counts is not None
    first = int(np.argmax(a != b))
    if a[first] > b[first]:
        # The same draws whichever model comes first.
        return answers_test(metric, y, b, a, n_classes, -sign, seed, n_resamples, level, weight)
    k, rng = max(n_classes, 2), np.random.default_rng(seed)
    many, of_answers = k > MANY_CLASSES, by_answer(metric)
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64) / np.mean(weight)
    cells, place = np.unique((y.astype(np.int64) * k + a) * k + b, return_inverse=True)
    sums, squares = np.bincount(place, w), np.bincount(place, w * w)
    kept = sums > 0
    cells, sums, squares = cells[kept], sums[kept], squares[kept]
    true, row = np.unique(y.astype(np.int64), return_inverse=True)
    share, said = np.bincount(row, w) / w.sum(), np.unique(np.concatenate([y.astype(np.int64), a, b]))
    n_resamples = min(n_resamples, FEW_DRAWS) if many else n_resamples
    most = n_resamples if many else max(n_resamples, min(MOST_DRAWS, DRAWN_CELLS // len(cells)))
    d, step = np.empty(0), max(1, CELLS // (k * k))
    while len(d) < n_resamples or (len(d) < most and _beyond_zero(d) < TAIL):
        m = min(step, (n_resamples if len(d) < n_resamples else most) - len(d))
        # The sum of w_i times exponential draws, as a gamma draw of the same mean and variance; see ``weighted``.
        mass = rng.standard_gamma(sums**2 / squares, size=(m, len(cells))) * (squares / sums)
        own, scores = rng.standard_gamma(1.0, size=(m, len(said if of_answers else true))), []
        for answer in (cells // k % k, cells % k):
            at = cells // (k * k) * k + answer
            order = np.argsort(at)
            found, starts = np.unique(at[order], return_index=True)
            C = np.zeros((m, k * k))
            C[:, found] = np.add.reduceat(mass[:, order], starts, axis=1)
            if of_answers:
                given = np.isin(said, answer)
                place = rng.choice(true, size=own.shape) * k + said
                C[np.arange(m)[:, None], place[:, given]] += own[:, given]
                C.reshape(m, k, k)[:, true[:, None], said[~given]] += share[:, None] * own[:, None, ~given]
            else:
                C[np.arange(m)[:, None], true * k + rng.choice(said, size=own.shape)] += own
            scores.append(metric.counts(C.reshape(m, k, k)))
        d = np.append(d, sign * (scores[0] - scores[1]))
    spread = float(d.std(ddof=1))
    if many and spread > 0:
        from scipy.special import stdtr

        middle, half = float(d.mean()), quantile_of_t(level, len(d) - 1) * spread
        return middle - half, middle + half, float(2 * stdtr(len(d) - 1, -abs(middle / spread))), spread
    p_value = min(1.0, 2 * (_beyond_zero(d) + 1) / (len(d) + 1))
    return (*percentiles(d, level), p_value, spread)


def _beyond_zero(d: Array) -> float:
    """How many draws lie on the side of zero with fewer of them, those at zero counting half."""
    below = float((d < 0).sum() + 0.5 * (d == 0).sum())
    return min(below, len(d) - below)
