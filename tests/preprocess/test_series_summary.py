"""Summaries of series against values that are known, and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from autodl.preprocess.series_summary import summarize, summary_names
from autodl.preprocess.series_values import SeriesValues

WINDOW = 64


def of(*series: np.ndarray) -> SeriesValues:
    series = tuple(s[:, None] if s.ndim == 1 else s for s in series)
    lengths = np.array([len(s) for s in series])
    values = np.zeros((lengths.max(initial=0), len(series), series[0].shape[1]), np.float32)
    for place, one in enumerate(series):
        values[: len(one), place] = one
    return SeriesValues(values, lengths)


def named(series: SeriesValues) -> list[dict[str, float]]:
    names = summary_names(series.values.shape[2])
    return [dict(zip(names, row.tolist(), strict=True)) for row in summarize(series, WINDOW)]


def test_moments_and_quantiles_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    series = [rng.gamma(2.0, size=t).astype(np.float32) for t in (40, 17, 3)]
    for one, found in zip(series, named(of(*series)), strict=True):
        assert found["steps"] == len(one)
        expected = {
            "mean": one.mean(), "deviation": one.std(), "lowest": one.min(), "highest": one.max(),
            "25% quantile": np.quantile(one, 0.25), "90% quantile": np.quantile(one, 0.9),
            "skewness": stats.skew(one), "tails": stats.kurtosis(one, fisher=False), "first": one[0],
            "last": one[-1], "mean change": np.abs(np.diff(one)).mean(), "largest change": np.abs(np.diff(one)).max(),
            "place of the highest": one.argmax() / (len(one) - 1),
            "slope": stats.linregress(np.linspace(0, 1, len(one)), one).slope,
        }  # fmt: skip
        for name, value in expected.items():
            assert found[name] == pytest.approx(float(value), rel=1e-4, abs=1e-5), name


def test_a_wave_shows_its_period() -> None:
    steps = np.arange(64)
    slow, quick = named(of(np.sin(2 * np.pi * steps * 3 / 64), np.sin(2 * np.pi * steps / 3)))
    assert slow["share of periods 16-32"] == pytest.approx(1.0, abs=1e-3)
    assert quick["share of periods 2-4"] > 0.95
    assert slow["autocorrelation 8"] < -0.5
    assert slow["evenness of the spectrum"] < 0.1
    noise = named(of(np.random.default_rng(0).normal(size=64)))[0]
    assert noise["evenness of the spectrum"] > 0.7
    assert slow["crossings of the mean"] < quick["crossings of the mean"]


def test_parts_and_pairs() -> None:
    ramp = np.arange(16.0)
    found = named(of(np.column_stack([ramp, -ramp])))[0]
    assert [found[f"channel 1 mean of part {k}"] for k in (1, 8)] == [0.5, 14.5]
    assert found["correlation of channels 1 and 2"] == pytest.approx(-1.0)
    assert len(summary_names(12)) == 1 + 12 * (len(summary_names(1)) - 1), "no pairs of many channels"


@given(
    st.integers(1, 3), st.lists(st.integers(1, 40), min_size=1, max_size=6), st.floats(0.1, 10), st.floats(-50, 50),
    st.integers(0, 100),
)  # fmt: skip
@settings(max_examples=20)
def test_shape_does_not_depend_on_scale_and_level_and_rows_not_on_others(
    channels: int, lengths: list[int], scale: float, shift: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    series = [rng.normal(size=(t, channels)) for t in lengths]
    found = summarize(of(*series), WINDOW)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(summarize(of(series[0]), WINDOW)[0], found[0], rtol=1e-5, atol=1e-6)
    moved = summarize(of(*(s * scale + shift for s in series)), WINDOW)
    same = [
        k for k, name in enumerate(summary_names(channels))
        if any(w in name for w in ("steps", "share of", "longer", "evenness", "skew", "tails", "correlation"))
    ]  # fmt: skip
    np.testing.assert_allclose(moved[:, same], found[:, same], rtol=0.02, atol=5e-3)
    levels = [k for k, name in enumerate(summary_names(channels)) if "quantile" in name or "part" in name]
    np.testing.assert_allclose(moved[:, levels], found[:, levels] * scale + shift, rtol=1e-3, atol=1e-3)


def test_series_that_never_change_or_are_not_there() -> None:
    flat = np.full(20, 1e6, np.float32)
    found = summarize(
        SeriesValues(np.column_stack([flat, np.zeros(20, np.float32)])[..., None], np.array([20, 0])), 32
    )
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()
    assert found[0][summary_names(1).index("deviation")] == 0
