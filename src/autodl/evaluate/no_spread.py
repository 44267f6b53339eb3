"""Paired tests where the rows show no spread: a standard error of zero is a small sample's silence, not certainty.

Notation: n rows, d > 0 the advantage of model a. E.g. a perfect ranking against a constant guess, or a constant
advantage in every row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.bounds import wilson
from autodl.evaluate.intervals import effective_rows, interval
from autodl.evaluate.mcnemar import mcnemar_p

Array = NDArray[Any]


def without_spread(
    metric: Metric, y: Array, a: Array, b: Array, k: int, d: float, seed: int, level: float,
    weight: Array | None = None,
) -> tuple[float, float, float, str]:  # fmt: skip
    """Low, high, p-value and method of a difference whose estimated standard error is zero.

    - Ranks: how rarely chance ranks the rarest class perfectly, two-sided.
    - Scores of a confusion matrix: McNemar's test of the answers.
    - Means of losses and the rest: the sign test; all n rows agree.

    The interval of bounded scores combines those of the two models (MOVER, Zou and Donner 2008), which do not
    collapse; that of others is the difference, give or take the share of rows that may disagree unseen.

    Args:
        metric: Compared. y: (n,) targets. a, b: (n, K) or (n,) predictions. k: Classes; 0 for regression.
        d: The difference, better being positive. seed: Of resampling. level: Of the interval.
        weight: (n,) of the rows, for the intervals; that all rows agree is as telling with weights as without.
    """
    n, same = len(y), abs(d) <= 1e-12
    if np.array_equal(a, b):
        return d, d, 1.0, "exact: equal predictions"
    if metric.counts is not None:
        label_a, label_b = metric.prepare(a), metric.prepare(b)
        only_a = int(((label_a == y) & (label_b != y)).sum())
        only_b = int(((label_a != y) & (label_b == y)).sum())
        low, high = _combined(metric, y, a, b, k, d, seed, level, weight)
        return low, high, 1.0 if same else mcnemar_p(only_a, only_b), "McNemar, mid-p, of the answers"
    if metric.influence is not None and metric.worst is not None:
        low, high = _combined(metric, y, a, b, k, d, seed, level, weight)
        p_value = min(1.0, 2 / math.comb(n, effective_rows(y, k)))
        return low, high, 1.0 if same else p_value, "exact: perfect ranking"
    if same:
        return d, d, 1.0, "exact: equal rows"
    unseen = abs(d) * (1 - wilson(n, n, level)[0])
    return d - unseen, d + unseen, min(1.0, 2 * 0.5**n), "sign test"


def _combined(
    metric: Metric, y: Array, a: Array, b: Array, k: int, d: float, seed: int, level: float, weight: Array | None
) -> tuple[float, float]:
    """Low and high of the difference from both models' own intervals; the rank score of a constant is known."""
    sides = []
    for prediction in (a, b):
        own = interval(metric, y, prediction, k, seed=seed, level=level, weight=weight)
        known = metric.needs != "label" and bool(np.ptp(prediction, axis=0).max() == 0)
        below, above = (0.0, 0.0) if known else (own.value - own.low, own.high - own.value)
        sides.append((below, above) if metric.greater_is_better else (above, below))
    (worse_a, better_a), (worse_b, better_b) = sides
    return d - math.hypot(worse_a, better_b), d + math.hypot(better_a, worse_b)
