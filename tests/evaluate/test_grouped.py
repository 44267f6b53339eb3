"""Intervals and tests where rows were drawn in groups. References: rows in disguise, statsmodels, simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from simulated import binary, numbers

from autodl.evaluate import Candidate, EvaluationInputs, evaluate
from autodl.evaluate.base import metrics
from autodl.evaluate.bounds import wilson
from autodl.evaluate.grouped import group_numbers, share_bounds_of_groups
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.intervals import interval
from autodl.evaluate.tests import paired_test
from autodl.evaluate.where_wrong import weak_segments
from autodl.records import Task

SMOOTH = ["accuracy", "f1", "balanced_accuracy", "mcc", "roc_auc", "log_loss", "brier", "rmse", "mae", "r2"]


def sample(key, n, seed=0):
    """Targets, two predictions and the number of classes."""
    classes = metrics[key].task is Task.CLASSIFICATION
    return (*(binary if classes else numbers("normal"))(np.random.default_rng(seed), n), 2 if classes else 0)


@pytest.mark.parametrize("key", [*SMOOTH, "median_ae"])
def test_groups_of_one_row_change_nothing(key):
    y, a, b, k = sample(key, 150)
    lone = np.random.default_rng(1).permutation(150)
    assert interval(metrics[key], y, a, k, seed=0, group=lone) == interval(metrics[key], y, a, k, seed=0)
    assert paired_test(metrics[key], y, a, b, k, seed=0, group=lone) == paired_test(metrics[key], y, a, b, k, seed=0)


@pytest.mark.parametrize("key", [*SMOOTH, "median_ae"])
def test_copies_of_a_row_tell_no_more_than_the_row(key):
    """Each row three times, copies as groups: about the interval and test of the rows; as rows, a narrower one."""
    y, a, b, k = sample(key, 300)
    again = np.tile(np.arange(300), 3)
    once = interval(metrics[key], y, a, k, seed=0)
    grouped, torn = (interval(metrics[key], y[again], a[again], k, seed=0, group=g) for g in (again, None))
    assert grouped.value == pytest.approx(once.value)
    assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.2)
    assert torn.high - torn.low < 0.7 * (grouped.high - grouped.low)
    tests = [paired_test(metrics[key], y, a, b, k, seed=0),
             paired_test(metrics[key], y[again], a[again], b[again], k, seed=0, group=again)]  # fmt: skip
    assert tests[0].difference == pytest.approx(tests[1].difference)
    assert tests[1].high - tests[1].low == pytest.approx(tests[0].high - tests[0].low, rel=0.25)


def test_the_paired_test_of_means_is_that_of_cluster_robust_regression():
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(25), rng.integers(1, 12, size=25))
    y = rng.normal(size=len(group))
    a = y + rng.normal(size=len(group)) + 0.5 * rng.normal(size=25)[group]
    b = y + 1.2 * rng.normal(size=len(group))
    got = paired_test(metrics["mae"], y, a, b, seed=0, group=group)
    gaps = np.abs(b - y) - np.abs(a - y)
    known = sm.OLS(gaps, np.ones(len(gaps))).fit(cov_type="cluster", cov_kwds={"groups": group}, use_t=True)
    assert got.difference == pytest.approx(known.params[0])
    assert got.p_value == pytest.approx(known.pvalues[0], rel=1e-6)
    assert (got.low, got.high) == pytest.approx(tuple(known.conf_int()[0]), rel=1e-6)


def test_equal_groups_of_regression_errors_are_compared_like_their_means():
    rng = np.random.default_rng(4)
    group, y = np.repeat(np.arange(12), 7), rng.normal(size=84)
    a, b = y + rng.normal(size=84), y + rng.normal(size=84)
    got = paired_test(metrics["mae"], y, a, b, seed=0, group=group)
    means = [np.abs(p - y).reshape(12, 7).mean(axis=1) for p in (a, b)]
    assert got.p_value == pytest.approx(stats.ttest_rel(*means).pvalue)


def patients(rng, n_groups, classes):
    """Rows of a patient are equally hard and alike; the number of rows says nothing about either."""
    sizes = rng.integers(2, 16, size=n_groups)
    group = np.repeat(np.arange(n_groups), sizes)
    hard, own = rng.gamma(3.0, 1 / 3, size=n_groups)[group], rng.normal(size=n_groups)[group]
    if classes:
        y = (rng.random(len(group)) < 1 / (1 + np.exp(-2 * own))).astype(int)
        logit = (2 * y - 1) * (2.5 - 2 * hard) + rng.normal(size=len(group)) + 0.5 * own
        p = 1 / (1 + np.exp(-logit))
        return y, np.column_stack([1 - p, p]), group
    y = own + rng.normal(size=len(group))
    return y, y + hard * rng.normal(size=len(group)) + 0.6 * rng.normal(size=n_groups)[group], group


@pytest.mark.parametrize("key", ["accuracy", "f1", "roc_auc", "log_loss", "rmse", "r2", "median_ae"])
def test_intervals_cover_where_rows_of_a_group_are_alike(key):
    """Of 40 patients: the nominal 95 % give or take three points, where rows taken for themselves fall far short."""
    metric, runs, k = metrics[key], 150, 0 if metrics[key].task is Task.REGRESSION else 2
    y, p, _ = patients(np.random.default_rng(99), 40_000, bool(k))
    truth = metric.score(y, p, k)
    held = held_as_rows = 0
    for run in range(runs):
        y, p, group = patients(np.random.default_rng([run, 5]), 40, bool(k))
        found = interval(metric, y, p, k, seed=run, n_resamples=200, group=group)
        plain = interval(metric, y, p, k, seed=run, n_resamples=200)
        held += found.low <= truth <= found.high
        held_as_rows += plain.low <= truth <= plain.high
    assert stats.binomtest(held, runs, 0.92, alternative="less").pvalue > 1e-2, f"{held} of {runs}"
    assert held_as_rows < held - 0.05 * runs, f"{held_as_rows} against {held}"


@pytest.mark.parametrize("key", ["accuracy", "log_loss"])
def test_equally_good_models_are_seldom_told_apart(key):
    """Each model is better for some patients: rows taken for themselves find a winner far too often."""
    runs, alarms, alarms_as_rows = 300, 0, 0
    for run in range(runs):
        rng = np.random.default_rng([run, 6])
        group = np.repeat(np.arange(25), rng.integers(2, 16, size=25))
        y = rng.integers(0, 2, size=len(group))
        better = rng.normal(size=25)[group]
        pair = []
        for sign in (-1, 1):
            p = 1 / (1 + np.exp(-((2 * y - 1) * (0.8 + 0.7 * sign * better) + rng.normal(size=len(y)))))
            pair.append(np.column_stack([1 - p, p]))
        alarms += paired_test(metrics[key], y, *pair, 2, seed=run, group=group).p_value < 0.05
        alarms_as_rows += paired_test(metrics[key], y, *pair, 2, seed=run).p_value < 0.05
    assert stats.binomtest(alarms, runs, 0.07, alternative="greater").pvalue > 1e-2, f"{alarms} of {runs}"
    assert alarms_as_rows > 2.5 * alarms


@pytest.mark.parametrize("key", [*SMOOTH, "median_ae"])
def test_one_group_is_judged_by_its_rows_and_two_decide_little(key):
    y, a, b, k = sample(key, 60)
    one, two = np.zeros(60, int), np.arange(60) % 2
    assert interval(metrics[key], y, a, k, seed=0, group=one) == interval(metrics[key], y, a, k, seed=0)
    found = interval(metrics[key], y, a, k, seed=0, group=two)
    assert np.isfinite([found.low, found.high]).all() and found.low <= found.value <= found.high
    # One degree of freedom: the limits lie 12.7 standard errors away.
    test = paired_test(metrics[key], y, a, b, k, seed=0, group=two)
    phi_a, phi_b = influence(metrics[key], y, a, k), influence(metrics[key], y, b, k)
    se = abs(test.difference / test.effect) if phi_a is None or phi_b is None else standard_error(phi_a - phi_b, two)
    assert np.isfinite([test.low, test.high]).all() and test.high - test.low > 25 * se


def test_a_constant_advantage_is_tested_by_signs_of_groups():
    y, group = np.zeros(40), np.repeat(np.arange(8), 5)
    got = paired_test(metrics["mae"], y, y + 1.0, y + 2.0, seed=0, group=group)
    assert got.p_value == pytest.approx(stats.binomtest(8, 8).pvalue) and got.low < 1.0 < got.high
    assert paired_test(metrics["mae"], y, y + 1.0, y + 1.0, seed=0, group=group).p_value == 1.0


def test_where_all_rows_are_right_each_group_counts_as_one_row():
    group = np.repeat(np.arange(10), 30)
    assert share_bounds_of_groups(np.ones(300), np.ones(300), group, 0.95)[0] == pytest.approx(
        sm.stats.proportion_confint(10, 10, method="wilson")[0]
    )


@pytest.mark.parametrize("key", ["mae", "level_mae"])
@pytest.mark.parametrize("n_groups", [2, 3, 6])
def test_few_groups_cover(key, n_groups):
    """Groups of five rows of one difficulty each; nominal 95 %."""
    runs, held = 250, 0
    for run in range(runs):
        rng = np.random.default_rng([run, n_groups])
        group = np.repeat(np.arange(n_groups), 5)
        if key == "mae":
            y, k = np.zeros(len(group)), 0
            p = (rng.gamma(4.0, 0.25, size=n_groups)[group]) * rng.uniform(0.5, 1.5, size=len(group))
            truth = 1.0
        else:
            y, k, truth = np.full(len(group), 2), 5, 0.8
            p = np.eye(5)[2 + (rng.random(len(group)) < rng.uniform(0.6, 1.0, size=n_groups)[group])]
        found = interval(metrics[key], y, p, k, seed=run, n_resamples=200, group=group)
        assert 0 <= found.low <= found.value <= found.high
        held += found.low <= truth <= found.high
    assert stats.binomtest(held, runs, 0.92, alternative="less").pvalue > 1e-2, f"{held} of {runs}"


def with_classes_alone(rng, classes, alone, gap=0.0):
    """30 groups of 50 rows; the last classes have half of one group's rows each, which a model all hits or misses."""
    group, n = np.repeat(np.arange(30), 50), 1500
    y, said = rng.integers(0, classes - alone, n), []
    for j in range(alone):
        y[(group == 29 - j) & (np.arange(n) % 2 == 0)] = classes - 1 - j
    for better in (gap, 0.0):
        label = np.where(rng.random(n) < 0.6 + better, y, rng.integers(0, classes - alone, n))
        for j in range(alone):
            label[y == classes - 1 - j] = classes - 1 - j if rng.random() < 0.5 else 0
        said.append(np.eye(classes)[label])
    return y, group, said


