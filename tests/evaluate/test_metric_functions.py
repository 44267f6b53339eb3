from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics as sk

from autodl.evaluate.base import metrics
from autodl.evaluate.choose import resolve_metric
from autodl.records import Task

RNG = np.random.default_rng(0)


def probabilities(n, k, seed=0, ties=False):
    p = np.random.default_rng(seed).dirichlet(np.ones(k), size=n)
    if ties:
        p = np.round(p * 4) + 1
        p /= p.sum(axis=1, keepdims=True)
    return p


LABEL = {
    "accuracy": lambda y, a, avg, w: sk.accuracy_score(y, a, sample_weight=w),
    "balanced_accuracy": lambda y, a, avg, w: sk.balanced_accuracy_score(y, a, sample_weight=w),
    "precision": lambda y, a, avg, w: sk.precision_score(y, a, average=avg, zero_division=0, sample_weight=w),
    "recall": lambda y, a, avg, w: sk.recall_score(y, a, average=avg, zero_division=0, sample_weight=w),
    "f1": lambda y, a, avg, w: sk.f1_score(y, a, average=avg, zero_division=0, sample_weight=w),
    "f1_weighted": lambda y, a, avg, w: sk.f1_score(y, a, average="weighted", zero_division=0, sample_weight=w),
    "precision_macro": lambda y, a, avg, w: sk.precision_score(
        y, a, average="macro", zero_division=0, sample_weight=w
    ),
    "f1_macro": lambda y, a, avg, w: sk.f1_score(y, a, average="macro", zero_division=0, sample_weight=w),
    "mcc": lambda y, a, avg, w: sk.matthews_corrcoef(y, a, sample_weight=w),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("key", sorted(LABEL))
def test_label_metrics_equal_scikit_learn(key, k, weighted):
    y, p = RNG.integers(0, k, 300), probabilities(300, k)
    w = RNG.random(300) if weighted else None
    expected = LABEL[key](y, p.argmax(axis=1), "binary" if k == 2 else "macro", w)
    assert metrics[key].score(y, p, k, w) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["f1_macro", "precision_macro", "recall_macro"])
def test_scikit_learns_macro_names_mean_the_mean_of_both_classes(name):
    score = {"f1": sk.f1_score, "precision": sk.precision_score, "recall": sk.recall_score}[name.split("_")[0]]
    y, p = (RNG.random(300) < 0.2).astype(int), probabilities(300, 2)
    found = resolve_metric(name, Task.CLASSIFICATION, 2)
    assert found.score(y, p, 2) == pytest.approx(score(y, p.argmax(axis=1), average="macro"))
    assert found.score(y, p, 2) != pytest.approx(score(y, p.argmax(axis=1)))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 4])
def test_roc_auc_equals_scikit_learn(k, weighted, ties):
    y, p = RNG.integers(0, k, 400), probabilities(400, k, ties=ties)
    w = RNG.random(400) if weighted else None
    if k == 2:
        expected = sk.roc_auc_score(y, p[:, 1], sample_weight=w)
    else:
        expected = np.mean([sk.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in range(k)])
    assert metrics["roc_auc"].score(y, p, k, w) == pytest.approx(expected, abs=1e-12)


def test_roc_auc_of_several_classes_is_scikit_learns_macro_ovr():
    y, p = RNG.integers(0, 5, 400), probabilities(400, 5)
    expected = sk.roc_auc_score(y, p, multi_class="ovr", average="macro")
    assert metrics["roc_auc"].score(y, p, 5) == pytest.approx(expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [2, 5])
def test_probability_losses_equal_scikit_learn(k, weighted):
    y, p = RNG.integers(0, k, 300), probabilities(300, k)
    w = RNG.random(300) if weighted else None
    assert metrics["log_loss"].score(y, p, k, w) == pytest.approx(sk.log_loss(y, p, sample_weight=w))
    expected = np.average(np.square(np.eye(k)[y] - p).sum(axis=1), weights=w) / (2 if k == 2 else 1)
    assert metrics["brier"].score(y, p, k, w) == pytest.approx(expected)
    if k == 2:
        assert metrics["brier"].score(y, p, k, w) == pytest.approx(sk.brier_score_loss(y, p[:, 1], sample_weight=w))


