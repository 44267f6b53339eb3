"""Confidence intervals of scores of weighted rows.

Notation: n rows, w their weights (any scale), s the score, se its standard error by linearization (Särndal, Swensson
and Wretman 1992, ch. 5): the weights are known, the rows are drawn. Effective rows are Kish's (1965)
``sum(w)^2 / sum(w^2)``: as many rows of equal weight would tell as much, if weight and answer had nothing to do with
each other. With equal weights every interval here is that of ``intervals``, up to the random numbers.

- Shares of rows: Wilson's interval with the rows of equal weight that have the same se (Korn and Graubard 1998).
- Means of losses and R2: bootstrap-t on the log scale of the ratio ``mean(w loss) / mean(w)``.
- Scores of a confusion matrix: the Bayesian bootstrap of its cells; the sum of ``w_i`` times an exponential draw over
  the rows of a cell is replaced by the gamma draw with the same mean and variance.
- Medians: Woodruff 1952, the quantiles of the weighted errors around one half.
- Everything else: percentile bootstrap of rows with their weights.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.effective_rows import effective_rows
from autodl.evaluate.base import Metric
from autodl.evaluate.bounds import (
    MANY_ROWS,
    possible_cells,
    quantile_of_normal,
    studentized_bounds,
    transformed_bounds,
    widening_of,
    wilson,
    with_unseen,
)
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.rare_classes import by_ranks, class_rows, rank_bounds
from autodl.evaluate.resampling import resample_counts, studentized_means

Array = NDArray[Any]
CHUNK_CELLS = 10_000_000


def weighted_bounds(
    metric: Metric, y: Array, prediction: Array, k: int, weight: Array, value: float, seed: int, n_resamples: int,
    level: float,
) -> tuple[float, float, str]:  # fmt: skip
    """Low, high and method of the interval of a weighted score; arguments as of ``intervals.interval``."""
    w = np.asarray(weight, dtype=np.float64) / np.mean(weight)
    if metric.rows is not None:
        rows = metric.rows(y, metric.prepare(prediction), k).astype(np.float64)
        if metric.counts is not None:
            return (*share_bounds(rows, w, level), "Wilson, weighted")
        low, high, method = ratio_bounds(rows, w, seed, n_resamples, level)
        high = with_unseen(metric, y, prediction, rows, high, level, w)
        return (math.sqrt(low), math.sqrt(high), method) if metric.root else (low, high, method)
    if metric.counts is not None:
        return _counts_bounds(metric, y, metric.prepare(prediction), k, w, seed, n_resamples, level)
    if metric.key == "median_ae":
        return (*_median_bounds(np.abs(prediction - y), w, level), "Woodruff")
    if metric.key == "r2":
        return _r2_bounds(y, prediction, w, seed, n_resamples, level)
    phi = influence(metric, y, prediction, k, w)
    if phi is not None:
        if by_ranks(metric, k):
            return rank_bounds(metric, y, prediction, k, w, phi, value, level)
        rarest = class_rows(y, w).min() if k else effective_rows(w)
        return transformed_bounds(metric, value, standard_error(phi), max(1, int(rarest)), level)
    return _percentile_bounds(metric, y, prediction, k, w, seed, n_resamples, level)


def share_bounds(hits: Array, w: Array, level: float) -> tuple[float, float]:
    """Interval of the weighted share of hits (n,) of 0 and 1, for weights (n,) of mean 1."""
    p = float(np.average(hits, weights=w))
    rows, n = effective_rows(w), len(w)
    if 0 < p < 1:
        se = standard_error(w * (hits - p))
        rows = min(float(n), p * (1 - p) / se**2)
    low, high = _wilson(p, rows, level)
    return low, high


def _wilson(p: float, rows: float, level: float) -> tuple[float, float]:
    """Wilson's interval of a share, for a number of rows that need not be whole."""
    whole = max(1, math.floor(rows))
    return wilson(p * whole, whole, level)


def ratio_bounds(rows: Array, w: Array, seed: int, n_resamples: int, level: float) -> tuple[float, float, str]:
    """Interval of the weighted mean of non-negative row losses (n,), for weights (n,) of mean 1."""
    n, mean = len(rows), float(np.average(rows, weights=w))
    if mean <= 0:
        return 0.0, 0.0, "exact: no loss"
    phi = w * (rows - mean) / mean
    se = standard_error(phi)
    if se == 0:
        return mean, mean, "exact: equal losses"
    widening = widening_of(phi)
    if n >= MANY_ROWS:
        z = quantile_of_normal(level) * widening
        return mean * math.exp(-z * se), mean * math.exp(z * se), "normal, log scale, weighted"
    means, covariance = studentized_means(np.column_stack([w * rows, w]), resample_counts(n, n_resamples, seed))
    top, bottom = np.maximum(means[:, 0], mean * 1e-6), np.maximum(means[:, 1], 1e-6)
    gradient = np.stack([1 / top, -1 / bottom], axis=1)
    star_se = _spread(gradient, covariance, n)
    low, high = studentized_bounds(math.log(mean), se, np.log(top / bottom), star_se, level, widening, n)
    return math.exp(low), math.exp(high), "bootstrap-t, weighted"


