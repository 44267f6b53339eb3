"""Scores that count classes alike, where a class has few test rows. Reference: simulation without signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from autodl.evaluate import paired_test, rare_classes
from autodl.evaluate.base import metrics
from autodl.evaluate.intervals import interval
from autodl.evaluate.rare_classes import FEW_DRAWS, MANY_CLASSES, class_rows, rank_error
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
@pytest.mark.parametrize("auc", [0.8, 0.97])
def test_intervals_of_auc_cover(rare, weighted, auc):
    runs, held, y = 200, 0, codes(80, rare)
    for run in range(runs):
        rng = np.random.default_rng([run, rare])
        z = rng.normal(size=len(y)) + y * stats.norm.ppf(auc) * np.sqrt(2)
        p = 1 / (1 + np.exp(-z))
        weight = rng.uniform(0.8, 1.2, size=len(y)) if weighted else None
        found = interval(metrics["roc_auc"], y, np.column_stack([1 - p, p]), 2, seed=run, weight=weight)
        held += found.low <= auc <= found.high
    assert stats.binomtest(held, runs, 0.94, alternative="less").pvalue > 1e-2, f"{held} of {runs}"


@pytest.mark.parametrize("sizes", [(100, 3), (100, 5), (100, 7), (60, 40, 4), (20, 6, 6, 6, 6, 6)])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_better_ranking_is_not_said_to_be_less_certain(sizes, weighted):
    """The rows of each class rise above the others step by step: the lower limit hardly ever falls."""
    y, k = codes(*sizes), len(sizes)
    rng = np.random.default_rng(1)
    noise, weight = rng.normal(size=(len(y), k)), rng.uniform(0.8, 1.2, size=len(y)) if weighted else None
    found = []
    for rise in np.linspace(0, 6, 13):
        proba = np.exp(noise + rise * np.eye(k)[y])
        proba /= proba.sum(axis=1, keepdims=True)
        found.append(interval(metrics["roc_auc"], y, proba, k, seed=0, weight=weight))
    low = np.array([f.low for f in found])
    assert found[-1].value > 0.995 and (low >= np.maximum.accumulate(low) - 0.08).all(), low
    assert low[-1] > 0.2 and low[-1] > low[0]


def test_intervals_of_auc_are_turned_with_the_ranking():
    rng, y = np.random.default_rng(3), codes(50, 4)
    p = 1 / (1 + np.exp(-rng.normal(size=54) - 2 * y))
    up, down = (interval(metrics["roc_auc"], y, np.column_stack([1 - q, q]), 2, seed=0) for q in (p, 1 - p))
    assert (down.low, down.high) == pytest.approx((1 - up.high, 1 - up.low)) and up.value > 0.7


def test_rows_of_a_class_are_counted_by_their_weights():
    y = np.array([0, 0, 0, 2, 2, 3])
    assert class_rows(y, None).tolist() == [3, 2, 1]
    assert class_rows(y, np.array([1.0, 1, 0, 2, 1, 0])) == pytest.approx([2, 9 / 5])
    # 40 rows, of which two have all the weight, are few.
    y, weight = codes(100, 40), np.concatenate([np.ones(102), np.full(38, 1e-6)])
    rng = np.random.default_rng(0)
    a, b = (np.eye(2)[np.where(rng.random(140) < 0.8, y, 1 - y)] for _ in range(2))
    methods = [paired_test(metrics["balanced_accuracy"], y, a, b, 2, seed=0, weight=w).method for w in (None, weight)]
    assert methods == ["paired t, delta method", "Bayesian bootstrap"]


def lucky(y, rng):
    """One-hot answers for K = 3: equal errors of both models, and one hit of the first in class 2."""
    b = np.where(y == 2, 0, np.where(rng.random(len(y)) < 0.2, 1 - np.minimum(y, 1), y))
    a = b.copy()
    a[np.flatnonzero(y == 2)[0]] = 2
    return np.eye(3)[a], np.eye(3)[b]


@pytest.mark.parametrize("key", ["balanced_accuracy", "f1"])
@pytest.mark.parametrize("weight", [None, np.linspace(0.9, 1.1, 152)])
def test_a_lucky_hit_is_no_better_model_in_groups_either(key, weight):
    y, group = codes(90, 60, 2), np.arange(152) // 3
    a, b = lucky(y, np.random.default_rng(0))
    for sign, pair in ((1, (a, b)), (-1, (b, a))):
        test = paired_test(metrics[key], y, *pair, 3, seed=0, weight=weight, group=group)
        assert test.difference * sign > 0.1 and test.p_value > 0.05 and test.low < 0 < test.high


def test_a_class_of_five_rows_all_hit_is_as_uncertain_in_groups_as_in_rows():
    y = codes(95, 5)
    a = np.eye(2)[y]
    a[:8] = a[:8, ::-1]
    guess = np.tile([0.9, 0.1], (100, 1))
    grouped, rows = (
        paired_test(metrics["balanced_accuracy"], y, a, guess, 2, seed=0, group=g)
        for g in (np.arange(100) // 2, None)
    )
    assert grouped.p_value >= rows.p_value > 0.01
    assert grouped.low <= rows.low and grouped.high >= rows.high


def test_averages_over_many_classes_take_few_draws_and_no_influences(monkeypatch):
    k, n = MANY_CLASSES + 20, 700
    rng, y = np.random.default_rng(5), np.arange(n) % k
    a, b = (np.eye(k, dtype=np.float32)[np.where(rng.random(n) < share, y, rng.integers(k, size=n))]
            for share in (0.72, 0.55))  # fmt: skip
    plain, drawn = metrics["balanced_accuracy"], []

    def counted(tables):
        drawn.append(len(tables))
        return plain.counts(tables)

    monkeypatch.setattr("autodl.evaluate.tests.influence", None)
    few = paired_test(replace(plain, counts=counted), y, a, b, k, seed=0)
    assert sum(tables for tables in drawn if tables > 2) == 2 * FEW_DRAWS
    monkeypatch.setattr(rare_classes, "MANY_CLASSES", k)
    many = paired_test(plain, y, a, b, k, seed=0)
    assert (few.low, few.high) == pytest.approx((many.low, many.high), abs=0.02)
    # Counting draws beyond zero could not go below 2 / 1001, too coarse for Holm's correction.
    assert few.p_value < 1e-5 < many.p_value


def saying(y, hits, alarms):
    """One-hot answers for K = 2: class 1 in so many rows of it and of the other class, from the last of each on."""
    said = np.zeros(len(y), dtype=int)
    said[np.flatnonzero(y == 1)[len(y[y == 1]) - hits :]] = 1
    said[:alarms] = 1
    return np.eye(2)[said]


@pytest.mark.parametrize("key", ["precision", "precision_macro"])
@pytest.mark.parametrize(("hits", "alarms"), [(21, 40), (15, 5)])
@pytest.mark.parametrize("weight", [None, np.linspace(0.9, 1.1, 525)])
def test_precision_is_found_better_than_that_of_a_model_which_never_names_the_class(key, hits, alarms, weight):
    y = codes(500, 25)
    test = paired_test(metrics[key], y, saying(y, hits, alarms), saying(y, 0, 0), 2, seed=0, weight=weight)
    assert test.p_value < 1e-3 and test.low > 0


@pytest.mark.parametrize("key", ["precision", "precision_macro"])
def test_precision_of_a_few_answers_is_little_known(key):
    """Three answers, all right, against thirty, of which half are: chance in one case of eight."""
    y = codes(500, 40)
    a, b = saying(y, 3, 0), saying(y, 15, 15)
    for sign, pair in ((1, (a, b)), (-1, (b, a))):
        test = paired_test(metrics[key], y, *pair, 2, seed=0)
        assert test.difference * sign > 0.2 and test.p_value > 0.05 and test.low < 0 < test.high


@pytest.mark.parametrize("key", ["f1", "mcc", "recall", "precision", "precision_macro"])
def test_one_class_alone_leaves_models_tied(key):
    rows = np.arange(20)
    a, b = np.eye(2)[(rows < 3).astype(int)], np.eye(2)[(rows > 15).astype(int)]
    test = paired_test(metrics[key], np.zeros(20, dtype=int), a, b, 2, seed=0)
    assert (test.difference, test.p_value, test.effect) == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(("key", "least"), [("recall", 5e-4), ("f1", 1e-3), ("mcc", 5e-3)])
def test_a_sure_win_stays_one_after_holms_correction(key, least):
    """Of 1000 draws at least 2 / 1001 would be left, a tie among thirty models."""
    y = codes(2000, 25)
    found = [paired_test(metrics[key], y, saying(y, 15, 12), saying(y, 0, 0), 2, seed=s).p_value for s in range(3)]
    assert max(found) < least
    lucky = paired_test(metrics[key], y, saying(y, 1, 0), saying(y, 0, 0), 2, seed=0)
    assert lucky.p_value > 0.1


def test_more_draws_are_taken_only_where_few_lie_beyond_zero():
    plain, drawn = metrics["balanced_accuracy"], []

    def counted(tables):
        drawn.append(len(tables))
        return plain.counts(tables)

    y = codes(2000, 25)
    paired_test(replace(plain, counts=counted), y, saying(y, 13, 0), saying(y, 12, 0), 2, seed=0)
    few = sum(drawn)
    paired_test(replace(plain, counts=counted), y, saying(y, 15, 0), saying(y, 0, 0), 2, seed=0)
    # Two tables more ask whether the metric looks at answers.
    assert few < 2 * 1000 + 50 < 2 * rare_classes.MOST_DRAWS <= sum(drawn) - few


@pytest.mark.parametrize("sizes", [(60, 3), (50, 20)])
def test_two_classes_of_three_that_occur_are_ranked_like_two(sizes):
    rng, y = np.random.default_rng(0), codes(*sizes)
    p = 1 / (1 + np.exp(-rng.normal(size=len(y)) - 2 * y))
    q = rng.random(len(y))
    two = [np.column_stack([1 - v, v]) for v in (p, q)]
    three = [np.column_stack([v, np.zeros(len(y))]) for v in two]
    alone, beside = (interval(metrics["roc_auc"], y, v[0], k, seed=0) for v, k in ((two, 2), (three, 3)))
    assert (beside.low, beside.high) == pytest.approx((alone.low, alone.high))
    alone, beside = (paired_test(metrics["roc_auc"], y, *v, k, seed=0) for v, k in ((two, 2), (three, 3)))
    assert (beside.p_value, beside.low) == pytest.approx((alone.p_value, alone.low))


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
