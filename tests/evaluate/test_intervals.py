from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import stats
from simulated import binary, numbers, three_classes
from sklearn.metrics import roc_auc_score
from statsmodels.stats.proportion import proportion_confint

from autodl.evaluate import interval
from autodl.evaluate.base import Metric, metrics
from autodl.evaluate.bounds import MANY_ROWS, mean_loss_bounds, wilson
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.resampling import resample_counts, studentized_means
from autodl.records import Task

DRAWS = {"binary": (binary, 2), "three": (three_classes, 3), "normal": (numbers("normal"), 0)}


def test_wilson_equals_statsmodels():
    for hits, n in ((0, 9), (3, 9), (50, 60), (60, 60)):
        assert wilson(hits, n) == pytest.approx(proportion_confint(hits, n, method="wilson"))


def test_resamples_draw_n_rows_each_and_repeat_with_the_seed():
    counts = resample_counts(50, 200, 7)
    assert (counts.sum(axis=1) == 50).all()
    assert np.array_equal(counts, resample_counts(50, 200, 7).copy())
    # Each row is drawn binomial(n, 1/n) times.
    assert counts.var() == pytest.approx(1 - 1 / 50, abs=0.05)


def test_resampled_moments_equal_direct_ones():
    rng = np.random.default_rng(0)
    x, counts = rng.normal(size=(30, 2)) * [1, 100] + [5, 1e4], resample_counts(30, 20, 0)
    means, cov = studentized_means(x, counts)
    for b in range(20):
        rows = np.repeat(x, counts[b].astype(int), axis=0)
        assert means[b] == pytest.approx(rows.mean(axis=0), rel=1e-5)
        assert cov[b] == pytest.approx(np.cov(rows.T, bias=True), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("key", ["accuracy", "roc_auc", "log_loss", "f1", "mcc", "balanced_accuracy", "precision"])
@pytest.mark.parametrize("draw", ["binary", "three"])
def test_influence_gives_the_spread_that_resampling_shows(key, draw):
    make, k = DRAWS[draw]
    rng = np.random.default_rng(1)
    y, p, _ = make(rng, 500)
    picks = rng.integers(500, size=(1500, 500))
    spread = np.std([metrics[key].score(y[i], p[i], k) for i in picks])
    assert standard_error(influence(metrics[key], y, p, k)) == pytest.approx(spread, rel=0.08)


@pytest.mark.parametrize("key", ["rmse", "mae", "r2", "mape"])
def test_influence_of_regression_scores(key):
    rng = np.random.default_rng(1)
    y, p, _ = numbers("normal")(rng, 500)
    picks = rng.integers(500, size=(1500, 500))
    spread = np.std([metrics[key].score(y[i], p[i]) for i in picks])
    assert standard_error(influence(metrics[key], y, p, 0)) == pytest.approx(spread, rel=0.08)


def test_auc_variance_is_delongs():
    """Against the covariance of the placement values, written out (DeLong et al. 1988, eq. 6)."""
    y, p, _ = binary(np.random.default_rng(3), 80)
    up, down = p[y == 1, 1], p[y == 0, 1]
    wins = (up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :])
    assert wins.mean() == pytest.approx(roc_auc_score(y, p[:, 1]))
    variance = wins.mean(axis=1).var(ddof=1) / len(up) + wins.mean(axis=0).var(ddof=1) / len(down)
    phi = influence(metrics["roc_auc"], y, p, 2)
    assert np.square(phi).sum() / 80**2 == pytest.approx(variance)


def test_the_interval_holds_its_value_and_is_reproducible():
    for draw, k in DRAWS.values():
        y, p, _ = draw(np.random.default_rng(5), 90)
        task = Task.CLASSIFICATION if k else Task.REGRESSION
        for metric in metrics.values():
            if metric.task is task:
                one = interval(metric, y, p, k, seed=3)
                assert one.low <= one.value <= one.high
                assert one == interval(metric, y, p, k, seed=3)
                assert one.value == metric.score(y, p, k)


