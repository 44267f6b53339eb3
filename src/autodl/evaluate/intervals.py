"""Confidence intervals of test scores, by the method whose coverage holds up in simulation for each kind of score.

Notation: n test rows, s the score, se its standard error, z the normal quantile.

- Shares of rows (accuracy): Wilson 1927.
- Means of losses (log loss, Brier, MAE; RMSE as the root of one): bootstrap-t on the log scale, which repairs the
  skewness that makes percentile and BCa intervals too short on small samples (Efron and Tibshirani 1993, ch. 12.5),
  widened by ``sqrt(1 + g^2 / n)`` with g the skewness of the rows, because a sample understates heavy tails (squared
  t(5) errors, n = 60: coverage 93 % instead of 91 %); for many rows the normal limit on the log scale.
  Where a few rows make most of the loss, bootstrap-t limits can lie astronomically far out: at most twice as far as
  the normal ones (pinball loss at the 1 % level, 200 rows, t(3) errors: coverage as before, 75 %, the upper over the
  lower limit 4 instead of 23 in the middle case, 1,200 instead of 10^16 in the worst). Extreme quantiles also get
  room for rows that were not seen, see ``unseen``.
- R2: bootstrap-t of ``log(1 - R2)``.
- ROC AUC: DeLong's variance on the logit scale (Qin and Hotilovac 2008), with t limits and room for classes of few
  rows, see ``rare_classes``; where all rows are of one class, everything is possible.
- Scores of a confusion matrix: Bayesian bootstrap of its cells with one prior row in all (Perks' prior), over the
  classes that occur, which stays honest where a plain bootstrap collapses, e.g. when no row is wrong.
- Medians: order statistics, distribution-free.
- Everything else: percentile bootstrap.
- Weighted rows: see ``weighted``; rows that were drawn in groups: see ``grouped``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.bounds import (
    MANY_ROWS,
    mean_loss_bounds,
    percentiles,
    possible_cells,
    quantile_of_normal,
    studentized_bounds,
    transformed_bounds,
    widening_of,
    wilson,
    with_unseen,
)
from autodl.evaluate.grouped import group_numbers, grouped_bounds
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.rare_classes import by_ranks, class_rows, one_class, rank_bounds
from autodl.evaluate.resampling import resample_counts, studentized_means
from autodl.evaluate.weighted import weighted_bounds
from autodl.records import Interval
from autodl.records.evaluation import ONE_CLASS

Array = NDArray[Any]
MAX_CELLS = 10_000_000
"""Cells of confusion matrices held at once."""
DENSE_CELLS = 1000
"""Up to so many cells of a confusion matrix each of them is drawn."""


def interval(
    metric: Metric,
    y: Array,
    prediction: Array,
    n_classes: int = 0,
    *,
    seed: int,
    n_resamples: int = 1000,
    level: float = 0.95,
    weight: Array | None = None,
    group: Array | None = None,
) -> Interval:
    """A score with its confidence interval.

    Args:
        metric: What to measure.
        y: (n,) codes or values. prediction: (n, K) probabilities or (n,) values.
        n_classes: K; 0 for regression.
        seed: Of the resampling.
        n_resamples: Bootstrap samples.
        level: Nominal coverage.
        weight: (n,) how much each row counts; all alike if None. See ``weighted`` for the methods.
        group: (n,) rows of the same number were drawn together; each for itself if None. See ``grouped``.
    """
    n, group = len(y), group_numbers(group)
    value = metric.score(y, prediction, n_classes, weight)
    if n < 2 or one_class(metric, y, n_classes):
        low = -math.inf if metric.worst is None else metric.worst
        low, high = (low, metric.best) if metric.greater_is_better else (metric.best, math.inf)
        method = "none: one row" if n < 2 else ONE_CLASS
        return Interval(value=value, low=low, high=high, n=n, level=level, method=method)
    if group is not None:
        bounds = grouped_bounds(metric, y, prediction, n_classes, group, weight, value, seed, n_resamples, level)
    elif weight is not None:
        bounds = weighted_bounds(metric, y, prediction, n_classes, weight, value, seed, n_resamples, level)
    else:
        bounds = _bounds(metric, y, prediction, n_classes, value, seed, n_resamples, level)
    low, high, method = bounds
    return Interval(value=value, low=min(low, value), high=max(high, value), n=n, level=level, method=method)


def _bounds(
    metric: Metric, y: Array, prediction: Array, k: int, value: float, seed: int, n_resamples: int, level: float
) -> tuple[float, float, str]:
    if metric.rows is not None:
        rows = metric.rows(y, metric.prepare(prediction), k)
        if metric.counts is not None:
            return (*wilson(float(rows.sum()), len(y), level), "Wilson")
        low, high, method = mean_loss_bounds(rows, seed, n_resamples, level)
        high = with_unseen(metric, y, prediction, rows, high, level)
        return (math.sqrt(low), math.sqrt(high), method) if metric.root else (low, high, method)
    if metric.counts is not None:
        return _counts_bounds(metric, y, metric.prepare(prediction), k, seed, n_resamples, level)
    if metric.key == "median_ae":
        return _median_bounds(np.abs(prediction - y), level)
    if metric.key == "r2":
        return _r2_bounds(y, prediction, seed, n_resamples, level)
    phi = influence(metric, y, prediction, k)
    if phi is not None:
        if by_ranks(metric, k):
            return rank_bounds(metric, y, prediction, k, None, phi, value, level)
        return transformed_bounds(metric, value, standard_error(phi), effective_rows(y, k), level)
    return _percentile_bounds(metric, y, prediction, k, seed, n_resamples, level)


def _r2_bounds(y: Array, prediction: Array, seed: int, n_resamples: int, level: float) -> tuple[float, float, str]:
    squared = np.square(prediction.astype(np.float64) - y)
    centred = (y - y.mean()).astype(np.float64)
    a, b, n = float(squared.mean()), float(np.square(centred).mean()), len(y)
    if a == 0 or b == 0:
        value = 1.0 if a == 0 else 0.0
        return value, value, "exact"
    phi = squared / a - np.square(centred) / b
    se, centre = standard_error(phi - phi.mean()), math.log(a / b)
    if n >= MANY_ROWS:
        z = quantile_of_normal(level) * widening_of(phi)
        return 1 - math.exp(centre + z * se), 1 - math.exp(centre - z * se), "normal, log scale"
    columns = np.column_stack([squared, centred, np.square(centred)])
    means, cov = studentized_means(columns, resample_counts(n, n_resamples, seed))
    star_a, shift = np.maximum(means[:, 0], a * 1e-6), means[:, 1]
    star_b = np.maximum(means[:, 2] - shift**2, b * 1e-6)
    gradient = np.stack([1 / star_a, 2 * shift / star_b, -1 / star_b], axis=1)
    variance = np.einsum("bi,bij,bj->b", gradient, cov, gradient)
    star_se = np.sqrt(np.maximum(variance, 0) / (n - 1))
    low, high = studentized_bounds(centre, se, np.log(star_a / star_b), star_se, level, widening_of(phi), n)
    return 1 - math.exp(high), 1 - math.exp(low), "bootstrap-t"


def _counts_bounds(
    metric: Metric, y: Array, label: Array, k: int, seed: int, n_resamples: int, level: float
) -> tuple[float, float, str]:
    from autodl.evaluate.metrics.classification import confusion

    assert metric.counts is not None
    table = confusion(y, label, k)
    counts, size, possible = table.ravel(), len(table), possible_cells(table)
    rng, step = np.random.default_rng(seed), max(1, MAX_CELLS // len(counts))
    scores = [
        metric.counts(_cell_draws(counts, possible, min(step, n_resamples - done), rng).reshape(-1, size, size))
        for done in range(0, n_resamples, step)
    ]
    low, high = percentiles(np.concatenate(scores), level)
    return low, high, "Bayesian bootstrap"


def _cell_draws(counts: Array, possible: Array, n: int, rng: np.random.Generator) -> Array:
    """(n, cells) gamma draws with one prior row spread over the possible cells, see ``possible_cells``.

    Of many cells only the occupied ones are drawn. The empty ones share what is left of the prior row; since each
    has a tiny shape, nearly all of it falls into one of them, here a random one.
    """
    prior = 1 / possible.sum()
    if len(counts) <= DENSE_CELLS:
        return rng.standard_gamma(counts + prior * possible, size=(n, len(counts)))
    occupied, empty = np.flatnonzero(counts), np.flatnonzero(possible & (counts == 0))
    draws = np.zeros((n, len(counts)))
    draws[:, occupied] = rng.standard_gamma(counts[occupied] + prior, size=(n, len(occupied)))
    if len(empty):
        draws[np.arange(n), rng.choice(empty, size=n)] = rng.standard_gamma(len(empty) * prior, size=n)
    return draws


def _median_bounds(error: Array, level: float) -> tuple[float, float, str]:
    """Order statistics: the rank of the median is binomial(n, 1/2), here by its normal limit, rounded outwards."""
    ordered, n = np.sort(error), len(error)
    half = quantile_of_normal(level) * math.sqrt(n) / 2
    low, high = math.floor(n / 2 - half), math.ceil(n / 2 + half)
    return float(ordered[max(0, low)]), float(ordered[min(n - 1, high)]), "order statistics"


def effective_rows(y: Array, k: int) -> int:
    """Rows of the rarest present class; all rows for regression."""
    return int(class_rows(y, None).min()) if k else len(y)


def _percentile_bounds(
    metric: Metric, y: Array, prediction: Array, k: int, seed: int, n_resamples: int, level: float
) -> tuple[float, float, str]:
    rng = np.random.default_rng(seed)
    scores = np.empty(n_resamples)
    for b in range(n_resamples):
        pick = rng.integers(len(y), size=len(y))
        scores[b] = metric.score(y[pick], prediction[pick], k)
    return (*percentiles(scores, level), "percentile bootstrap")