@pytest.mark.parametrize("key", ["roc_auc", "balanced_accuracy"])
@pytest.mark.parametrize(("classes", "alone"), [(3, 1), (5, 3), (16, 13)])
def test_classes_of_one_group_each_make_no_model_better(key, classes, alone):
    runs, found = 60, 0
    for run in range(runs):
        y, group, said = with_classes_alone(np.random.default_rng([run, classes]), classes, alone)
        found += paired_test(metrics[key], y, *said, classes, seed=run, n_resamples=100, group=group).p_value < 0.05
    assert stats.binomtest(found, runs, 0.06, alternative="greater").pvalue > 1e-2, f"{found} of {runs}"


@pytest.mark.parametrize("key", ["roc_auc", "balanced_accuracy"])
def test_a_class_of_one_group_leaves_the_others_known(key):
    y, group, (a, b) = with_classes_alone(np.random.default_rng(0), 12, 1, gap=0.2)
    assert paired_test(metrics[key], y, a, b, 12, seed=0, group=group).p_value < 0.05
    found = interval(metrics[key], y, a, 12, seed=0, group=group)
    # All of the class may be right or wrong elsewhere: a twelfth of the score.
    assert max(found.value - found.low, found.high - found.value) >= (0.5 if key == "roc_auc" else 1) / 12 - 1e-9
    assert found.high - found.low < 0.2


