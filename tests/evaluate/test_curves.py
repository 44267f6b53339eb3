from __future__ import annotations

import numpy as np
import pytest
from simulated import binary, three_classes
from sklearn import metrics as sk

from autodl.evaluate import curves
from autodl.evaluate.bounds import wilson
from autodl.evaluate.grouped import share_bounds_of_groups


def test_roc_and_pr_curves_are_scikit_learns():
    y, p, _ = binary(np.random.default_rng(0), 150)
    p = p.round(2)
    roc, pr = curves.roc_curve(y, p, 1, "yes"), curves.pr_curve(y, p, 1, "yes")
    fpr, tpr, _ = sk.roc_curve(y, p[:, 1], drop_intermediate=False)
    assert set(zip(np.round(roc.x, 9), np.round(roc.y, 9), strict=True)) <= set(
        zip(fpr.round(9), tpr.round(9), strict=True)
    )
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(sk.roc_auc_score(y, p[:, 1]))
    precision, recall, _ = sk.precision_recall_curve(y, p[:, 1])
    # scikit-learn puts the strictest threshold last, after an artificial point at recall 0.
    assert pr.x[1:] == pytest.approx(recall[-2::-1])
    assert pr.y[1:] == pytest.approx(precision[-2::-1])


def test_curves_of_many_rows_are_thinned_without_moving():
    y, p, _ = binary(np.random.default_rng(1), 20_000)
    roc, pr = curves.roc_curve(y, p, 1, "yes"), curves.pr_curve(y, p, 1, "yes")
    assert len(roc.x) <= 200 and len(pr.x) <= 200
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(sk.roc_auc_score(y, p[:, 1]), abs=2e-3)
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)


@pytest.mark.parametrize("n", [300, 20_000])
def test_each_point_of_a_roc_curve_knows_its_threshold(n):
    y, p, _ = binary(np.random.default_rng(2), n)
    roc = curves.roc_curve(y, p, 1, "yes")
    assert len(roc.at) == len(roc.x) and roc.at[0] == 1.0
    for x, found, at in list(zip(roc.x, roc.y, roc.at, strict=True))[1:]:
        flagged = p[:, 1] >= at
        assert (flagged[y == 1].mean(), flagged[y == 0].mean()) == pytest.approx((found, x))


def test_a_class_without_rows_has_no_curve():
    y, p = np.zeros(10, dtype=int), np.full((10, 3), 1 / 3)
    assert curves.roc_curve(y, p, 1, "b") is None
    assert curves.pr_curve(y, p, 0, "a") is None
    assert curves.hardest_classes(y, p) == []


def test_hardest_classes_first():
    y, p, _ = three_classes(np.random.default_rng(0), 600)
    order = curves.hardest_classes(y, p)
    scores = [sk.roc_auc_score(y == k, p[:, k]) for k in order]
    assert scores == sorted(scores) and len(order) == 3


def test_confusion_is_scikit_learns():
    y, p, _ = three_classes(np.random.default_rng(0), 200)
    expected = sk.confusion_matrix(y, p.argmax(axis=1), labels=[0, 1, 2])
    assert np.array_equal(curves.confusion_table(y, p.argmax(axis=1), 3), expected)


def test_calibration_bins_hold_all_rows_and_their_shares():
    y, p, _ = binary(np.random.default_rng(0), 1000)
    c = curves.calibration_curve(y, p, "yes")
    assert sum(c.counts) == 1000 and len(c.x) == 10
    assert max(c.counts) - min(c.counts) <= 2
    assert np.dot(c.counts, c.y) == pytest.approx(y.sum())
    assert np.dot(c.counts, c.x) == pytest.approx(p[:, 1].sum())
    assert all(low <= v <= high for low, v, high in zip(c.low, c.y, c.high, strict=True))


def test_calibration_of_a_constant_guess():
    y, p = np.arange(100) % 2, np.full((100, 2), 0.5)
    assert curves.calibration_curve(y, p, "yes").counts == (100,)
    assert curves.calibration_error(y, p, seed=0).value == 0.0


def honest(rng, n):
    p = rng.beta(1, 1.5, n)
    return (rng.random(n) < p).astype(int), np.column_stack([1 - p, p])


def too_sure(rng, n):
    y, p = honest(rng, n)
    odds = (p[:, 1] / p[:, 0]) ** 3
    q = odds / (1 + odds)
    return y, np.column_stack([1 - q, q])


def test_honest_probabilities_have_no_calibration_error_on_average():
    """The uncorrected error of honest probabilities is about 0.09 at 200 rows."""
    found = [curves.calibration_error(*honest(np.random.default_rng(r), 200), seed=r) for r in range(200)]
    assert np.mean([f.value for f in found]) < 0.035
    assert np.mean([f.low <= 1e-9 for f in found]) > 0.93


@pytest.mark.parametrize("n", [300, 3000])
def test_too_sure_probabilities_are_found_with_their_true_error(n):
    rng = np.random.default_rng(0)
    p = rng.beta(1, 1.5, 1_000_000)
    odds = (p / (1 - p)) ** 3
    truth = np.abs(p - odds / (1 + odds)).mean()
    found = [curves.calibration_error(*too_sure(np.random.default_rng(r), n), seed=r) for r in range(100)]
    assert np.mean([f.value for f in found]) == pytest.approx(truth, abs=0.015)
    assert np.mean([f.low <= truth <= f.high for f in found]) >= 0.88
    assert np.mean([f.low > 0 for f in found]) > 0.95