def test_no_mistake_still_leaves_doubt():
    y = np.arange(40) % 2
    p = np.eye(2)[y] * 0.8 + 0.1
    for key in ("accuracy", "balanced_accuracy", "f1", "mcc", "roc_auc"):
        got = interval(metrics[key], y, p, 2, seed=0)
        assert got.value == got.high == 1.0
        assert 0.75 < got.low < 0.99


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("key", ["balanced_accuracy", "precision", "recall", "f1"])
@pytest.mark.parametrize("k", [20, 40])
def test_classes_without_test_rows_change_no_interval(key, weights, k):
    """15 classes occur: the interval is that of a table of these alone. 40 classes are drawn by occupied cells."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 15, size=300)
    label = np.where(rng.random(300) < 0.9, y, rng.integers(0, 15, size=300))
    weight = rng.uniform(0.5, 2, size=300) if weights else None
    some, all_of = (interval(metrics[key], y, np.eye(n)[label], n, seed=0, weight=weight) for n in (15, k))
    assert all_of.value == pytest.approx(some.value)
    assert all_of.low < all_of.value - 0.01 and all_of.value + 0.005 < all_of.high
    width = some.high - some.low
    assert (all_of.low, all_of.high) == pytest.approx((some.low, some.high), abs=0.1 * width)


def test_one_class_answered_right_throughout_leaves_doubt():
    got = interval(metrics["balanced_accuracy"], np.zeros(20, int), np.eye(4)[np.zeros(20, int)], 4, seed=0)
    assert got.value == got.high == 1.0
    assert 0.7 < got.low < 0.99


@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_means_of_very_few_rows_cover(n):
    """Nominal 95 %; by the bootstrap alone two rows give one point, and three cover three times in four."""
    held = 0
    for run in range(300):
        low, high, _ = mean_loss_bounds(np.random.default_rng([run, n]).gamma(4.0, 0.25, size=n), run, 200, 0.95)
        held += low <= 1.0 <= high
    assert stats.binomtest(held, 300, 0.93, alternative="less").pvalue > 1e-2, f"{held} of 300"


def test_bootstrap_and_normal_limit_agree_where_they_meet():
    rows = np.random.default_rng(0).exponential(size=MANY_ROWS)
    few = mean_loss_bounds(rows[:-1], 0, 4000, 0.95)
    many = mean_loss_bounds(rows, 0, 4000, 0.95)
    assert few[2] != many[2]
    assert few[:2] == pytest.approx(many[:2], rel=0.004)


def test_the_median_error_interval_is_the_binomial_one():
    y = np.zeros(101)
    got = interval(metrics["median_ae"], y, np.arange(101.0), seed=0)
    low, high = stats.binom(101, 0.5).ppf([0.025, 0.975])
    assert got.low == pytest.approx(low, abs=1)
    assert got.high == pytest.approx(high, abs=1)


def test_a_plugin_metric_falls_back_to_the_plain_bootstrap():
    worst = Metric("worst", "Worst", Task.REGRESSION, False, "", 0.0, "value", lambda y, p, k, w: np.abs(p - y).max())
    got = interval(worst, np.zeros(30), np.arange(30.0), seed=0, n_resamples=200)
    assert got.method == "percentile bootstrap"
    assert got.low < got.value == got.high == 29.0


def test_one_row_says_nothing():
    got = interval(metrics["accuracy"], np.array([1]), np.array([[0.2, 0.8]]), 2, seed=0)
    assert (got.low, got.high) == (0.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 200, 1000])
@pytest.mark.parametrize(
    ("draw", "k", "keys"),
    [
        (binary, 2, ("accuracy", "roc_auc", "log_loss")),
        (three_classes, 3, ("accuracy", "roc_auc", "log_loss")),
        (numbers("normal"), 0, ("rmse", "mae")),
        (numbers("laplace"), 0, ("rmse", "mae")),
        (numbers("t5"), 0, ("rmse", "mae")),
    ],
    ids=["binary", "three", "normal", "laplace", "t5"],
)
def test_nominal_95_percent_intervals_cover(draw, k, keys, n):
    """1,000 samples, all with the same resampling; the truth is the score on 500,000 rows."""
    big_y, big_p, _ = draw(np.random.default_rng(99), 500_000)
    truth = {key: metrics[key].score(big_y, big_p, k) for key in keys}
    covered = dict.fromkeys(keys, 0)
    for r in range(1000):
        y, p, _ = draw(np.random.default_rng([r, n]), n)
        for key in keys:
            got = interval(metrics[key], y, p, k, seed=0)
            covered[key] += got.low <= truth[key] <= got.high
    assert all(925 <= c <= 975 for c in covered.values()), covered


@pytest.mark.parametrize("key", ["balanced_accuracy", "f1", "mcc"])
def test_many_classes_need_little_memory(key):
    rng = np.random.default_rng(0)
    y = rng.integers(300, size=3000)
    label = np.where(rng.random(3000) < 0.8, y, rng.integers(300, size=3000))
    prediction = np.eye(300, dtype=np.float32)[label]
    tracemalloc.start()
    try:
        got = interval(metrics[key], y, prediction, 300, seed=0)
        se = standard_error(influence(metrics[key], y, prediction, 300))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500e6
    assert got.low < got.value < got.high
    assert got.high - got.low == pytest.approx(2 * 1.96 * se, rel=0.25)
