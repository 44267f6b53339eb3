from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression

from autodl.ensemble import calibration as module
from autodl.ensemble.calibration import calibrated, fit_calibration, kinds_for
from autodl.evaluate.base import metrics
from autodl.records import Calibration


def two(p):
    return np.column_stack([1 - p, p])


def distorted(n=20_000, slope=2.0, shift=1.0, seed=0):
    """True probabilities, probabilities that are too bold and too high, and classes."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    return expit(truth), expit(slope * truth + shift), (rng.random(n) < expit(truth)).astype(int)


def test_beta_undoes_a_wrong_slope_and_shift():
    truth, wrong, y = distorted()
    after = calibrated(fit_calibration("beta", two(wrong), y, metrics["log_loss"]), two(wrong))
    assert after.sum(axis=1) == pytest.approx(1.0)
    assert np.abs(after[:, 1] - truth).max() < 0.03


def test_beta_is_logistic_regression_on_the_logarithms(monkeypatch):
    """Kull et al. 2017, without the pull towards leaving the predictions as they are."""
    monkeypatch.setattr(module, "PRIOR_ROWS", 1e-9)
    _, wrong, y = distorted(n=3000)
    got = fit_calibration("beta", two(wrong), y, metrics["log_loss"])
    X = np.column_stack([np.log(wrong), -np.log1p(-wrong)])
    peer = LogisticRegression(C=1e9, tol=1e-10, max_iter=10_000).fit(X, y)
    expected = peer.predict_proba(X)[:, 1]
    assert calibrated(got, two(wrong))[:, 1] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("k", [2, 5])
def test_temperature_finds_the_power(k):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(20_000, k))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (rng.random((len(z), 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, k - 1)
    bold = p**2.5 / (p**2.5).sum(axis=1, keepdims=True)
    got = fit_calibration("temperature", bold, y, metrics["log_loss"])
    assert got.coefficients[0] == pytest.approx(0.4, abs=0.03)
    assert calibrated(got, bold) == pytest.approx(p, abs=0.03)


def test_isotonic_is_that_of_scikit_learn():
    _, wrong, y = distorted(n=5000)
    got = calibrated(fit_calibration("isotonic", two(wrong), y, metrics["log_loss"]), two(wrong))[:, 1]
    expected = IsotonicRegression(y_min=0, y_max=1).fit_transform(wrong, y)
    assert np.abs(got - expected).mean() < 0.01
    assert (np.diff(got[np.argsort(wrong)]) >= 0).all()
    assert got.min() > 0 and got.max() < 1


def test_linear_is_least_squares(monkeypatch):
    monkeypatch.setattr(module, "PRIOR_ROWS", 0.0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    y = 3 * x - 2 + rng.normal(size=500)
    w = rng.random(500)
    got = fit_calibration("linear", x, y, metrics["rmse"], w)
    peer = LinearRegression().fit(x[:, None], y, w)
    assert got.coefficients == pytest.approx((peer.intercept_, peer.coef_[0]))


def test_absolute_errors_move_by_the_median():
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=2001), rng.exponential(size=2001)
    got = fit_calibration("linear", x, x + noise, metrics["mae"])
    assert got.coefficients == pytest.approx((np.median(noise), 1.0))


def test_numbers_stay_where_targets_can_be():
    x = np.linspace(0, 10, 100)
    got = fit_calibration("linear", x, np.maximum(2 * x - 5, 0), metrics["rmse"])
    assert calibrated(got, np.array([-5.0, 0.0])) == pytest.approx([0.0, 0.0])
    free = fit_calibration("linear", x, 2 * x - 5, metrics["rmse"])
    assert calibrated(free, np.array([-5.0]))[0] < -5


@pytest.mark.parametrize("kind", ["beta", "temperature", "isotonic"])
def test_a_weight_of_two_is_the_row_twice(kind):
    _, wrong, y = distorted(n=1500)
    w = np.random.default_rng(1).integers(0, 3, size=len(y))
    weighted = fit_calibration(kind, two(wrong), y, metrics["log_loss"], w.astype(float))
    repeated = fit_calibration(kind, np.repeat(two(wrong), w, axis=0), np.repeat(y, w), metrics["log_loss"])
    inside = np.linspace(0.1, 0.9, 50)
    assert calibrated(weighted, two(inside)) == pytest.approx(calibrated(repeated, two(inside)), abs=0.02)


def test_nothing_breaks_at_the_edges():
    certain = two(np.array([0.0, 1.0]))
    for c in (
        Calibration(kind="beta", coefficients=(1.0, 1.0, 0.0)),
        Calibration(kind="temperature", coefficients=(1.0,)),
        Calibration(kind="isotonic", x=(0.2, 0.8), y=(0.1, 0.9)),
    ):
        got = calibrated(c, certain)
        assert np.isfinite(got).all() and (got >= 0).all() and got.sum(axis=1) == pytest.approx(1.0)
    assert logit(calibrated(Calibration(kind="beta", coefficients=(1.0, 1.0, 0.0)), two(np.array([0.3])))[0, 1]) == (
        pytest.approx(logit(0.3), abs=1e-4)
    )


def test_kinds_keep_what_the_metric_looks_at():
    y = np.arange(5000) % 2
    assert kinds_for(metrics["roc_auc"], y, 2) == ("beta",)
    assert kinds_for(metrics["log_loss"], y, 2) == ("beta", "isotonic")
    assert kinds_for(metrics["log_loss"], y[:500], 2) == ("beta",)
    assert kinds_for(metrics["f1"], y, 2) == ("temperature",)
    assert kinds_for(metrics["roc_auc"], y, 3) == ()
    assert kinds_for(metrics["rmse"], y.astype(float), 0) == ("linear",)
