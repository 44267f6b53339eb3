from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score, matthews_corrcoef

from autodl.decision import decide, decided
from autodl.ensemble.known_rows import KnownRows
from autodl.ensemble.threshold import _losses, candidate_cuts, choose_threshold, forgives_missed, one_sided
from autodl.evaluate.base import metrics

REFERENCE = {"f1": f1_score, "balanced_accuracy": balanced_accuracy_score, "mcc": matthews_corrcoef}


def calibrated(n, shift, seed):
    """Probabilities that hold, and outcomes drawn by them; about 14 % positive for a shift of -2.5."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-(1.2 * rng.normal(size=n) + shift)))
    return p, (rng.random(n) < p).astype(int)


@pytest.mark.parametrize("key", REFERENCE)
def test_for_rare_positives_the_cut_is_close_to_the_best_of_the_population(key):
    p, y = calibrated(4000, -2.5, 0)
    cut = choose_threshold(p, KnownRows(y, metrics[key]))
    fresh, truth = calibrated(60_000, -2.5, 1)
    score = REFERENCE[key]
    best = max(score(truth, fresh >= c) for c in np.linspace(0.02, 0.6, 30))
    assert cut < 0.4
    assert score(truth, fresh >= cut) > best - 0.015
    assert score(truth, fresh >= cut) > score(truth, fresh >= 0.5) + 0.05


def test_the_best_cut_for_f1_is_half_the_best_f1():
    """Lipton, Elkan and Narayanaswamy 2014, for probabilities that hold."""
    p, y = calibrated(30_000, -2.0, 2)
    cut = choose_threshold(p, KnownRows(y, metrics["f1"]))
    assert cut == pytest.approx(f1_score(y, p >= cut) / 2, abs=0.03)


def test_accuracy_keeps_one_half_when_probabilities_hold():
    tables = [calibrated(600, shift, seed) for shift in (0, -2) for seed in range(10)]
    kept = [choose_threshold(p, KnownRows(y, metrics["accuracy"])) for p, y in tables]
    assert sum(c == 0.5 for c in kept) >= 18


def test_probabilities_that_are_too_low_are_made_up_for_by_the_cut():
    p, y = calibrated(3000, 0.0, 3)
    assert choose_threshold(p**3, KnownRows(y, metrics["accuracy"])) == pytest.approx(0.125, abs=0.05)


@pytest.mark.parametrize(
    ("key", "why"),
    [("roc_auc", "order"), ("log_loss", "probabilities"), ("precision", "one-sided"), ("recall", "one-sided")],
)
def test_one_half_stays_where_a_cut_means_nothing(key, why):
    p, y = calibrated(2000, -2.5, 0)
    assert choose_threshold(p, KnownRows(y, metrics[key])) == 0.5, why


def test_one_half_stays_with_few_rows_of_a_class_and_for_a_constant():
    p, y = calibrated(2000, -2.5, 0)
    few = np.flatnonzero(y == 1)[:19]
    rows = np.concatenate([few, np.flatnonzero(y == 0)])
    assert choose_threshold(p[rows], KnownRows(y[rows], metrics["f1"])) == 0.5
    assert choose_threshold(p, KnownRows(np.zeros(2000, int), metrics["f1"])) == 0.5
    assert 0 < choose_threshold(np.full(2000, 0.2), KnownRows(y, metrics["balanced_accuracy"])) <= 0.5


def test_rows_without_a_prediction_are_left_out():
    p, y = calibrated(2000, -2.5, 0)
    with_gaps = np.concatenate([p, np.full(500, np.nan)])
    more = KnownRows(np.concatenate([y, np.ones(500, int)]), metrics["f1"])
    assert choose_threshold(with_gaps, more) == choose_threshold(p, KnownRows(y, metrics["f1"]))


def test_noise_gives_no_cut_that_flips_at_random():
    """Where probabilities say nothing, halves disagree and accuracy stays at 0.5."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        p, y = rng.uniform(0.3, 0.7, 400), rng.integers(0, 2, 400)
        cut = choose_threshold(p, KnownRows(y, metrics["accuracy"]))
        gain = np.mean((p >= cut) == y) - np.mean((p >= 0.5) == y)
        assert cut == 0.5 or gain > 0


def test_only_precision_and_recall_are_one_sided():
    found = {k for k, m in metrics.items() if m.needs == "label" and one_sided(m, 2)}
    assert found == {"precision", "recall"}
    assert [k for k in found if forgives_missed(metrics[k])] == ["precision"]
    assert not any(one_sided(metrics[k], 3) for k in found), "every alarm of one class is a missed row of another"


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 1)), min_size=4, max_size=60),
    st.sampled_from(["f1", "mcc", "accuracy"]),
)
def test_losses_by_counts_are_those_of_the_answers(rows, key):
    p, y = np.array([a / 20 for a, _ in rows]), np.array([b for _, b in rows])
    order = np.argsort(p, kind="stable")
    p, y = p[order], y[order]
    cuts = candidate_cuts(p, y)
    proba = np.column_stack([1 - p, p])
    slow = [metrics[key].loss(y, decided(proba, c), 2) for c in cuts]
    np.testing.assert_allclose(_losses(p, KnownRows(y, metrics[key]), cuts), slow, atol=1e-12)
    np.testing.assert_allclose(_losses(p, KnownRows(y, replace(metrics[key], counts=None)), cuts), slow, atol=1e-12)


def test_deciding():
    proba = np.array([[0.8, 0.2], [0.7, 0.3], [0.5, 0.5], [0.4, 0.6]])
    assert decide(proba).tolist() == [0, 0, 0, 1]
    assert decide(proba, 0.3).tolist() == [0, 1, 1, 1]
    assert decide(np.array([[0.2, 0.5, 0.3]]), 0.1).tolist() == [1]
    assert decided(proba, 0.3).tolist() == [[1, 0], [0, 1], [0, 1], [0, 1]]
