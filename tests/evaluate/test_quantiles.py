"""Pinball loss, order and names of quantiles, and what test rows say about them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mean_pinball_loss

from autodl.errors import ConfigError
from autodl.evaluate.base import metrics
from autodl.evaluate.coverage import quantile_check
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.metrics.quantile import pinball
from autodl.models._weighted_quantiles import weighted_quantiles
from autodl.quantiles import central_intervals, in_order, point

LEVELS = (0.05, 0.25, 0.5, 0.9)
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_metric_is_the_mean_of_scikit_learns(weighted):
    y, q = RNG.normal(size=200), RNG.normal(size=(200, 4))
    w = RNG.random(200) if weighted else None
    expected = np.mean([mean_pinball_loss(y, q[:, j], alpha=a, sample_weight=w) for j, a in enumerate(LEVELS)])
    metric = metrics["pinball@0.05,0.25,0.5,0.9"]
    assert metric.score(y, q, 0, w) == pytest.approx(expected)
    assert metric.levels == LEVELS and metric.key == "pinball@0.05,0.25,0.5,0.9"


def test_without_levels_it_is_that_of_the_median():
    y, value = RNG.normal(size=50), RNG.normal(size=50)
    assert metrics["pinball"].score(y, value) == pytest.approx(mean_pinball_loss(y, value, alpha=0.5))
    assert metrics["pinball"].score(y, value) == pytest.approx(metrics["mae"].score(y, value) / 2)


def test_a_metric_without_levels_has_no_such_form():
    with pytest.raises(ConfigError):
        metrics["rmse@0.1"]
    with pytest.raises(ValueError, match="one column a level"):
        pinball.at_levels((0.1, 0.9)).score(np.zeros(3), np.zeros((3, 3)))


def test_its_standard_error_is_that_of_a_mean():
    y, q = RNG.normal(size=400), np.sort(RNG.normal(size=(400, 4)), axis=1)
    metric = metrics["pinball@0.05,0.25,0.5,0.9"]
    phi = influence(metric, y, q, 0)
    rows = [metric.score(y[i : i + 1], q[i : i + 1]) for i in range(400)]
    assert standard_error(phi) == pytest.approx(np.std(rows, ddof=1) / 20)


@given(st.integers(0, 1000))
def test_sorting_never_raises_the_loss(seed):
    rng = np.random.default_rng(seed)
    y, q = rng.normal(size=20), rng.normal(size=(20, 4))
    metric = pinball.at_levels(LEVELS)
    assert metric.score(y, in_order(q)) <= metric.score(y, q) + 1e-12
    assert (np.diff(in_order(q), axis=1) >= 0).all()


def test_the_point_is_the_median_or_lies_between_its_neighbours():
    q = np.array([[1.0, 2.0, 6.0]])
    assert point(q, (0.1, 0.5, 0.9)) == 2.0
    assert point(q, (0.1, 0.4, 0.8)) == pytest.approx(3.0)
    assert point(q, (0.6, 0.7, 0.8)) == 1.0
    assert point(q, (0.1, 0.2, 0.3)) == 6.0


def test_intervals_pair_levels_from_outside_in():
    assert central_intervals((0.5,)) == []
    assert central_intervals((0.1, 0.9)) == [(0, 1)]
    assert central_intervals((0.1, 0.2, 0.8, 0.9)) == [(0, 3), (1, 2)]


def test_weighted_quantiles_are_numpys_and_count_whole_weights_as_repeats():
    x = RNG.normal(size=(5, 40))
    expected = np.quantile(x, LEVELS, axis=1, method="hazen").T
    np.testing.assert_allclose(weighted_quantiles(x, np.ones((5, 40)), LEVELS), expected)
    weights = RNG.integers(1, 9, size=400)
    values = RNG.normal(size=400)
    many = np.quantile(np.repeat(values, weights), LEVELS)
    np.testing.assert_allclose(weighted_quantiles(values, weights, LEVELS), many, atol=0.05)
    first = weighted_quantiles(np.array([3.0, 1.0, 2.0]), np.array([1.0, 0.0, 1.0]), (0.5,))
    assert 2.0 <= first[0] <= 3.0


def test_the_right_quantiles_are_found_right():
    rng = np.random.default_rng(3)
    spread = rng.uniform(0.5, 2, 3000)
    y = spread * rng.normal(size=3000)
    levels = (0.1, 0.25, 0.5, 0.75, 0.9)
    q = spread[:, None] * stats.norm.ppf(levels)
    found = quantile_check(y, q, levels, y, seed=0)
    for check in found.levels:
        low, high = stats.binom.ppf([0.001, 0.999], 3000, check.level) / 3000
        assert low <= check.below.value <= high
        assert check.below.low < check.below.value < check.below.high
    wide, narrow = found.intervals
    assert (wide.low, wide.high, narrow.low, narrow.high) == (0.1, 0.9, 0.25, 0.75)
    assert wide.held.value == np.mean((q[:, 0] <= y) & (y <= q[:, 4]))
    assert wide.width.value == pytest.approx(np.mean(q[:, 4] - q[:, 0]))
    assert wide.width.low < wide.width.value < wide.width.high
    assert wide.guess_width == pytest.approx(np.quantile(y, 0.9) - np.quantile(y, 0.1))
    rows = found.rows
    assert len(rows.true) == 300 and list(rows.point) == sorted(rows.point)
    assert all(a <= b for a, b in zip(rows.low, rows.high, strict=True))


def test_one_level_has_no_interval():
    found = quantile_check(np.arange(10.0), np.full((10, 1), 6.5), (0.7,), np.arange(10.0), seed=0)
    assert found.intervals == () and found.rows is None
    assert found.levels[0].below.value == pytest.approx(0.7)


def test_the_guess_of_an_interval_counts_weights_of_known_rows():
    rng = np.random.default_rng(6)
    y, w = rng.normal(size=301), rng.integers(0, 4, 301).astype(float)
    q, known = np.sort(rng.normal(size=(301, 2)), axis=1), np.repeat(y, w.astype(int))
    found = quantile_check(y, q, (0.2, 0.8), y, seed=0, weight_train=w).intervals[0].guess_width
    low, high = np.quantile(known, [0.2, 0.8], method="inverted_cdf")
    assert found == pytest.approx(high - low)


def test_without_levels_the_loss_is_that_of_the_median_alone():
    y = np.array([1.0, 2.0, 4.0])
    assert metrics["pinball"].rows(y, y - 1.0, 0) == pytest.approx([0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match="one column a level"):
        metrics["pinball"].rows(y, np.column_stack([y, y]), 0)


def test_weights_count_in_shares_and_widths():
    rng = np.random.default_rng(5)
    y, q = rng.normal(size=500), np.sort(rng.normal(size=(500, 2)), axis=1)
    w = rng.integers(1, 5, 500).astype(float)
    plain, alike = (quantile_check(y, q, (0.2, 0.8), y, seed=0, weight=v) for v in (None, np.ones(500)))
    assert alike.intervals[0].held.value == plain.intervals[0].held.value
    assert alike.intervals[0].held.low == pytest.approx(plain.intervals[0].held.low, abs=0.002)
    found = quantile_check(y, q, (0.2, 0.8), y, seed=0, weight=w).intervals[0]
    many = np.repeat(np.arange(500), w.astype(int))
    repeated = quantile_check(y[many], q[many], (0.2, 0.8), y, seed=0).intervals[0]
    assert found.held.value == pytest.approx(repeated.held.value)
    assert found.width.value == pytest.approx(repeated.width.value)
    # Repeating rows adds none: the interval of weights is the wider one.
    assert found.held.high - found.held.low > repeated.held.high - repeated.held.low
    assert found.width.low < found.width.value < found.width.high
