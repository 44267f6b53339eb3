"""The shifts: their ranks, their guarantee by simulation, weights, and the order of what comes out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.ensemble.calibration import calibrated
from autodl.ensemble.quantile_shifts import fit_shifts, shifted
from autodl.evaluate.metrics.quantile import pinball

LEVELS = (0.1, 0.5, 0.9)


@given(st.integers(12, 400), st.integers(0, 100))
def test_the_ranks_are_those_of_conformal_prediction(n, seed):
    y = np.random.default_rng(seed).normal(size=n)
    low, middle, high = fit_shifts(np.zeros((n, 3)), y, LEVELS).coefficients
    ranked = np.sort(y)
    assert high == ranked[min(n, math.ceil((n + 1) * 0.9 - 1e-9)) - 1]
    assert low == ranked[max(1, math.floor((n + 1) * 0.1 + 1e-9)) - 1]
    assert middle == pytest.approx(np.median(y))


def test_a_new_row_lies_inside_at_least_as_often_as_promised():
    """2,000 repetitions of 39 calibration rows and one new row: the guarantee is exact, 0.9 to 0.9 + 1/40 a tail."""
    rng = np.random.default_rng(1)
    below_high = below_low = 0
    for _ in range(2000):
        spread = rng.uniform(0.5, 3, 40)
        y = spread * rng.standard_t(3, size=40)
        q = np.column_stack([-spread, np.zeros(40), 0.3 * spread])  # wrong on purpose
        moved = shifted(fit_shifts(q[:39], y[:39], LEVELS), q[39:])[0]
        below_high += y[39] <= moved[2]
        below_low += y[39] < moved[0]
    sd = math.sqrt(2000 * 0.09)
    assert 1800 - 3.3 * sd <= below_high <= 1850 + 3.3 * sd
    assert 150 - 3.3 * sd <= below_low <= 200 + 3.3 * sd


def test_wrong_quantiles_become_better_and_do_not_cross():
    rng = np.random.default_rng(2)
    y = rng.normal(size=4000)
    q = np.column_stack([y * 0 + 0.5, y * 0 + 0.2, y * 0 + 0.1]) + 0.01 * rng.normal(size=(4000, 3))
    calibration = fit_shifts(q[:2000], y[:2000], LEVELS)
    moved = shifted(calibration, q[2000:])
    metric = pinball.at_levels(LEVELS)
    assert metric.score(y[2000:], moved) < 0.8 * metric.score(y[2000:], np.sort(q[2000:], axis=1))
    assert (np.diff(moved, axis=1) >= 0).all()
    np.testing.assert_array_equal(calibrated(calibration, q[2000:]), moved)


def test_quantiles_of_what_is_never_negative_are_not_negative_either():
    y = np.abs(np.random.default_rng(0).normal(size=100))
    q = np.column_stack([y - 2, y - 1, y])
    assert shifted(fit_shifts(q, y, LEVELS), q - 5).min() >= 0
    assert fit_shifts(q, y - 10, LEVELS).minimum is None


def test_whole_weights_count_as_repeats_and_rows_without_prediction_do_not_count():
    rng = np.random.default_rng(4)
    y, q, w = rng.normal(size=300), rng.normal(size=(300, 3)), rng.integers(0, 4, 300)
    repeated = fit_shifts(np.repeat(q, w, axis=0), np.repeat(y, w), LEVELS).coefficients
    weighted = fit_shifts(q, y, LEVELS, w).coefficients
    np.testing.assert_allclose(weighted, repeated, atol=0.1)
    gaps = np.vstack([q, np.full((5, 3), np.nan)])
    again = fit_shifts(gaps, np.append(y, np.full(5, 1e9)), LEVELS).coefficients
    assert again == fit_shifts(q, y, LEVELS).coefficients


def test_a_row_of_several_splits_is_one_row():
    y, levels = np.random.default_rng(3).normal(size=15), (0.1, 0.5, 0.9)
    again, block = np.tile(y, 5), np.tile(np.arange(15), 5)
    once = fit_shifts(np.zeros((15, 3)), y, levels).coefficients
    assert fit_shifts(np.zeros((75, 3)), again, levels, block=block).coefficients == once
    assert fit_shifts(np.zeros((75, 3)), again, levels).coefficients[2] < once[2]  # 75 rows would allow for less
    gaps = np.append(np.zeros((75, 3)), np.full((1, 3), np.nan), axis=0)
    more = fit_shifts(gaps, np.append(again, 0.0), levels, block=np.append(block, 99))
    assert more.coefficients == once
