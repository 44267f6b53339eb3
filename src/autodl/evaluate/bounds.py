"""Limits that several kinds of intervals share; which one serves which score is told in ``intervals``.

Notation: n test rows, se a standard error, z the normal quantile.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.influence import standard_error
from autodl.evaluate.resampling import resample_counts, studentized_means
from autodl.evaluate.unseen import unseen_losses, upper_bound

Array = NDArray[Any]
MANY_ROWS = 4000
"""From here on the normal limit replaces the bootstrap-t: they agree to about 1 % of the interval's length."""

FEW = 8
"""Of fewer rows, or groups of rows, bootstrap-t limits are no nearer than t limits."""

FURTHEST = 2.0
"""Bootstrap-t limits lie at most so many times as far from the score as normal ones."""

FURTHEST_LOGIT = 500.0
"""Half an interval on the logit scale: more than all there is, and no overflow."""


def quantile_of_normal(level: float) -> float:
    """z with ``P(|Z| <= z) = level``."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def quantile_of_t(level: float, freedom: float) -> float:
    """t with ``P(|T| <= t) = level`` for so many degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + level / 2))


def wilson(hits: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share."""
    z2 = quantile_of_normal(level) ** 2
    p = hits / n
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def with_unseen(
    metric: Metric, y: Array, prediction: Array, rows: Array, high: float, level: float, w: Array | None = None
) -> float:
    """The upper end of the mean of (n,) row losses, raised where rows beyond extreme quantiles are few."""
    unseen = unseen_losses(metric, y, prediction)
    return max(high, upper_bound(rows, unseen, quantile_of_normal(level), w)) if len(unseen) else high


def mean_loss_bounds(rows: Array, seed: int, n_resamples: int, level: float) -> tuple[float, float, str]:
    """Interval of the mean of non-negative row losses (n,)."""
    n, mean = len(rows), float(rows.mean())
    if mean <= 0:
        return 0.0, 0.0, "exact: no loss"
    se = standard_error(rows - mean) / mean
    if se == 0:
        return mean, mean, "exact: equal losses"
    if n >= MANY_ROWS:
        z = quantile_of_normal(level) * widening_of(rows)
        return mean * math.exp(-z * se), mean * math.exp(z * se), "normal, log scale"
    means, covariance = studentized_means(rows[:, None].astype(np.float64), resample_counts(n, n_resamples, seed))
    star = np.maximum(means[:, 0], mean * 1e-6)
    star_se = np.sqrt(np.maximum(covariance[:, 0, 0], 0) / (n - 1)) / star
    low, high = studentized_bounds(math.log(mean), se, np.log(star), star_se, level, widening_of(rows), n)
    return math.exp(low), math.exp(high), "bootstrap-t"


def widening_of(rows: Array) -> float:
    """``sqrt(1 + g^2 / n)`` with g the skewness of the (n,) rows: a sample understates heavy tails."""
    centred = rows - rows.mean()
    variance = float(np.square(centred).mean())
    skewness = float((centred**3).mean()) / variance**1.5 if variance > 0 else 0.0
    return math.sqrt(1 + skewness**2 / len(rows))


def studentized_bounds(
    centre: float, se: float, star: Array, star_se: Array, level: float, widening: float, n: int
) -> tuple[float, float]:
    """Bootstrap-t bounds of n rows; resamples without spread say nothing and are left out.

    Fewer than ``FEW`` rows have too few resamples that differ (two rows one, with t = 0): no nearer than t limits.
    """
    good = star_se > 0.05 * se
    t = (star[good] - centre) / star_se[good]
    z = quantile_of_normal(level) * widening
    least = quantile_of_t(level, n - 1) * widening if n < FEW else 0.0
    if len(t) < 100:
        return centre - max(z, least) * se, centre + max(z, least) * se
    upper, lower = np.quantile(t, [0.5 + level / 2, 0.5 - level / 2]) * widening
    down, up = (max(least, min(float(far), FURTHEST * z)) for far in (upper, -lower))
    return centre - down * se, centre + up * se


def transformed_bounds(
    metric: Metric, value: float, se: float, rows: int, level: float, shrink: float = 0.0
) -> tuple[float, float, str]:
    """Normal bounds on the scale that the score's limits suggest: logit between two limits, log above a loss's best.

    A loss of answers without spread (no miss, or groups that miss as often) is taken for a share of that many rows,
    a miss being off by one.

    Args:
        metric, value, level: As of ``intervals.interval``. se: Standard error. rows: Of the rarest class, or all.
        shrink: Between two limits, how much nearer to the middle the score lies that the limit on the middle's side
            is reckoned from.
    """
    z = quantile_of_normal(level)
    if not metric.greater_is_better:
        gap = value - metric.best
        if se == 0 and metric.counts is not None:
            size = max(1.0, gap)
            low, high = wilson(gap / size * rows, max(1, rows), level)
            return metric.best + size * low, metric.best + size * high, "Wilson"
        half = z * se / gap if gap > 0 else 0.0
        return metric.best + gap * math.exp(-half), metric.best + gap * math.exp(half), "normal, log scale"
    if metric.worst is None:
        return value - z * se, value + z * se, "normal"
    span = metric.best - metric.worst
    share = (value - metric.worst) / span
    inner = share + shrink * (0.5 - share)
    if se == 0 or not 0 < inner < 1:
        # Perfect separation has no spread to estimate: what that many rows without a miss allow for.
        low, high = wilson(share * rows, max(1, rows), level)
        return metric.worst + span * low, metric.worst + span * high, "Wilson"
    below, above = (inner, share) if share > 0.5 else (share, inner)
    low, high = _logit_limit(below, -z * se / span), _logit_limit(above, z * se / span)
    return metric.worst + span * low, metric.worst + span * high, "DeLong, logit scale"


def _logit_limit(share: float, away: float) -> float:
    """A share, moved so far on the logit scale as ``away`` is there at this share; 0 and 1 stay."""
    if not 0 < share < 1:
        return share
    moved = max(-FURTHEST_LOGIT, min(FURTHEST_LOGIT, away / (share * (1 - share))))
    return 1 / (1 + math.exp(-(math.log(share / (1 - share)) + moved)))


def possible_cells(C: Array) -> Array:
    """(K * K,) mask of the cells of a (K, K) confusion matrix that can be told of: those share the prior row.

    The true class must occur among the targets, the answer among targets or answers: scores leave other classes out,
    and so must their intervals. Of two classes both are kept: F1 and its like speak of one of them, rows or not.
    Where one class alone occurs, any other might be the wrong answer.
    """
    if len(C) == 2:
        return np.ones(4, dtype=bool)
    true = C.sum(axis=1) > 0
    said = true | (C.sum(axis=0) > 0)
    return np.asarray(np.outer(true, said if said.sum() > 1 else np.ones_like(said)).ravel())


def percentiles(draws: Array, level: float) -> tuple[float, float]:
    """Bounds that leave equal shares of the draws outside on both sides."""
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