REGRESSION = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "median_ae": sk.median_absolute_error,
    "r2": sk.r2_score,
    "mape": sk.mean_absolute_percentage_error,
    "rmsle": sk.root_mean_squared_log_error,
}


@pytest.mark.parametrize("n", [2, 99, 100])
@pytest.mark.parametrize("key", sorted(REGRESSION))
def test_regression_metrics_equal_scikit_learn(key, n):
    y = RNG.gamma(2.0, 3.0, n)
    p = y * RNG.uniform(0.5, 1.5, n)
    assert metrics[key].score(y, p) == pytest.approx(REGRESSION[key](y, p))
    if key != "median_ae":
        w = RNG.random(n)
        assert metrics[key].score(y, p, 0, w) == pytest.approx(REGRESSION[key](y, p, sample_weight=w))


def test_every_metric_has_its_reference_above():
    elsewhere = {"qwk", "level_mae", "pinball"}  # test_level_cuts.py and test_quantiles.py
    assert set(metrics) == set(LABEL) | set(REGRESSION) | {"roc_auc", "log_loss", "brier"} | elsewhere


@pytest.mark.parametrize("key", sorted(metrics))
def test_whole_weights_are_repeated_rows(key):
    metric = metrics[key]
    k = 3 if metric.task is Task.CLASSIFICATION else 0
    y = RNG.integers(0, 3, 60) if k else RNG.gamma(2.0, 3.0, 60)
    p = probabilities(60, 3) if k else y * RNG.uniform(0.5, 1.5, 60)
    w = RNG.integers(1, 4, 60)
    repeated = metric.score(np.repeat(y, w), np.repeat(p, w, axis=0), k)
    assert metric.score(y, p, k, w.astype(float)) == pytest.approx(repeated)


@pytest.mark.parametrize("key", sorted(metrics))
def test_perfect_predictions_have_the_best_score_and_loss_zero(key):
    metric = metrics[key]
    y = np.arange(30) % 3 if metric.task is Task.CLASSIFICATION else np.linspace(1, 5, 30)
    p = np.eye(3)[y] if metric.task is Task.CLASSIFICATION else y
    assert metric.score(y, p, 3) == pytest.approx(metric.best, abs=1e-12)
    assert metric.loss(y, p, 3) == pytest.approx(0.0, abs=1e-12)
    assert metric.to_score(metric.to_loss(0.3)) == pytest.approx(0.3)


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("key", [m.key for m in metrics.values() if m.task is Task.CLASSIFICATION])
def test_absent_classes_never_raise(key, k):
    p = probabilities(20, k)
    for y in (np.zeros(20, dtype=int), np.ones(20, dtype=int), np.array([0] * 10 + [1] * 10)):
        assert np.isfinite(metrics[key].score(y, p, k))


def test_one_class_alone_has_auc_one_half():
    assert metrics["roc_auc"].score(np.zeros(5, dtype=int), probabilities(5, 2), 2) == 0.5


def test_a_certain_wrong_answer_costs_much_but_not_infinity():
    p = np.array([[1.0, 0.0]])
    assert metrics["log_loss"].score(np.array([1]), p, 2) == pytest.approx(sk.log_loss([1], p, labels=[0, 1]))


def test_a_constant_target_has_r2_of_zero_or_one():
    y = np.full(4, 2.0)
    assert metrics["r2"].score(y, y) == 1.0
    assert metrics["r2"].score(y, y + 1) == 0.0


@given(
    arrays(np.float64, 40, elements=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])),
    arrays(np.bool_, 40),
)
def test_auc_turns_round_with_the_scores(score, y):
    p, q = np.column_stack([1 - score, score]), np.column_stack([score, 1 - score])
    codes = y.astype(int)
    total = metrics["roc_auc"].score(codes, p, 2) + metrics["roc_auc"].score(codes, q, 2)
    assert total == pytest.approx(1.0)
