"""Learning with weights of 1 / y is learning the mean absolute percentage error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_percentage_error, mean_squared_log_error

import autodl
from autodl.preprocess.ratio_weights import SMALLEST, least_denominator, ratio_weights


def test_the_weighted_median_is_the_best_answer() -> None:
    y = np.random.default_rng(0).lognormal(sigma=1.0, size=2001)
    weight = ratio_weights(y, least_denominator(y))
    order = np.argsort(y)
    median = y[order][np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)]
    grid = np.exp(np.linspace(-3, 1, 2001))
    best = grid[np.argmin([mean_absolute_percentage_error(y, np.full(len(y), g)) for g in grid])]
    assert median == pytest.approx(best, rel=0.01)
    assert median == pytest.approx(np.exp(-1.0), rel=0.1)  # of a lognormal law: exp(mu - sigma^2)


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=20))
def test_weights_are_positive_and_bounded(values: list[float]) -> None:
    y = np.array(values)
    weight = ratio_weights(y, least_denominator(y), np.ones(len(y)))
    assert np.isfinite(weight).all()
    assert (weight > 0).all()
    assert weight.mean() == pytest.approx(1.0)
    usual = np.median(np.abs(y))
    if usual > 0:
        assert weight.max() / weight[np.abs(y) >= usual].max() <= 1.001 * np.abs(y).max() / (SMALLEST * usual)


@pytest.mark.parametrize("family", ["lightgbm", "catboost", "mlp", "linear"])
@pytest.mark.parametrize(
    ("metric", "loss"), [("mape", mean_absolute_percentage_error), ("rmsle", mean_squared_log_error)]
)
def test_models_learn_the_error_that_counts(tmp_path, family, metric, loss) -> None:
    """The law of the target has a long tail, so that its mean, median and best answer by ratio lie far apart."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=1000)
    table = pd.DataFrame(
        {"signal": signal, "noise": rng.normal(size=1000), "y": np.exp(5.0 + signal + rng.normal(size=1000))}
    )
    fresh = pd.DataFrame({"signal": (s := rng.normal(size=4000)), "noise": rng.normal(size=4000)})
    truth = np.exp(5.0 + s + rng.normal(size=4000))
    found = {}
    for asked in (metric, "rmse"):
        run = autodl.fit(
            table, "y", metric=asked, time_budget=None, max_trials=2, families=(family,), workers=1, report=False,
            out=tmp_path / asked,
        )  # fmt: skip
        found[asked] = loss(truth, np.maximum(run.predict(fresh)["prediction"], 0.0))
    centre = {"mape": np.exp(4.0 + s), "rmsle": np.exp(5.0 + s)}[metric]  # log(1 + y) is nearly log(y) here
    assert found[metric] < 0.9 * found["rmse"]
    assert found[metric] < 1.12 * loss(truth, centre)
