"""Paired tests of two models on the same rows, and Holm's correction.

Notation: n rows, d = score of a minus score of b, turned so that d > 0 means that a is better.

- Accuracy: McNemar's test, mid-p (Fagerland et al. 2013), with the interval of Bonett and Price 2012.
- ROC AUC: DeLong et al. 1988, with t limits and room for classes of few rows.
- Means of losses and their roots, scores of a confusion matrix, R2: t test on the paired row influences; for a mean
  loss that is the paired t test.
- Scores of a confusion matrix where a class has few rows: Bayesian bootstrap, see ``rare_classes``. Precision where
  an answer is given in few rows: the more careful of that and the t test.
- Everything else: paired percentile bootstrap, the same resamples for both; for many rows the t limit with the
  bootstrap's standard error, which needs fewer resamples.
- Where the rows show no spread at all: exact tests, see ``no_spread``.
- Where rows were drawn in groups: the t test on sums over groups, see ``grouped``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.bounds import quantile_of_normal
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.mcnemar import mcnemar_p
from autodl.evaluate.no_spread import without_spread
from autodl.evaluate.rare_classes import answers_test, by_answer, by_ranks, few_decide, rank_error
from autodl.records import Comparison

Array = NDArray[Any]
MANY_ROWS = 5000
FEW_RESAMPLES = 200
"""Of the bootstrap above ``MANY_ROWS`` rows: enough for a standard error."""


@dataclass(frozen=True)
class PairedTest:
    """``difference`` > 0 means that the first model is better; ``effect`` is the difference over its spread."""

    difference: float
    low: float
    high: float
    p_value: float
    effect: float
    n: int
    method: str


def paired_test(
    metric: Metric,
    y: Array,
    a: Array,
    b: Array,
    n_classes: int = 0,
    *,
    seed: int,
    n_resamples: int = 1000,
    level: float = 0.95,
    weight: Array | None = None,
    group: Array | None = None,
) -> PairedTest:
    """Is model a better than model b on these rows, beyond chance?

    Args:
        metric: What to compare.
        y: (n,) targets. a, b: (n, K) or (n,) predictions of the two models.
        n_classes: K; 0 for regression.
        seed: Of the bootstrap, where one is needed.
        n_resamples: Bootstrap samples.
        level: Of the interval of the difference.
        weight: (n,) how much each row counts; all alike if None. Shares of weighted rows are compared by the t test.
        group: (n,) rows of the same number were drawn together; each for itself if None.
    """
    from autodl.evaluate.grouped import group_numbers, grouped_test

    n, sign = len(y), 1.0 if metric.greater_is_better else -1.0
    difference = sign * (metric.score(y, a, n_classes, weight) - metric.score(y, b, n_classes, weight))
    if n < 3:
        return PairedTest(difference, -math.inf, math.inf, 1.0, 0.0, n, "none: too few rows")
    group = group_numbers(group)
    if group is not None:
        low, high, p_value, effect, method = grouped_test(
            metric, y, a, b, n_classes, group, weight, difference, seed, n_resamples, level
        )
        return PairedTest(difference, low, high, p_value, effect, n, method)
    if metric.counts is not None and metric.rows is not None and weight is None:
        return _mcnemar(metric, y, a, b, n_classes, level)
    said = metric.prepare(a), metric.prepare(b)
    few = few_decide(metric, y, weight, *said)
    if few and not by_answer(metric) and _lead_varies(y, *said):
        # Before the influences, which take long with many classes.
        return _of_answers(metric, y, a, b, n_classes, difference, sign, seed, n_resamples, level, weight)
    phi_a, phi_b = influence(metric, y, a, n_classes, weight), influence(metric, y, b, n_classes, weight)
    if phi_a is None or phi_b is None:
        return _bootstrap(metric, y, a, b, n_classes, difference, sign, seed, n_resamples, level, weight)
    se = standard_error(phi_a - phi_b)
    if se <= 1e-9 * max(abs(difference), 1e-12):
        low, high, p_value, method = without_spread(metric, y, a, b, n_classes, difference, seed, level, weight)
        spread = (high - low) / (2 * quantile_of_normal(level))
        effect = difference / spread if spread > 0 else 0.0
        return PairedTest(difference, low, high, p_value, effect, n, method)
    from scipy.special import stdtr, stdtrit

    answers = None
    if few:
        answers = _of_answers(metric, y, a, b, n_classes, difference, sign, seed, n_resamples, level, weight)
        if not by_answer(metric):
            return answers
    delong, freedom = by_ranks(metric, n_classes), float(n - 1)
    if delong:
        se, freedom = rank_error(phi_a - phi_b, y, n_classes, weight, (a, b))
    half = float(stdtrit(freedom, 0.5 + level / 2)) * se
    p_value = float(2 * stdtr(freedom, -abs(difference / se)))
    plain = metric.rows is not None and not metric.root
    name = "DeLong" if delong else "paired t" if plain else "paired t, delta method"
    if answers is not None and answers.p_value > p_value:
        return answers
    return PairedTest(difference, difference - half, difference + half, p_value, difference / se, n, name)


def _lead_varies(y: Array, a: Array, b: Array) -> bool:
    """Whether one model is right and the other wrong, (n,) codes each, in some rows of a class and not in others."""
    lead = (a == y).astype(np.int64) - (b == y)
    return len(np.unique(3 * y.astype(np.int64) + lead)) > len(np.unique(y))


def _of_answers(
    metric: Metric, y: Array, a: Array, b: Array, k: int, d: float, sign: float, seed: int, n_resamples: int,
    level: float, weight: Array | None,
) -> PairedTest:  # fmt: skip
    low, high, p_value, spread = answers_test(
        metric, y, metric.prepare(a), metric.prepare(b), k, sign, seed, n_resamples, level, weight
    )
    effect = d / spread if spread > 0 else 0.0
    return PairedTest(d, min(low, d), max(high, d), p_value, effect, len(y), "Bayesian bootstrap")


def _mcnemar(metric: Metric, y: Array, a: Array, b: Array, k: int, level: float) -> PairedTest:
    assert metric.rows is not None
    right_a = metric.rows(y, metric.prepare(a), k) > 0.5
    right_b = metric.rows(y, metric.prepare(b), k) > 0.5
    only_a, only_b, n = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum()), len(y)
    d = (only_a - only_b) / n
    p, q = (only_a + 1) / (n + 2), (only_b + 1) / (n + 2)
    se = math.sqrt(max(0.0, p + q - (p - q) ** 2) / (n + 2))
    half = quantile_of_normal(level) * se
    low, high = max(-1.0, p - q - half), min(1.0, p - q + half)
    return PairedTest(d, min(low, d), max(high, d), mcnemar_p(only_a, only_b), d / se, n, "McNemar, mid-p")


def _bootstrap(
    metric: Metric, y: Array, a: Array, b: Array, k: int, d: float, sign: float, seed: int, n_resamples: int,
    level: float, weight: Array | None,
) -> PairedTest:  # fmt: skip
    rng, n = np.random.default_rng(seed), len(y)
    many = n > MANY_ROWS
    if many:
        n_resamples = min(n_resamples, FEW_RESAMPLES)
    draws = np.empty(n_resamples)
    errors = (np.abs(a - y), np.abs(b - y)) if metric.key == "median_ae" and weight is None else None
    for i in range(n_resamples):
        pick = rng.integers(n, size=n)
        if errors is not None:
            draws[i] = sign * (float(np.median(errors[0][pick])) - float(np.median(errors[1][pick])))
        else:
            w = None if weight is None else weight[pick]
            draws[i] = sign * (metric.score(y[pick], a[pick], k, w) - metric.score(y[pick], b[pick], k, w))
    spread = float(draws.std(ddof=1))
    if many and spread > 0:
        from scipy.special import stdtr, stdtrit

        # Counting resamples beyond zero could not go below 2 / 201, too coarse for Holm's correction.
        half = float(stdtrit(n_resamples - 1, 0.5 + level / 2)) * spread
        p = float(2 * stdtr(n_resamples - 1, -abs(d / spread)))
        return PairedTest(d, d - half, d + half, p, d / spread, n, "paired bootstrap, t limit")
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    # The share of resamples beyond zero, ties counting half, with one added so that p is never 0.
    below = float((draws < 0).sum() + 0.5 * (draws == 0).sum())
    p_value = min(1.0, 2 * (min(below, n_resamples - below) + 1) / (n_resamples + 1))
    effect = d / spread if spread > 0 else 0.0
    return PairedTest(d, min(float(low), d), max(float(high), d), p_value, effect, n, "paired bootstrap")


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjusted p-values, in the given order.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    out = np.empty(len(p))
    out[order] = stepped
    return [float(v) for v in out]


def compare_with(
    metric: Metric,
    y: Array,
    leader: tuple[str, Array],
    others: Sequence[tuple[str, Array]],
    n_classes: int = 0,
    *,
    seed: int,
    alpha: float = 0.05,
    weight: Array | None = None,
    group: Array | None = None,
) -> list[Comparison]:
    """Test one model, chosen beforehand, against each of the others.

    Args:
        metric: What to compare.
        y: (n,) targets.
        leader: Name and predictions. others: the same of each other model.
        n_classes: K; 0 for regression.
        seed: Of the bootstrap, where one is needed.
        alpha: Family-wise error; ``verdict`` is "tie" where the Holm-corrected p-value is not below it.
        weight: (n,) how much each row counts; all alike if None.
        group: (n,) rows of the same number were drawn together; each for itself if None.
    """
    name, prediction = leader
    tests = [
        paired_test(metric, y, prediction, other, n_classes, seed=seed, weight=weight, group=group)
        for _, other in others
    ]
    corrected = holm([t.p_value for t in tests]) if tests else []
    out = []
    for (other, _), test, p in zip(others, tests, corrected, strict=True):
        verdict: Literal["better", "worse", "tie"] = "tie"
        if p < alpha:
            verdict = "better" if test.difference > 0 else "worse"
        out.append(
            Comparison(
                a=name, b=other, metric=metric.key, difference=test.difference, low=test.low, high=test.high,
                p_value=test.p_value, p_holm=p, n=test.n, effect=test.effect, method=test.method, verdict=verdict,
            )
        )  # fmt: skip
    return out
