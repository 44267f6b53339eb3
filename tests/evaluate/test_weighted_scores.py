"""Scores, standard errors, intervals and tests of weighted rows.

Notation: n rows, w weights. References: repeated rows, numerical derivatives by the weights, and simulation.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from autodl.evaluate.base import Metric, metrics
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.intervals import interval
from autodl.evaluate.tests import paired_test
from autodl.evaluate.weighted import effective_rows
from autodl.records import Task

KEYS = sorted(metrics)


def sample(metric: Metric, n: int, seed: int, k: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Targets, predictions, whole weights, and the number of classes."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(1, 5, n).astype(float)
    if metric.task is Task.REGRESSION:
        y = rng.gamma(2.0, size=n) + 0.5
        return y, y + rng.normal(0, 0.7, n), weight, 0
    y = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[y]
    proba = np.exp(logits)
    return y, proba / proba.sum(axis=1, keepdims=True), weight, k


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("key", KEYS)
def test_a_whole_weight_is_a_number_of_repetitions(key: str, k: int) -> None:
    metric = metrics[key]
    y, p, weight, classes = sample(metric, 90, 3, k)
    rows = np.repeat(np.arange(len(y)), weight.astype(int))
    assert metric.score(y, p, classes, weight) == pytest.approx(metric.score(y[rows], p[rows], classes))
    assert metric.loss(y, p, classes, 7.5 * weight) == pytest.approx(metric.loss(y, p, classes, weight))


@pytest.mark.parametrize("key", KEYS)
def test_influence_is_the_derivative_by_the_weights(key: str) -> None:
    """d score / d w_i = phi_i / (n w_i) for weights of mean 1."""
    metric = metrics[key]
    y, p, weight, classes = sample(metric, 400, 5)
    weight = weight / weight.mean()
    phi = influence(metric, y, p, classes, weight)
    if phi is None:
        pytest.skip("not smooth")
    step = 1e-5
    for i in range(0, 400, 57):
        up, down = weight.copy(), weight.copy()
        up[i] += step
        down[i] -= step
        slope = (metric.score(y, p, classes, up) - metric.score(y, p, classes, down)) / (2 * step)
        # The AUC's is DeLong's, larger by a factor that goes to 1 with the rows of the class.
        assert phi[i] / (400 * weight[i]) == pytest.approx(slope, rel=0.012, abs=1e-9)
    assert abs(phi.sum()) < 1e-6 * np.abs(phi).sum()


@pytest.mark.parametrize("key", KEYS)
def test_equal_weights_change_nothing(key: str) -> None:
    metric = metrics[key]
    y, p, _, k = sample(metric, 150, 7)
    other = sample(metric, 150, 8)[1] if k else p + 0.3
    same = np.full(150, 3.0)
    a, b = influence(metric, y, p, k), influence(metric, y, p, k, same)
    if a is not None and b is not None:
        np.testing.assert_allclose(a, b, atol=1e-9)
        # Shares are compared exactly by McNemar's test where there are no weights.
        if not (metric.counts is not None and metric.rows is not None):
            plain, weighted = (paired_test(metric, y, p, other, k, seed=1, weight=w) for w in (None, same))
            assert weighted.p_value == pytest.approx(plain.p_value, abs=1e-9)
            assert weighted.difference == pytest.approx(plain.difference)
    plain_i, weighted_i = (interval(metric, y, p, k, seed=1, weight=w, n_resamples=2000) for w in (None, same))
    width = plain_i.high - plain_i.low
    # Random numbers differ; so do the positions of order statistics, by a row or two.
    assert weighted_i.low == pytest.approx(plain_i.low, abs=0.08 * width)
    assert weighted_i.high == pytest.approx(plain_i.high, abs=0.08 * width)


def test_effective_rows() -> None:
    assert effective_rows(np.array([1.0, 1.0, 1.0, 1e-12])) == pytest.approx(3.0)
    assert effective_rows(np.arange(1.0, 6.0)) == pytest.approx(225 / 55)


@pytest.mark.parametrize("key", ["accuracy", "balanced_accuracy", "f1", "roc_auc", "log_loss", "mae", "rmse", "r2",
                                 "median_ae"])  # fmt: skip
def test_intervals_cover_where_weights_undo_a_biased_sample(key: str) -> None:
    """Rows are drawn by a probability that depends on how hard they are; weights 1 / probability undo it.

    The truth is the score of the whole population. With weights left out, coverage would be next to nothing.
    """
    metric, runs, n = metrics[key], 250, 250
    rng = np.random.default_rng(11)
    many = 200_000
    hard = rng.random(many) < 0.4
    if metric.task is Task.REGRESSION:
        y = rng.normal(size=many)
        p = y + rng.normal(size=many) * np.where(hard, 1.0, 0.4)
        k = 0
    else:
        y = rng.integers(0, 2, many)
        score = (2 * y - 1) * np.where(hard, 0.2, 1.5) + rng.normal(size=many)
        one = 1 / (1 + np.exp(-score))
        p, k = np.column_stack([1 - one, one]), 2
    truth = metric.score(y, p, k)
    chance = np.where(hard, 0.8, 0.2)
    chance = chance / chance.sum()
    held = held_plain = 0
    for run in range(runs):
        rows = rng.choice(many, size=n, p=chance)
        weight = 1 / chance[rows]
        found = interval(metric, y[rows], p[rows], k, seed=run, n_resamples=200, weight=weight)
        plain = interval(metric, y[rows], p[rows], k, seed=run, n_resamples=200)
        held += found.low <= truth <= found.high
        held_plain += plain.low <= truth <= plain.high
    # Not below 95 % beyond chance, give or take the two points that intervals of this size may lack.
    assert stats.binomtest(held, runs, 0.93, alternative="less").pvalue > 1e-3, f"{held} of {runs}"
    assert held > held_plain


def test_the_paired_test_holds_its_level_with_weights() -> None:
    """Two models that are equally good in the weighted population: 5 % false alarms, up to chance."""
    rng, runs, alarms = np.random.default_rng(5), 400, 0
    for run in range(runs):
        y = rng.normal(size=120)
        weight = rng.gamma(1.0, size=120) + 0.05
        a, b = y + rng.normal(size=120), y + rng.normal(size=120)
        alarms += paired_test(metrics["rmse"], y, a, b, seed=run, weight=weight).p_value < 0.05
    assert stats.binomtest(alarms, runs, 0.065, alternative="greater").pvalue > 1e-3, f"{alarms} of {runs}"


def test_standard_error_grows_with_the_spread_of_the_weights() -> None:
    """For weights that have nothing to do with the losses, by Kish's factor."""
    rng = np.random.default_rng(0)
    n = 20_000
    y, p, weight = rng.normal(size=n), np.zeros(n), rng.gamma(0.5, size=n) + 0.01
    plain = standard_error(influence(metrics["mae"], y, p, 0))
    weighted = standard_error(influence(metrics["mae"], y, p, 0, weight))
    assert weighted / plain == pytest.approx(np.sqrt(n / effective_rows(weight)), rel=0.05)


def test_coverage_of_quantiles_counts_rows_by_their_weights() -> None:
    from autodl.evaluate.coverage import quantile_check

    rng = np.random.default_rng(2)
    y, weight = rng.normal(size=400), rng.gamma(1.0, size=400) + 0.1
    q = np.column_stack([np.full(400, -1.0), np.full(400, 1.0) + rng.random(400)])
    found = quantile_check(y, q, (0.1, 0.9), y, seed=0, weight=weight).intervals[0]
    inside = (q[:, 0] <= y) & (y <= q[:, 1])
    assert found.held.value == pytest.approx(np.average(inside, weights=weight))
    assert found.width.value == pytest.approx(np.average(q[:, 1] - q[:, 0], weights=weight))
    plain = quantile_check(y, q, (0.1, 0.9), y, seed=0).intervals[0]
    assert found.held.high - found.held.low > plain.held.high - plain.held.low
    assert found.held.low < found.held.value < found.held.high