@pytest.mark.parametrize("hit", [False, True])
def test_an_interval_allows_for_other_groups_of_a_class_of_one_group(hit):
    y, group, _ = with_classes_alone(np.random.default_rng(0), 3, 1)
    label = np.where((np.arange(1500) % 10 < 7) & (y < 2) | (y == 2) & hit, y, (y + 1) % 3)
    found = interval(metrics["balanced_accuracy"], y, np.eye(3)[label], 3, seed=0, group=group)
    assert (found.value - found.low if hit else found.high - found.value) >= 1 / 3 - 1e-9
    assert 0.33 < found.high - found.low < 0.5


def test_no_level_off_leaves_doubt_by_groups():
    y, group = np.arange(60) % 3, np.repeat(np.arange(12), 5)
    found = interval(metrics["level_mae"], y, np.eye(3)[y], 3, seed=0, group=group)
    assert found.value == found.low == 0.0
    assert found.high == pytest.approx(wilson(0, 12)[1])


def test_numbers_of_groups():
    assert group_numbers(None) is None and group_numbers(np.array([5, 3, 9])) is None
    assert group_numbers(np.array([4, 4, 4])) is None
    assert list(group_numbers(np.array([5, 3, 5]))) == [1, 0, 1]


def test_influence_of_groups_is_the_spread_of_resampled_groups():
    y, p, group = patients(np.random.default_rng(0), 60, True)
    members = [np.flatnonzero(group == g) for g in range(60)]
    rng, auc = np.random.default_rng(1), metrics["roc_auc"]
    draws = [np.concatenate([members[i] for i in rng.integers(60, size=60)]) for _ in range(400)]
    spread = np.std([auc.score(y[d], p[d], 2) for d in draws])
    assert standard_error(influence(auc, y, p, 2), group) == pytest.approx(spread, rel=0.15)