def test_top_label_calibration_of_several_classes():
    y, p, _ = three_classes(np.random.default_rng(0), 5000)
    top = p.max(axis=1)
    got = curves.calibration_error(y, p, seed=0)
    assert got.low > 0.02
    assert got.value > abs(top.mean() - (p.argmax(axis=1) == y).mean()) - 0.01


def of_groups(rng, n_groups=60, size=20):
    """Each group leans its own way; over all groups the probabilities are honest."""
    group = np.repeat(np.arange(n_groups), size)
    p = np.repeat(np.clip(0.5 + 0.3 * rng.standard_normal(n_groups), 0.02, 0.98), size)
    return (rng.random(len(p)) < p).astype(int), np.full((len(p), 2), 0.5), group


def test_gaps_that_groups_share_are_no_calibration_error():
    alone, grouped = [], []
    for r in range(60):
        y, p, group = of_groups(np.random.default_rng(r))
        p[:, 1] += np.random.default_rng(r).uniform(-0.01, 0.01, len(y))
        alone.append(curves.calibration_error(y, p, seed=r))
        grouped.append(curves.calibration_error(y, p, seed=r, group=group))
    assert np.mean([f.low > 0 for f in grouped]) <= 0.08 < np.mean([f.low > 0 for f in alone])
    assert np.mean([f.value for f in grouped]) < 0.8 * np.mean([f.value for f in alone])


def test_the_bars_of_the_calibration_curve_follow_the_groups():
    y, p, group = of_groups(np.random.default_rng(0))
    (alone, grouped) = (curves.calibration_curve(y, p, "yes", group=g) for g in (None, group))
    assert alone.y == grouped.y
    bounds = share_bounds_of_groups(y.astype(float), np.ones(len(y)), group, 0.95)
    assert (grouped.low[0], grouped.high[0]) == pytest.approx(bounds)
    assert grouped.high[0] - grouped.low[0] > 1.3 * (alone.high[0] - alone.low[0])
    one = curves.calibration_curve(y, p, "yes", group=np.zeros(len(y)))
    assert (one.low, one.high) == (alone.low, alone.high), "a single group shows no spread"


@pytest.mark.parametrize("weight", [None, np.linspace(0.5, 1.5, 400)])
def test_a_group_that_fills_a_bin_counts_as_one_row(weight):
    y, group = (np.arange(400) % 4 == 0).astype(int), np.minimum(np.arange(400) // 10, 20)
    p = np.where(group == 20, 0.3, 0.1 + 0.1 * np.random.default_rng(0).random(400))
    curve = curves.calibration_curve(y, np.column_stack([1 - p, p]), "yes", n_bins=2, weight=weight, group=group)
    assert curve.counts == (200, 200)
    assert (curve.low[1], curve.high[1]) == pytest.approx(wilson(curve.y[1], 1))


def test_rows_that_are_groups_of_their_own_change_nothing():
    y, p = honest(np.random.default_rng(0), 200)
    assert curves.calibration_error(y, p, seed=0, group=np.arange(200)) == curves.calibration_error(y, p, seed=0)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_weight_counts_in_the_calibration_as_so_many_rows(grouped):
    """Rows that are far too sure weigh next to nothing: what is left is honest, and the other way round."""
    rng = np.random.default_rng(2)
    y, p = (np.concatenate(pair) for pair in zip(honest(rng, 1500), too_sure(rng, 1500), strict=True))
    first = np.arange(3000) < 1500
    group = np.arange(3000) // 3 if grouped else None
    for told, low, high in ((first, 0.0, 0.03), (~first, 0.04, 1.0)):
        weight = np.where(told, 5.0, 0.001)
        got = curves.calibration_error(y, p, seed=0, weight=weight, group=group)
        alone = curves.calibration_error(y[told], p[told], seed=0, group=None if group is None else group[told])
        assert low <= got.value <= high
        assert (got.value, got.low, got.high) == pytest.approx((alone.value, alone.low, alone.high), abs=0.02)
        line = curves.calibration_curve(y, p, "yes", weight=weight)
        gap = np.average(np.abs(np.subtract(line.x, line.y)), weights=line.counts)
        assert low <= gap <= high + 0.03
        assert all(a <= b <= c for a, b, c in zip(line.low, line.y, line.high, strict=True))


def test_equal_weights_change_nothing_in_the_calibration():
    y, p = honest(np.random.default_rng(0), 400)
    plain, same = (curves.calibration_error(y, p, seed=0, weight=w) for w in (None, np.full(400, 3.0)))
    assert (same.value, same.low, same.high) == pytest.approx((plain.value, plain.low, plain.high))
    plain, same = (curves.calibration_curve(y, p, "yes", weight=w) for w in (None, np.full(400, 3.0)))
    assert np.array([same.x, same.y]) == pytest.approx(np.array([plain.x, plain.y]))
    # The normal limit's n - 1 rows in place of n.
    assert np.array([same.low, same.high]) == pytest.approx(np.array([plain.low, plain.high]), abs=0.02)
