"""Scores that count classes alike, where a class has few test rows. Reference: simulation without signal."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from autodl.evaluate import paired_test
from autodl.evaluate.base import metrics
from autodl.evaluate.intervals import interval
from autodl.evaluate.rare_classes import rank_error
from autodl.records.evaluation import ONE_CLASS


def codes(*sizes):
    return np.repeat(np.arange(len(sizes)), sizes)


def no_signal(rng, y, k):
    """(n, K) probabilities that know nothing, the same for all classes."""
    return rng.dirichlet(np.ones(k), size=len(y))


@pytest.mark.parametrize("key", ["roc_auc", "balanced_accuracy"])
@pytest.mark.parametrize("sizes", [(60, 1), (60, 2), (60, 3), (60, 5), (40, 40, 1), (40, 40, 2)])
@pytest.mark.parametrize("weighted", [False, True])
def test_without_signal_a_model_is_seldom_better_than_a_guess(key, sizes, weighted):
    runs, found, y, k = 150, 0, codes(*sizes), len(sizes)
    guess = np.tile(np.linspace(0.6, 0.4, k), (len(y), 1))
    for run in range(runs):
        rng = np.random.default_rng([run, *sizes])
        weight = rng.uniform(0.8, 1.2, size=len(y)) if weighted else None
        test = paired_test(
            metrics[key], y, no_signal(rng, y, k), guess, k, seed=run, n_resamples=300, weight=weight
        )  # fmt: skip
        found += test.p_value < 0.05
    assert stats.binomtest(found, runs, 0.06, alternative="greater").pvalue > 1e-2, f"{found} of {runs}"


@pytest.mark.parametrize("key", ["roc_auc", "balanced_accuracy", "f1", "mcc"])
def test_a_model_that_knows_much_is_found_with_a_few_rows(key):
    rng, y = np.random.default_rng(0), codes(60, 8)
    p = 1 / (1 + np.exp(-rng.normal(size=68) - 5 * (y - 0.5)))
    test = paired_test(metrics[key], y, np.column_stack([1 - p, p]), np.tile([0.9, 0.1], (68, 1)), 2, seed=0)
    assert test.p_value < 0.01 and test.low > 0


@pytest.mark.parametrize("rare", [1, 2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
def test_intervals_of_auc_cover(rare, weighted):
    runs, held, y = 200, 0, codes(80, rare)
    for run in range(runs):
        rng = np.random.default_rng([run, rare])
        z = rng.normal(size=len(y)) + y * stats.norm.ppf(0.8) * np.sqrt(2)
        p = 1 / (1 + np.exp(-z))
        weight = rng.uniform(0.8, 1.2, size=len(y)) if weighted else None
        found = interval(metrics["roc_auc"], y, np.column_stack([1 - p, p]), 2, seed=run, weight=weight)
        held += found.low <= 0.8 <= found.high
    assert stats.binomtest(held, runs, 0.94, alternative="less").pvalue > 1e-2, f"{held} of {runs}"


def test_degrees_of_freedom_are_welchs():
    rng, y = np.random.default_rng(0), codes(50, 20)
    v = rng.random(70)
    phi = np.concatenate(
        [70 / np.sqrt(50 * 49) * (v[:50] - v[:50].mean()), 70 / np.sqrt(20 * 19) * (v[50:] - v[50:].mean())]
    )
    _, freedom = rank_error(phi, y, 2, None, (np.column_stack([1 - v, v]),))
    assert freedom == pytest.approx(stats.ttest_ind(v[:50], v[50:], equal_var=False).df)


@pytest.mark.parametrize("key", ["roc_auc", "f1", "balanced_accuracy"])
def test_a_class_in_one_group_decides_nothing(key):
    """Two machines of ten broke, or one: how often their rows are found says little or nothing of other machines."""
    rng, group = np.random.default_rng(0), np.repeat(np.arange(10), 10)
    p = rng.random(100)
    for broken, least in ((1, 1.0), (2, 0.05)):
        y = (group < broken).astype(int)
        better = np.clip(0.7 * y + 0.3 * p, 0, 1)
        a, b = np.column_stack([1 - better, better]), np.tile([0.9, 0.1], (100, 1))
        test = paired_test(metrics[key], y, a, b, 2, seed=0, group=group)
        assert test.p_value >= least and test.low <= test.difference <= test.high
        known = interval(metrics[key], y, a, 2, seed=0, group=group)
        assert 0 <= known.low < known.value - 0.2 and known.high <= 1


@pytest.mark.parametrize("weight", [None, np.linspace(0.5, 1.5, 40)])
def test_one_class_alone_ranks_nothing(weight):
    p = np.random.default_rng(0).random(40)
    for k, proba in ((2, np.column_stack([1 - p, p])), (3, np.column_stack([(1 - p) / 2, (1 - p) / 2, p]))):
        found = interval(metrics["roc_auc"], np.zeros(40, dtype=int), proba, k, seed=0, weight=weight)
        assert (found.low, found.high, found.method) == (0.0, 1.0, ONE_CLASS)
