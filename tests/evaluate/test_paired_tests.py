from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from simulated import binary, numbers, three_classes
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from autodl.evaluate import paired_test
from autodl.evaluate.base import metrics
from autodl.evaluate.mcnemar import mcnemar_p
from autodl.evaluate.tests import compare_with, holm


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_equals_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


@pytest.mark.parametrize(("b", "c"), [(0, 0), (3, 9), (9, 3), (10, 10), (0, 6), (40, 70)])
def test_mcnemar_is_statsmodels_exact_test_less_half_the_observed_point(b, c):
    exact = mcnemar([[5, b], [c, 7]], exact=True).pvalue
    m = b + c
    expected = min(1.0, exact - stats.binom(m, 0.5).pmf(b)) if b != c else 1.0
    assert mcnemar_p(b, c) == pytest.approx(expected, abs=1e-12)


def test_mean_losses_are_compared_by_the_paired_t_test():
    y, a, b = binary(np.random.default_rng(0), 150)
    rows = metrics["log_loss"].rows
    expected = stats.ttest_rel(rows(y, b, 2), rows(y, a, 2))
    got = paired_test(metrics["log_loss"], y, a, b, 2, seed=0)
    assert got.p_value == pytest.approx(expected.pvalue)
    assert (got.low, got.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_auc_is_compared_by_delongs_test_with_t_limits():
    y, a, b = binary(np.random.default_rng(2), 120)
    parts = []
    for p in (a, b):
        wins = p[y == 1, 1][:, None] > p[y == 0, 1][None, :]
        parts.append((wins.mean(axis=1), wins.mean(axis=0)))
    difference = parts[0][0].mean() - parts[1][0].mean()
    own = [(parts[0][i] - parts[1][i]).var(ddof=1) / len(parts[0][i]) for i in range(2)]
    variance = sum(own)
    welch = variance**2 / sum(v**2 / (len(part) - 1) for v, part in zip(own, parts[0], strict=True))
    got = paired_test(metrics["roc_auc"], y, a, b, 2, seed=0)
    assert got.difference == pytest.approx(difference)
    assert got.p_value == pytest.approx(2 * stats.t.sf(abs(difference) / np.sqrt(variance), welch), rel=0.02)


@pytest.mark.parametrize("key", sorted(metrics))
def test_swapping_the_models_turns_the_sign(key):
    metric = metrics[key]
    k = 2 if metric.task == "classification" else 0
    y, a, b = (binary if k else numbers("normal"))(np.random.default_rng(4), 100)
    one, two = paired_test(metric, y, a, b, k, seed=1), paired_test(metric, y, b, a, k, seed=1)
    assert one.difference == pytest.approx(-two.difference)
    assert one.p_value == pytest.approx(two.p_value)
    assert one.low == pytest.approx(-two.high)
    assert one.low <= one.difference <= one.high


@pytest.mark.parametrize("key", sorted(metrics))
def test_a_model_ties_with_itself(key):
    metric = metrics[key]
    k = 3 if metric.task == "classification" else 0
    y, a, _ = (three_classes if k else numbers("normal"))(np.random.default_rng(4), 100)
    got = paired_test(metric, y, a, a, k, seed=0)
    assert got.difference == 0
    assert got.p_value == 1.0


def test_verdicts():
    rng = np.random.default_rng(0)
    y = rng.normal(size=300)
    good, same, bad = (y + s * rng.normal(size=300) for s in (0.5, 0.5, 1.5))
    first, second = compare_with(metrics["rmse"], y, ("good", good), [("same", same), ("bad", bad)], seed=0)
    assert (first.verdict, second.verdict) == ("tie", "better")
    assert second.difference > 0 and second.low > 0
    assert compare_with(metrics["rmse"], y, ("bad", bad), [("good", good)], seed=0)[0].verdict == "worse"


def test_two_rows_prove_nothing():
    assert paired_test(metrics["rmse"], np.zeros(2), np.zeros(2), np.ones(2), seed=0).p_value == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 200, 1000])
