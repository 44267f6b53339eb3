"""Scaling, clipping, imputation and dates against scikit-learn, pandas and their formulas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import norm
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from autodl.preprocess.dates import DateExpander
from autodl.preprocess.imputation import NumericImputer
from autodl.preprocess.numeric import NumericBlock
from autodl.preprocess.outliers import Winsorizer
from autodl.preprocess.scaling import NumericScaler, smooth_clip
from autodl.records import Recipe

TABLES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(1, 4)),
    elements=st.one_of(st.floats(-1e6, 1e6), st.just(np.nan)),
)


def some_rows(seed: int = 0, n: int = 300) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * [1, 50, 1e-3] + [0, 1000, 5]
    x[rng.random(x.shape) < 0.1] = np.nan
    return x


def test_standard_scaling_is_that_of_scikit_learn() -> None:
    x = some_rows()
    np.testing.assert_allclose(NumericScaler("standard").fit(x).transform(x), StandardScaler().fit_transform(x))


def test_robust_scaling_follows_the_paper() -> None:
    x = np.array([[-4.0, 0.0, 7.0], [0.0, 0.0, 7.0], [1.0, 0.0, 7.0], [2.0, 0.0, 7.0], [100.0, 5.0, 7.0]])
    out = NumericScaler("robust").fit(x).transform(x)
    # Column 0: median 1, quartiles 0 and 2. Column 1: equal quartiles, so half the range. Column 2: one value.
    np.testing.assert_allclose(out[:, 0], smooth_clip((x[:, 0] - 1) / 2))
    np.testing.assert_allclose(out[:, 1], smooth_clip(x[:, 1] / 2.5))
    np.testing.assert_array_equal(out[:, 2], 0)


def test_smooth_clip_is_the_identity_near_zero_and_three_far_away() -> None:
    assert smooth_clip(np.array([1e-4]))[0] == pytest.approx(1e-4, rel=1e-6)
    np.testing.assert_allclose(smooth_clip(np.array([-1e9, 1e9])), [-3, 3])
    np.testing.assert_allclose(smooth_clip(np.array([3.0])), 3 / np.sqrt(2))


def test_quantile_scaling_gives_a_normal_distribution() -> None:
    x = np.random.default_rng(0).lognormal(sigma=2, size=(2000, 1))
    out = NumericScaler("quantile").fit(x).transform(x)[:, 0]
    assert abs(np.median(out)) < 0.05
    assert np.std(out) == pytest.approx(1, abs=0.05)
    assert (np.argsort(out) == np.argsort(x[:, 0])).mean() > 0.99


@pytest.mark.parametrize("weight", [None, np.ones(1000)])
@pytest.mark.parametrize("unit", [1.0, 1e-9])
def test_equal_values_lie_in_the_middle_of_their_ranks(weight: np.ndarray | None, unit: float) -> None:
    flag = np.repeat([0.0, 1.0], [900, 100])
    mostly_zero = np.concatenate([np.zeros(700), np.arange(1.0, 301.0)])
    x = unit * np.column_stack([flag, mostly_zero, -mostly_zero, np.arange(1000.0)])
    out = NumericScaler("quantile").fit(x, weight).transform(x)
    np.testing.assert_allclose(out[[0, -1], 0], norm.ppf([0.45, 0.95]), atol=0.01)
    np.testing.assert_allclose(out[0, 1:3], norm.ppf([0.35, 0.65]), atol=0.01)
    np.testing.assert_allclose(out[[0, -1], 3], norm.ppf([0.0005, 0.9995]))


@pytest.mark.parametrize("n", [1_000, 5_000])
def test_quantile_scaling_is_that_of_scikit_learn_where_no_values_are_equal(n: int) -> None:
    x = np.random.default_rng(0).gumbel(size=(n, 2))
    new = np.random.default_rng(1).gumbel(size=(100, 2))
    theirs = QuantileTransformer(n_quantiles=1000, output_distribution="normal").fit(x).transform(new)
    inside = np.abs(theirs) < 2.0
    assert inside.mean() > 0.9
    np.testing.assert_allclose(NumericScaler("quantile").fit(x).transform(new)[inside], theirs[inside], atol=0.03)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(TABLES, st.sampled_from(["standard", "robust", "quantile"]))
def test_scaling_keeps_order_and_missing_values(x: np.ndarray, kind: str) -> None:
    out = NumericScaler(kind).fit(x).transform(x)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(x))
    assert not np.isinf(out).any()
    for j in range(x.shape[1]):
        present = ~np.isnan(x[:, j])
        order = np.argsort(x[present, j], kind="stable")
        assert (np.diff(out[present, j][order]) >= -1e-6).all()


def test_winsorizing_clips_at_three_interquartile_ranges() -> None:
    x = np.concatenate([np.arange(101.0), [1e6, -1e6]])[:, None]
    out = Winsorizer().fit(x).transform(x)
    q1, q3 = np.percentile(x, [25, 75])
    assert out.max() == pytest.approx(q3 + 3 * (q3 - q1))
    assert out.min() == pytest.approx(q1 - 3 * (q3 - q1))
    mostly_zero = np.array([[0.0]] * 99 + [[8.0]])
    np.testing.assert_array_equal(Winsorizer().fit(mostly_zero).transform(mostly_zero), mostly_zero)


@pytest.mark.parametrize("kind", ["mean", "median", "most_frequent"])
def test_simple_imputation_is_that_of_scikit_learn(kind: str) -> None:
    x = np.round(some_rows(), 1)
    np.testing.assert_allclose(
        NumericImputer(kind).fit(x).transform(x), SimpleImputer(strategy=kind).fit_transform(x)
    )


@pytest.mark.parametrize("kind", ["knn", "iterative"])
def test_multivariate_imputation_uses_the_other_columns(kind: str) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=500)
    truth = np.column_stack([a, 1000 * a + 5 * rng.normal(size=500), rng.normal(size=500)])
    x = truth.copy()
    gone = rng.random(500) < 0.2
    x[gone, 1] = np.nan
    filled = NumericImputer(kind).fit(x).transform(x)
    np.testing.assert_array_equal(filled[~gone], truth[~gone])
    error = np.sqrt(np.mean((filled[gone, 1] - truth[gone, 1]) ** 2))
    assert error < 0.6 * truth[:, 1].std()


def test_dates_become_calendar_parts() -> None:
    frame = pd.DataFrame(
        {"d": pd.to_datetime(["2021-03-01", "2021-12-31 18:30", None, "2022-01-01"], format="mixed")}
    )
    dates = DateExpander(("d",), cyclical=True).fit(frame)
    parts = dict(zip(dates.names, dates.transform(frame).T, strict=True))
    np.testing.assert_array_equal(parts["d:year"], [2021, 2021, np.nan, 2022])
    np.testing.assert_array_equal(parts["d:weekday"], [0, 4, np.nan, 5])
    np.testing.assert_array_equal(parts["d:dayofyear"], [60, 365, np.nan, 1])
    np.testing.assert_allclose(parts["d:hour"], [0, 18.5, np.nan, 0])
    np.testing.assert_allclose(parts["d:days"], [0, 305 + 18.5 / 24, np.nan, 306])
    # New Year's Eve and New Year's Day are neighbours on the circle.
    circle = np.column_stack([parts["d:dayofyear_sin"], parts["d:dayofyear_cos"]])
    assert np.linalg.norm(circle[1] - circle[3]) < 0.05


def test_parts_of_dates_without_variation_are_left_out() -> None:
    frame = pd.DataFrame({"d": pd.to_datetime(["2021-03-01", "2021-03-02"])})
    assert DateExpander(("d",)).fit(frame).names == ("d:day", "d:weekday", "d:dayofyear", "d:days")


def test_indicators_mark_what_was_missing_or_infinite() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, np.inf, 3.0], "b": [1.0, 2.0, 3.0, 4.0], "c": [np.nan] * 4})
    block = NumericBlock(("a", "b", "c"), (), Recipe(impute="median"), 0)
    out = block.fit_transform(frame, np.zeros(4))
    assert block.names == ("a", "b", "c", "a:missing")
    np.testing.assert_array_equal(out[:, 3], [0, 1, 1, 0])
    np.testing.assert_array_equal(out[:, 0], [1, 2, 2, 3])
    np.testing.assert_array_equal(out[:, 2], 0)
    later = block.transform(pd.DataFrame({"a": [5.0], "b": [np.nan], "c": [2.0]}))
    np.testing.assert_array_equal(later[0], [5, 2.5, 2, 0])


@pytest.mark.parametrize("weight", [None, np.array([1.0, 1.0, 1.0, 9.0])])
def test_gaps_of_columns_without_gaps_in_training_are_filled_also_for_trees(weight: np.ndarray | None) -> None:
    day = pd.to_datetime(["2021-03-01", "2021-05-02", "2021-05-07", "2021-09-01"])
    frame = pd.DataFrame({"year": [2000.0, 2010.0, 2012.0, 2024.0], "gaps": [1.0, np.nan, 2.0, 3.0], "day": day})
    block = NumericBlock(("year", "gaps"), ("day",), Recipe(impute="none"), 0)
    block.fit_transform(frame, np.zeros(4), weight)
    new = block.transform(pd.DataFrame({"year": [np.nan, np.inf, 7.0], "gaps": [np.nan] * 3, "day": [pd.NaT] * 3}))
    parts = dict(zip(block.names, new.T, strict=True))
    typical = 2011.0 if weight is None else 2024.0
    np.testing.assert_array_equal(parts["year"], [typical, typical, 7.0])
    assert np.isnan(parts["gaps"]).all()
    np.testing.assert_array_equal(parts["day:month"], 5.0 if weight is None else 9.0)


def test_combinations_that_no_training_row_lacks_are_filled() -> None:
    x = pd.DataFrame(np.random.default_rng(0).uniform(0.5, 3.0, (400, 3)), columns=list("abc"))
    ratio = (x["a"] / x["b"]).to_numpy()
    block = NumericBlock(("a", "b", "c"), (), Recipe(impute="none", crosses=1), 0)
    block.fit_transform(x, np.sin(4 * ratio))
    assert block.names[3:] in (("a / b",), ("b / a",))
    new = block.transform(pd.DataFrame({"a": [1.0], "b": [np.nan], "c": [1.0]}))
    typical = np.median(ratio if block.names[3] == "a / b" else 1 / ratio)
    np.testing.assert_allclose(new[0], [1.0, x["b"].median(), 1.0, typical], rtol=1e-6)


@pytest.mark.parametrize("impute", ["none", "median"])
def test_numbers_far_from_zero_stay_apart(impute: str) -> None:
    days = pd.date_range("2023-01-01", periods=300).strftime("%Y%m%d").astype(float).to_numpy()
    level = 1e9 + np.linspace(-10.0, 10.0, 300)
    frame = pd.DataFrame({"day": days, "level": level, "near": np.arange(300.0), "small": level - 1e9})
    block = NumericBlock(tuple(frame.columns), (), Recipe(impute=impute), 0)
    out = block.fit_transform(frame, np.zeros(300))
    np.testing.assert_allclose(out[:, :2], np.column_stack([days - 20230101, level - level[0]]), atol=1e-5)
    np.testing.assert_array_equal(out[:, 2:], frame[["near", "small"]].to_numpy(np.float32))
    np.testing.assert_array_equal(block.transform(frame), out)


def test_nearest_neighbours_stay_affordable_where_every_row_has_a_gap() -> None:
    imputer = NumericImputer("knn")
    few, many = some_rows(n=3_000), np.tile(some_rows(n=3_000), (20, 10))
    many[:, 0] = np.nan
    assert imputer._donors(few) == 2_000
    assert imputer._donors(many) == 100
    filled = imputer.fit(many[:500]).transform(many[:50])
    assert np.isfinite(filled).all()
