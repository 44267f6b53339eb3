"""What measured seconds tell of those to come."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.search.calibration import (
    CONFIG_SD,
    FAMILY_SD,
    MACHINE_SD,
    NOISE_SD,
    Beliefs,
    Measurement,
)


def dense_posterior(measurements, family, config):
    """The same model as one Gaussian process: a covariance matrix and a linear solve."""

    def covariance(a, b):
        same = MACHINE_SD**2 + (FAMILY_SD**2 if a[0] == b[0] else 0.0)
        return same + (CONFIG_SD**2 if a == b else 0.0)

    points = [(m.family, m.config) for m in measurements]
    K = np.array([[covariance(a, b) for b in points] for a in points]) + NOISE_SD**2 * np.eye(len(points))
    k = np.array([covariance(a, (family, config)) for a in points])
    y = np.array([m.log_ratio for m in measurements])
    mean = k @ np.linalg.solve(K, y)
    variance = covariance((family, config), (family, config)) + NOISE_SD**2 - k @ np.linalg.solve(K, k)
    return mean, variance


def believe(measurements, family, config):
    return Beliefs(measurements).of(family, config)


measurements = st.lists(
    st.builds(Measurement, st.sampled_from("abc"), st.integers(0, 2), st.floats(-3, 3)), min_size=1, max_size=12
)


@given(measurements, st.sampled_from("abcd"), st.integers(0, 3))
def test_the_posterior_is_that_of_a_gaussian_process(seen, family, config):
    mean, variance = dense_posterior(seen, family, config)
    belief = believe(seen, family, config)
    assert belief.mean == pytest.approx(mean, abs=1e-9)
    assert belief.variance == pytest.approx(variance, abs=1e-9)


@given(measurements, st.sampled_from("abc"), st.integers(0, 2), st.floats(-3, 3), st.floats(0.01, 2))
def test_a_later_end_of_time_lets_expect_more(seen, family, config, bound, more):
    def expected(b):
        return believe([*seen, Measurement(family, config, b, bound=True)], family, config).mean

    assert expected(bound + more) >= expected(bound) - 1e-9


def test_a_bound_far_below_what_is_known_changes_next_to_nothing():
    seen = [Measurement("a", i, 1.0) for i in range(6)]
    before = believe(seen, "a", 9).mean
    assert believe([*seen, Measurement("a", 7, -3.0, bound=True)], "a", 9).mean == pytest.approx(before, abs=1e-6)


def test_one_end_of_time_does_not_multiply_estimates_without_end():
    after = believe([Measurement("a", 0, math.log(3.0), bound=True)], "a", 1).mean
    assert math.log(1.2) < after < math.log(4.0)


@given(measurements, st.floats(-3, 3), st.lists(st.floats(0, 2), max_size=4))
def test_of_a_configuration_that_ran_out_of_time_again_and_again_the_tightest_bound_counts(seen, bound, looser):
    def late(*bounds):
        return believe([*seen, *(Measurement("a", 1, b, bound=True) for b in bounds)], "a", 2)

    assert late(bound, *(bound - x for x in looser)) == late(bound)
