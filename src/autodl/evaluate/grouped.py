"""Confidence intervals and paired tests where rows were drawn in groups: patients, customers, machines.

Rows of a group are alike, so n of them tell less than n rows of which each stands for itself. Here the groups are
what was drawn: influences are summed over them (Liang and Zeger 1986), resamples take them whole (Field and Welsh
2007, Bootstrapping clustered data), and t limits with G - 1 degrees of freedom take the place of normal ones.

Notation: n rows, G groups, w (n,) weights of mean 1 (all 1 without weights), s the score, se its standard error.

- Means of losses: bootstrap-t on the log scale of the ratio of the groups' loss to their mass.
- Shares of rows: Wilson's interval with as many independent rows as have the same se (Korn and Graubard 1998).
- Other smooth scores: t limits on the scale that the score's bounds suggest. Of two classes, ranks and averages over
  classes have one degree of freedom less than there are groups with the rarer class; none where it is in one group.
  Of more classes, one that occurs in one group counts as if all its rows might be right or wrong in another.
- Medians: Woodruff 1952, with the se of the share of errors below the median.
- Everything else: percentile bootstrap of groups.
- Paired tests: t test on the sums of the paired influences in each group. Of scores of a confusion matrix where a
  class has few rows, the more careful of that and the Bayesian bootstrap of rows, see ``rare_classes``. Of more than
  two classes, one that occurs in one group might as well have spoken for the other model.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.bounds import (
    percentiles,
    quantile_of_normal,
    quantile_of_t,
    transformed_bounds,
    wilson,
    with_unseen,
)
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.rare_classes import answers_test, few_decide
from autodl.evaluate.weighted import ratio_bounds, within_medians

Array = NDArray[Any]
TEST_RESAMPLES = 200
"""Of a paired test of scores that are not smooth: enough for a standard error."""
SWAPS = 10
"""Of groups with classes of their own, taken together where they are more: each costs two scores."""


def group_numbers(group: Array | None) -> Array | None:
    """(n,) numbers of the groups from 0 to G - 1.

    None where each row stands for itself, and where all rows are of one group: the rows then say how the model does
    in that group, and nothing can be said of others.
    """
    if group is None:
        return None
    found, place = np.unique(group, return_inverse=True)
    return None if len(found) in (1, len(place)) else np.asarray(place)


def grouped_bounds(
    metric: Metric, y: Array, prediction: Array, k: int, group: Array, weight: Array | None, value: float, seed: int,
    n_resamples: int, level: float,
) -> tuple[float, float, str]:  # fmt: skip
    """Low, high and method of the interval of a score.

    Args:
        group: (n,) numbers from 0 to G - 1, G at least 2.
        metric, y, prediction, k, weight, value, seed, n_resamples, level: As of ``intervals.interval``.
    """
    w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64) / np.mean(weight)
    if metric.rows is not None:
        rows = metric.rows(y, metric.prepare(prediction), k).astype(np.float64)
        if metric.counts is not None:
            return (*share_bounds_of_groups(rows, w, group, level), "Wilson, groups")
        low, high, method = mean_bounds_of_groups(rows, w, group, seed, n_resamples, level)
        high = with_unseen(metric, y, prediction, rows, high, level, w)
        return (math.sqrt(low), math.sqrt(high), method) if metric.root else (low, high, method)
    if metric.key == "median_ae":
        return (*_median_bounds(np.abs(prediction - y), w, group, level), "Woodruff, groups")
    phi = influence(metric, y, prediction, k, weight)
    if phi is None:
        return _percentile_bounds(metric, y, prediction, k, group, weight, seed, n_resamples, level)
    # A loss is about all rows, other scores about each class.
    alone = _alone(metric, y, group, k)
    shared = slice(None) if alone.all() else ~alone
    fewest = _fewest_groups(y[shared], group[shared], k if metric.greater_is_better else 0)
    freedom = _freedom(metric, y, group, k)
    # Of a class in one group nothing shows how groups differ: Wilson's interval of one row.
    se = standard_error(phi, group) if freedom else 0.0
    t = quantile_of_t(level, max(1, freedom))
    if metric.worst is None and metric.greater_is_better:
        gap = metric.best - value
        half = t * se / gap if gap > 0 else 0.0
        low, high = metric.best - gap * math.exp(half), metric.best - gap * math.exp(-half)
        method = "t limit of groups, log scale"
    else:
        low, high, _ = transformed_bounds(metric, value, se * t / quantile_of_normal(level), fewest, level)
        method = "t limit of groups"
    if alone.any():
        low, high = _as_if_unseen(metric, y, prediction, k, alone, group, weight, value, low, high)
    return low, high, method


def _as_if_unseen(
    metric: Metric, y: Array, prediction: Array, k: int, alone: Array, group: Array, weight: Array | None,
    value: float, low: float, high: float,
) -> tuple[float, float]:  # fmt: skip
    """Bounds of a score, widened by all that it can be in classes of one group (MOVER, Zou and Donner 2008).

    Args:
        alone: (n,) mask of the rows of such classes. value, low, high: Score and bounds of the others.
        metric, y, prediction, k, group, weight: As of ``grouped_bounds``.
    """
    true, common = y.astype(np.int64), np.argsort(-np.bincount(y.astype(np.int64), minlength=k), kind="stable")
    away = []
    for answer in (np.where(true == common[0], common[1], common[0]), true):
        other = prediction.copy()
        other[alone] = 0
        other[alone, answer[alone]] = 1
        # Groups are right or wrong each for itself: what all of them move the score by evens out.
        away.append((metric.score(y, other, k, weight) - value) / math.sqrt(len(np.unique(group[alone]))))
    lowest = -math.inf if metric.worst is None else metric.worst
    below, above = math.hypot(value - low, min(0.0, away[0])), math.hypot(high - value, max(0.0, away[1]))
    return max(lowest, value - below), min(metric.best, value + above)


def share_bounds_of_groups(hits: Array, w: Array, group: Array, level: float) -> tuple[float, float]:
    """Interval of the weighted share of hits, (n,) of 0 and 1; each group counts as one row where all rows agree.

    So does a single group, which shows no spread.
    """
    p, rows = float(np.average(hits, weights=w)), float(group.max() + 1)
    if rows > 1 and 0 < p < 1 and (se := standard_error(w * (hits - p), group)) > 0:
        same = p * (1 - p) / se**2
        rows = min(float(len(hits)), same) * (quantile_of_normal(level) / _t(level, group)) ** 2
    whole = max(1, math.floor(rows))
    return wilson(p * whole, whole, level)


def grouped_test(
    metric: Metric, y: Array, a: Array, b: Array, k: int, group: Array, weight: Array | None, d: float, seed: int,
    n_resamples: int, level: float,
) -> tuple[float, float, float, float, str]:  # fmt: skip
    """Low, high, p-value, effect and method of a difference of two models.

    Args:
        group: (n,) numbers from 0 to G - 1, G at least 2.
        d: The difference, better being positive.
        metric, y, a, b, k, weight, seed, n_resamples, level: As of ``tests.paired_test``.
    """
    if np.array_equal(a, b):
        return d, d, 1.0, 0.0, "exact: equal predictions"
    freedom = _freedom(metric, y, group, k)
    if freedom < 1:
        span = math.inf if metric.worst is None else abs(metric.best - metric.worst)
        return -span, span, 1.0, 0.0, "none: a class in one group"
    low, high, p_value, effect, method = _t_test(metric, y, a, b, k, group, weight, d, seed, level, freedom)
    said_a, said_b = metric.prepare(a), metric.prepare(b)
    if few_decide(metric, y, weight, said_a, said_b) and not np.array_equal(said_a, said_b):
        sign = 1.0 if metric.greater_is_better else -1.0
        below, above, p_rows, spread = answers_test(
            metric, y, said_a, said_b, k, sign, seed, n_resamples, level, weight
        )
        low, high = min(low, below), max(high, above)
        if p_rows > p_value:
            p_value, effect, method = p_rows, d / spread if spread > 0 else 0.0, "Bayesian bootstrap"
    return low, high, p_value, effect, method


def _t_test(
    metric: Metric, y: Array, a: Array, b: Array, k: int, group: Array, weight: Array | None, d: float, seed: int,
    level: float, freedom: int,
) -> tuple[float, float, float, float, str]:  # fmt: skip
    from scipy.special import stdtr

    phi_a, phi_b = influence(metric, y, a, k, weight), influence(metric, y, b, k, weight)
    if phi_a is None or phi_b is None:
        se, method = _resampled_spread(metric, y, a, b, k, group, weight, seed), "paired bootstrap of groups, t limit"
    else:
        se, method = standard_error(phi_a - phi_b, group), "paired t of groups"
    moved = _moved_by_classes_alone(metric, y, a, b, k, group, weight, d)
    if max(se, float(moved.sum())) <= 1e-9 * max(abs(d), 1e-12):
        # All groups agree, which is as telling as so many equal signs.
        unseen = abs(d) * (1 - wilson(freedom + 1, freedom + 1, level)[0])
        p_value = 1.0 if abs(d) <= 1e-12 else min(1.0, 2 * 0.5 ** (freedom + 1))
        effect = d / unseen * quantile_of_normal(level) if unseen > 0 else 0.0
        return d - unseen, d + unseen, p_value, effect, "sign test of groups"
    # Welch's degrees of freedom: what classes of one group leave open is an error seen once each.
    variance = se**2 + float(np.square(moved).sum())
    error, welch = math.sqrt(variance), variance**2 / (se**4 / freedom + float((moved**4).sum()))
    half, p_value = quantile_of_t(level, welch) * error, float(2 * stdtr(welch, -abs(d / error)))
    if (most := 2 * float(moved.sum())) > 0 and se > 0:
        # No more is open than what they change if all of them speak for the other model.
        half = min(half, quantile_of_t(level, freedom) * se + most)
        p_value = min(p_value, float(2 * stdtr(freedom, -max(0.0, abs(d) - most) / se)))
    return d - half, d + half, p_value, d / error, method


def _moved_by_classes_alone(
    metric: Metric, y: Array, a: Array, b: Array, k: int, group: Array, weight: Array | None, d: float
) -> Array:
    """(J,) errors of a difference that groups with classes of their own leave open, J at most ``SWAPS``.

    Between equally good models it is chance which of them such a group speaks for: with its answers in these classes
    changed over, the difference would have been another. Half of that is the error.
    """
    alone = _alone(metric, y, group, k)
    sign, moved = 1.0 if metric.greater_is_better else -1.0, []
    for part in np.unique(group[alone] % SWAPS):
        rows = alone & (group % SWAPS == part)
        changed = np.where(rows[:, None], b, a), np.where(rows[:, None], a, b)
        scores = [metric.score(y, prediction, k, weight) for prediction in changed]
        moved.append(abs(d - sign * (scores[0] - scores[1])) / 2)
    return np.array(moved)


def _t(level: float, group: Array) -> float:
    """t with ``P(|T| <= t) = level`` for G - 1 degrees of freedom."""
    return quantile_of_t(level, int(group.max()))


def mean_bounds_of_groups(
    rows: Array, w: Array, group: Array, seed: int, n_resamples: int, level: float
) -> tuple[float, float, str]:
    """Interval of the weighted mean of non-negative values (n,): a group is a row with its mean and its mass."""
    mass = np.bincount(group, weights=w)
    low, high, method = ratio_bounds(
        np.bincount(group, weights=w * rows) / mass, mass / mass.mean(), seed, n_resamples, level
    )
    return low, high, method.replace("weighted", "groups")


def _median_bounds(error: Array, w: Array, group: Array, level: float) -> tuple[float, float]:
    order = np.argsort(error)
    mass = np.cumsum(w[order])
    middle = error[order][np.searchsorted(mass, mass[-1] / 2)]
    below = (error <= middle).astype(np.float64)
    return within_medians(
        error, w, _t(level, group) * standard_error(w * (below - np.average(below, weights=w)), group)
    )


def _groups_of_classes(y: Array, group: Array) -> Array:
    """(C,) groups that each class occurs in, 0 of absent ones."""
    pairs = np.unique(np.column_stack([y.astype(np.int64), group]), axis=0)
    return np.bincount(pairs[:, 0])


def _fewest_groups(y: Array, group: Array, k: int) -> int:
    """Groups that the rarest present class occurs in; all groups for regression."""
    if k == 0:
        return int(group.max()) + 1
    sizes = _groups_of_classes(y, group)
    return int(sizes[sizes > 0].min())


def _by_class(metric: Metric) -> bool:
    return metric.rows is None and metric.greater_is_better


def _alone(metric: Metric, y: Array, group: Array, k: int) -> Array:
    """(n,) rows of classes that occur in one group, where a score counts more than two classes each for itself.

    Their influences cancel within the group, as if the score of the class were certain.
    """
    if k < 3 or not _by_class(metric):
        return np.zeros(len(y), dtype=bool)
    return np.asarray(_groups_of_classes(y, group)[y.astype(np.int64)] == 1)


def _freedom(metric: Metric, y: Array, group: Array, k: int) -> int:
    """Degrees of freedom of t limits: of two classes the groups of the rarer one decide how well each is known."""
    by_class = k == 2 and _by_class(metric)
    return (_fewest_groups(y, group, k) if by_class else int(group.max()) + 1) - 1


def _resamples(group: Array, n_resamples: int, seed: int) -> list[Array]:
    """Positions of the rows of so many resamples of whole groups."""
    rng, order = np.random.default_rng(seed), np.argsort(group, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(group))[:-1])
    return [np.concatenate([members[i] for i in rng.integers(len(members), size=len(members))])
            for _ in range(n_resamples)]  # fmt: skip


def _percentile_bounds(
    metric: Metric, y: Array, prediction: Array, k: int, group: Array, weight: Array | None, seed: int,
    n_resamples: int, level: float,
) -> tuple[float, float, str]:  # fmt: skip
    scores = [
        metric.score(y[pick], prediction[pick], k, None if weight is None else weight[pick])
        for pick in _resamples(group, n_resamples, seed)
    ]
    return (*percentiles(np.array(scores), level), "percentile bootstrap of groups")


def _resampled_spread(
    metric: Metric, y: Array, a: Array, b: Array, k: int, group: Array, weight: Array | None, seed: int
) -> float:
    """Standard error of a difference by resamples of whole groups, the same for both models."""
    draws = []
    for pick in _resamples(group, TEST_RESAMPLES, seed):
        w = None if weight is None else weight[pick]
        draws.append(metric.score(y[pick], a[pick], k, w) - metric.score(y[pick], b[pick], k, w))
    return float(np.std(draws, ddof=1))