def _spread(gradient: Array, covariance: Array, n: int) -> Array:
    """(B,) standard errors by the delta method."""
    variance = np.einsum("bi,bij,bj->b", gradient, covariance, gradient)
    return np.asarray(np.sqrt(np.maximum(variance, 0) / (n - 1)))


def _r2_bounds(
    y: Array, prediction: Array, w: Array, seed: int, n_resamples: int, level: float
) -> tuple[float, float, str]:
    """``1 - A / B`` with A the weighted mean squared error and B the weighted variance of y."""
    squared = np.square(prediction.astype(np.float64) - y)
    centred = (y - np.average(y, weights=w)).astype(np.float64)
    a, b = float(np.average(squared, weights=w)), float(np.average(np.square(centred), weights=w))
    if a == 0 or b == 0:
        value = 1.0 if a == 0 else 0.0
        return value, value, "exact"
    n = len(y)
    phi = w * (squared / a - np.square(centred) / b)
    se, centre = standard_error(phi - phi.mean()), math.log(a / b)
    if n >= MANY_ROWS:
        z = quantile_of_normal(level) * widening_of(phi)
        return 1 - math.exp(centre + z * se), 1 - math.exp(centre - z * se), "normal, log scale, weighted"
    columns = np.column_stack([w * squared, w * centred, w * np.square(centred), w])
    means, covariance = studentized_means(columns, resample_counts(n, n_resamples, seed))
    mass = np.maximum(means[:, 3], 1e-6)
    star_a, shift, second = np.maximum(means[:, 0], a * 1e-6), means[:, 1] / mass, means[:, 2] / mass
    star_b = np.maximum(second - shift**2, b * 1e-6)
    # log(A / B) with A = m0 / m3 and B = m2 / m3 - (m1 / m3)^2; m3 cancels but in the shift.
    by_mass = (second - 2 * shift**2) / (star_b * mass) - 1 / mass
    gradient = np.stack(
        [1 / star_a, 2 * shift / (star_b * mass), -1 / (star_b * mass), by_mass],
        axis=1,
    )
    star = np.log(star_a / mass / star_b)
    low, high = studentized_bounds(centre, se, star, _spread(gradient, covariance, n), level, widening_of(phi), n)
    return 1 - math.exp(high), 1 - math.exp(low), "bootstrap-t, weighted"


def _counts_bounds(
    metric: Metric, y: Array, label: Array, k: int, w: Array, seed: int, n_resamples: int, level: float
) -> tuple[float, float, str]:
    from autodl.evaluate.metrics.classification import confusion

    assert metric.counts is not None
    table = confusion(y, label, k, w)
    sums, squares, size = table.ravel(), confusion(y, label, k, w * w).ravel(), len(table)
    cells, possible = np.flatnonzero(sums), np.flatnonzero(possible_cells(table))
    shape, scale = sums[cells] ** 2 / squares[cells], squares[cells] / sums[cells]
    rng, step = np.random.default_rng(seed), max(1, CHUNK_CELLS // len(sums))
    scores = []
    for done in range(0, n_resamples, step):
        m = min(step, n_resamples - done)
        draws = np.zeros((m, len(sums)))
        draws[:, cells] = rng.standard_gamma(shape, size=(m, len(cells))) * scale
        # One prior row in all (Perks); since each cell's part is tiny, nearly all of it falls into one of them.
        draws[np.arange(m), rng.choice(possible, size=m)] += rng.standard_gamma(1.0, size=m)
        scores.append(metric.counts(draws.reshape(-1, size, size)))
    low, high = np.quantile(np.concatenate(scores), [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high), "Bayesian bootstrap, weighted"


def _median_bounds(error: Array, w: Array, level: float) -> tuple[float, float]:
    return within_medians(error, w, quantile_of_normal(level) * 0.5 / math.sqrt(effective_rows(w)))


def within_medians(error: Array, w: Array, half: float) -> tuple[float, float]:
    """Errors (n,), with weights (n,), at the shares ``1/2 - half`` and ``1/2 + half`` of all, rounded outwards."""
    order = np.argsort(error)
    mass = np.cumsum(w[order])
    mass /= mass[-1]
    low, high = np.searchsorted(mass, [0.5 - half, 0.5 + half])
    return float(error[order][max(0, low - 1)]), float(error[order][min(len(error) - 1, high)])


def _percentile_bounds(
    metric: Metric, y: Array, prediction: Array, k: int, w: Array, seed: int, n_resamples: int, level: float
) -> tuple[float, float, str]:
    rng, n = np.random.default_rng(seed), len(y)
    scores = np.empty(n_resamples)
    for b in range(n_resamples):
        pick = rng.integers(n, size=n)
        scores[b] = metric.score(y[pick], prediction[pick], k, w[pick])
    low, high = np.quantile(scores, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high), "percentile bootstrap, weighted"