def test_a_weak_segment_needs_many_groups():
    """One bad machine is no weak kind of row, however many rows it gave."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(30), 40)
    y = rng.normal(size=1200)
    off = np.where(group < 2, 2.0, 0.0)
    frame = pd.DataFrame({"site": np.where(group < 2, "far", "near")})
    torn, _ = weak_segments(metrics["rmse"], y, y + off + rng.normal(size=1200), frame, seed=0)
    whole, looked_at = weak_segments(metrics["rmse"], y, y + off + rng.normal(size=1200), frame, seed=0, group=group)
    assert [s.value for s in torn] == ["far"] and whole == [] and looked_at == 0
    many = np.where(group < 15, 2.0, 0.0)
    frame = pd.DataFrame({"site": np.where(group < 15, "far", "near")})
    found, _ = weak_segments(metrics["rmse"], y, y + many + rng.normal(size=1200), frame, seed=0, group=group)
    assert [s.value for s in found] == ["far"]


def test_the_evaluation_follows_the_groups_and_says_so():
    y, p, group = patients(np.random.default_rng(7), 30, True)
    guess = np.tile([0.5, 0.5], (len(y), 1))

    def judged(by, stretches=False):
        models = Candidate("model", "x", p), Candidate("guess", "dummy", guess)
        return evaluate(
            EvaluationInputs(
                Task.CLASSIFICATION, "log_loss", y, y, models,
                "model", "guess", classes=("no", "yes"), group=by, stretches=stretches,
            )
        )  # fmt: skip

    plain, grouped = judged(None), judged(group)
    width = [e.models[0].test.high - e.models[0].test.low for e in (plain, grouped)]
    assert width[1] > 1.3 * width[0]
    assert grouped.comparisons[0].method == "paired t of groups"
    assert any("30 groups" in note for note in grouped.notes) and not any("groups. Rows" in n for n in plain.notes)
    assert any("belong to one group" in note for note in judged(np.zeros(len(y))).notes)
    timely = judged(group, stretches=True)
    assert timely.models == grouped.models
    assert any("30 stretches of time" in note for note in timely.notes)
    assert not any("groups. Rows" in note for note in timely.notes)
    few = judged(np.zeros(len(y)), stretches=True)
    assert few.models == plain.models and any(
        "rows are too few, or of too few times, to tell how times differ" in note for note in few.notes
    )