@pytest.mark.parametrize(
    ("draw", "k", "keys"),
    [
        (binary, 2, ("accuracy", "roc_auc", "log_loss", "brier", "f1", "mcc", "balanced_accuracy")),
        (three_classes, 3, ("accuracy", "roc_auc", "log_loss")),
        (numbers("normal"), 0, ("rmse", "mae", "r2")),
        (numbers("t5"), 0, ("rmse", "mae", "r2")),
    ],
    ids=["binary", "three", "normal", "t5"],
)
def test_equally_good_models_are_told_apart_at_most_at_the_nominal_rate(draw, k, keys, n):
    """1,000 samples at 5 %: the simulation itself has a standard error of 0.7 points."""
    rejected = dict.fromkeys(keys, 0)
    for r in range(1000):
        y, a, b = draw(np.random.default_rng([r, n]), n)
        for key in keys:
            rejected[key] += paired_test(metrics[key], y, a, b, k, seed=r).p_value < 0.05
    assert all(20 <= c <= 67 for c in rejected.values()), rejected


@pytest.mark.slow
def test_median_error_keeps_its_size_and_finds_differences():
    rejected = found = 0
    for r in range(150):
        y, a, b = numbers("normal")(np.random.default_rng(r), 100)
        rejected += paired_test(metrics["median_ae"], y, a, b, seed=r, n_resamples=200).p_value < 0.05
        worse = y + 2.5 * (b - y)
        found += paired_test(metrics["median_ae"], y, a, worse, seed=r, n_resamples=200).p_value < 0.05
    assert rejected <= 14
    assert found >= 142


def test_a_clearly_better_model_is_found_by_every_metric():
    rng = np.random.default_rng(8)
    y, a, _ = binary(rng, 800)
    noise = rng.permutation(a)
    for key in ("accuracy", "roc_auc", "log_loss", "brier", "f1", "mcc", "balanced_accuracy"):
        got = paired_test(metrics[key], y, a, noise, 2, seed=0)
        assert got.difference > 0 and got.p_value < 1e-6


def test_a_perfect_ranking_of_few_rows_is_not_certain():
    y = np.array([0, 0, 0, 1, 1, 1])
    a = np.column_stack([1 - np.linspace(0.1, 0.9, 6), np.linspace(0.1, 0.9, 6)])
    got = paired_test(metrics["roc_auc"], y, a, np.full((6, 2), 0.5), 2, seed=0)
    # 20 orders of three positives among six rows, two of them perfect in one direction or the other.
    assert got.difference == 0.5 and got.p_value == pytest.approx(0.1)
    assert got.low < 0 < 0.5 <= got.high


@pytest.mark.parametrize("n", [20, 200])
def test_a_perfect_ranking_of_more_rows_is_significant(n):
    y = np.arange(n) % 2
    a = np.eye(2)[y]
    got = paired_test(metrics["roc_auc"], y, a, np.full((n, 2), 0.5), 2, seed=0)
    assert 0 < got.p_value < 0.001
    assert 0 < got.low < 0.5 <= got.high


@pytest.mark.parametrize("key", ["balanced_accuracy", "f1", "mcc"])
def test_perfect_answers_without_spread_are_tested_by_mcnemar(key):
    y = np.array([0] * 4 + [1] * 4)
    got = paired_test(metrics[key], y, np.eye(2)[y], np.tile([0.6, 0.4], (8, 1)), 2, seed=0)
    assert got.low < got.difference <= got.high
    # Four rows of eight differ, all in favour of one model: mid-p 2 / 2^4 - 1 / 2^4.
    assert got.p_value == pytest.approx(1 / 16)


def test_a_constant_advantage_is_tested_by_signs():
    y = np.zeros(5)
    got = paired_test(metrics["mae"], y, y + 1.0, y + 2.0, 0, seed=0)
    assert got.p_value == pytest.approx(stats.binomtest(5, 5).pvalue)
    assert got.low < 1.0 < got.high


def test_medians_of_many_rows_are_compared_finely_enough_for_holm():
    rng = np.random.default_rng(0)
    y = rng.normal(size=6000)
    a, b = y + rng.normal(size=6000), y + 1.3 * rng.normal(size=6000)
    got = paired_test(metrics["median_ae"], y, a, b, 0, seed=0)
    # The median of |N(0, s)| is 0.6745 s; its variance is 1 / (4 n f^2), f = 2 phi(0.6745) / s the density there.
    density = 2 * stats.norm.pdf(0.6745)
    expected = np.sqrt(sum((s / density) ** 2 for s in (1.0, 1.3)) / (4 * 6000))
    assert (got.high - got.low) / (2 * 1.97) == pytest.approx(expected, rel=0.25)
    assert got.p_value < 1e-4
