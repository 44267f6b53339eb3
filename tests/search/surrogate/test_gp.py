from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from autodl.search.encoding import Encoding
from autodl.search.space import parse_space
from autodl.search.surrogate.acquisition import log_expected_improvement
from autodl.search.surrogate.climb import climbed
from autodl.search.surrogate.gp import JITTER, GaussianProcess, Hyper, fit
from autodl.search.surrogate.warping import blended, clipped, normal_scores

NUMBERS = np.zeros(3, dtype=bool)


def some_rows(n=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.random((n, 3))
    return X, np.sin(5 * X[:, 0]) + X[:, 1] ** 2


def test_posterior_equals_that_of_scikit_learn():
    X, y = some_rows()
    hyper = Hyper(np.log([0.3, 0.7, 2.0]), scale=np.log(1.7), noise=np.log(1e-3))
    kernel = ConstantKernel(1.7, "fixed") * Matern([0.3, 0.7, 2.0], "fixed", nu=2.5)
    theirs = GaussianProcessRegressor(kernel, alpha=1e-3 + JITTER, optimizer=None).fit(X, y)
    Z, _ = some_rows(9, seed=1)
    mean, sd = theirs.predict(Z, return_std=True)
    ours = GaussianProcess(X, y, NUMBERS, hyper).predict(Z)
    np.testing.assert_allclose(ours[0], mean, atol=1e-8)
    np.testing.assert_allclose(ours[1], sd, atol=1e-6)


def test_choices_agree_or_differ_whatever_their_codes():
    """Codes are names: renaming them changes nothing, and an unknown one is as far as any other."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.random(25), rng.integers(0, 4, 25), rng.integers(-1, 3, 25)]).astype(float)
    y, kinds = rng.normal(size=25), np.array([False, True, True])
    renamed = X.copy()
    renamed[:, 1] = np.array([2, 0, 3, 1])[X[:, 1].astype(int)]
    hyper = Hyper(np.log([0.5, 0.8, 0.6]))
    beside = np.array([0.1, 0.0, 0.0])
    one = GaussianProcess(X, y, kinds, hyper).predict(X[:7] + beside)
    two = GaussianProcess(renamed, y, kinds, hyper).predict(renamed[:7] + beside)
    np.testing.assert_allclose(one, two, atol=1e-10)
    far = GaussianProcess(X, y, kinds, hyper).predict(np.array([[0.5, 7.0, 9.0]]))
    assert np.isfinite(far).all()


@pytest.mark.parametrize("timed", [False, True])
def test_fit_stands_at_a_maximum(timed):
    """No small step in any hyperparameter makes the posterior density higher: the gradient is right."""
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.random((40, 2)), rng.integers(0, 3, 40)]).astype(float)
    kinds = np.array([False, False, True])
    times = rng.choice([0.0, 0.5, 1.0], 40) if timed else None
    y = np.sin(4 * X[:, 0]) + 0.3 * (X[:, 2] == 1) + 0.1 * rng.normal(size=40) + (0 if times is None else times)
    found = fit(X, y, kinds, times, steps=400)

    def density(v):
        h = Hyper.of(v)
        gp = GaussianProcess(X, y, kinds, h, times)
        middle = Hyper.prior(3).vector()
        spread = np.array([1.0] * 3 + [1.0, 2.0, 1.5, 1.5, 1.5, 0.7])
        z = (v - middle) / spread
        return -0.5 * y @ gp._alpha - np.log(np.diag(gp._L)).sum() - 0.5 * z @ z

    v = found.vector()
    best = density(v)
    for j in range(len(v)):
        for step in (-0.05, 0.05):
            w = v.copy()
            w[j] += step
            assert density(w) <= best + 1e-4, f"hyperparameter {j}"


@pytest.mark.parametrize("timed", [False, True])
def test_slopes_are_those_of_small_steps(timed):
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.random((30, 2)), rng.integers(0, 3, 30)]).astype(float)
    kinds, y = np.array([False, False, True]), rng.normal(size=30)
    times = rng.choice([0.0, 0.5, 1.0], 30) if timed else None
    gp = GaussianProcess(X, y, kinds, Hyper(np.log([0.5, 0.8, 0.6])), times)
    row, time = np.array([0.3, 0.6, 1.0]), 1.0 if timed else None
    mean, sd, by_mean, by_sd = gp.slopes(row, time)

    def at(rows):
        return np.array(gp.predict(rows, np.ones(len(rows)) if timed else None))

    np.testing.assert_allclose([[mean], [sd]], at(row[None]), atol=1e-9)
    for j in range(2):
        step = 1e-6 * np.eye(3)[j]
        up, down = at((row + step)[None]), at((row - step)[None])
        np.testing.assert_allclose((up - down)[:, 0] / 2e-6, [by_mean[j], by_sd[j]], atol=1e-5)
    assert by_mean[2] == by_sd[2] == 0.0


def test_climbing_ends_where_no_small_step_promises_more():
    encoding = Encoding(parse_space({n: {"type": "float", "low": 0, "high": 1} for n in "abc"}))
    X, y = some_rows(40)
    gp = GaussianProcess(X, y, NUMBERS, Hyper(np.log([0.3, 0.7, 2.0])))
    best = float(y.min())

    def promise(rows):
        return log_expected_improvement(*gp.predict(np.clip(rows, 0, 1)), best)

    for start in some_rows(5, seed=3)[0]:
        top = climbed(gp, encoding, start, best)
        steps = top + 0.01 * np.concatenate([np.eye(3), -np.eye(3)])
        assert promise(top[None])[0] >= promise(start[None])[0]
        assert promise(top[None])[0] >= promise(steps).max() - 0.02


def test_log_expected_improvement_equals_the_integral():
    for mean, sd, best in ((0.0, 1.0, 0.5), (1.0, 0.5, 0.0), (2.0, 0.2, 0.5)):
        value, _ = quad(lambda f: (best - f) * norm.pdf(f, mean, sd), best - 12 * sd - 3, best, epsabs=0)  # noqa: B023
        ours = log_expected_improvement(np.array([mean]), np.array([sd]), best)[0]
        assert ours == pytest.approx(np.log(value), rel=1e-5)


def test_log_expected_improvement_far_away_still_tells_apart():
    values = log_expected_improvement(np.array([50.0, 100.0, 1e6]), np.ones(3), 0.0)
    assert np.isfinite(values).all()
    assert (np.diff(values) < 0).all()


def test_warping_keeps_the_order_and_survives_outliers():
    y = np.array([3.0, 1.0, 1e12, 2.0, np.inf, 1.5])
    for warp in (clipped, normal_scores, blended):
        out = warp(y)
        assert np.isfinite(out).all()
        assert (np.diff(out[np.argsort(y)]) >= -1e-12).all()
    assert clipped(y)[3] - clipped(y)[1] > 0.5  # the good side keeps its differences beside 1e12
    assert (clipped(np.ones(4)) == 0).all()
