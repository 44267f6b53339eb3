"""Features made of numbers: combinations of columns, bent lines, powers, counts of gaps, days between dates."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PowerTransformer

from autodl.preprocess import TargetTransform
from autodl.preprocess import crosses as crosses_module
from autodl.preprocess.crosses import Crosses, combine
from autodl.preprocess.dates import DateExpander
from autodl.preprocess.numeric import NumericBlock
from autodl.preprocess.scaling import NumericScaler
from autodl.preprocess.segments import Segments
from autodl.preprocess.yeo_johnson import exponent, forward, inverse
from autodl.records import Recipe, Task


def noise(n: int = 900, p: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.5, 3.0, (n, p))


@pytest.mark.parametrize("additive", [False, True])
def test_a_ratio_that_makes_the_target_is_found(additive: bool) -> None:
    x = noise()
    y = np.sin(4 * x[:, 1] / x[:, 3]) + 0.1 * x[:, 0]
    crosses = Crosses(3, additive, 0).fit(x, [y])
    assert set(crosses.chosen[:1]) <= {("/", 1, 3), ("\\", 1, 3)}
    name = crosses.names(("a", "b", "c", "d", "e"))[0]
    expected = {"b / d": x[:, 1] / x[:, 3], "d / b": x[:, 3] / x[:, 1]}[name]
    np.testing.assert_allclose(crosses.transform(x)[:, 0], expected)


@pytest.mark.parametrize("seed", range(4))
def test_noise_has_no_combination(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    assert Crosses(5, False, 0).fit(noise(seed=seed), [rng.normal(size=900)]).chosen == ()


def test_of_many_columns_the_bins_of_the_most_correlated_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    x = noise(p=500)
    x[:, 7] = np.nan
    x[::9, 430] = np.nan
    x[:, 498], x[:, 499] = 1.0, 1e200 * x[:, 498]
    y = x[:, 300] - 2.0 * np.nan_to_num(x[:, 430], nan=1.75)
    judged = []
    gain = crosses_module._gain
    monkeypatch.setattr(crosses_module, "_gain", lambda values, errors: judged.append(1) or gain(values, errors))
    other = np.random.default_rng(1).normal(size=900)
    columns = crosses_module._telling(x, np.column_stack([other, y]))
    assert {300, 430} < set(columns) and len(columns) == crosses_module.COLUMNS
    assert len(judged) == crosses_module.JUDGED


def test_of_many_columns_those_are_judged_whose_distance_tells() -> None:
    x = noise(p=500)
    columns = crosses_module._telling(x, np.abs(x[:, [300]] - x[:, [430]]))
    assert {300, 430} <= set(columns)


def test_a_sum_that_a_model_has_learnt_is_no_news_to_a_linear_one() -> None:
    x = noise()
    assert Crosses(5, True, 0).fit(x, [x[:, 0] + x[:, 1]]).chosen == ()


def test_combinations_with_gaps_and_zeros_are_missing() -> None:
    a, b = np.array([1.0, np.nan, 2.0, 1e300]), np.array([0.0, 1.0, 4.0, 1e300])
    np.testing.assert_array_equal(combine("/", a, b), [np.nan, np.nan, 0.5, 1.0])
    np.testing.assert_array_equal(combine("*", a, b), [0.0, np.nan, 8.0, np.nan])


def test_bent_lines_are_linear_splines() -> None:
    x = np.linspace(0, 12, 241)[:, None]
    knots = np.quantile(x[:, 0], [0, 1 / 3, 2 / 3, 1])
    y = np.interp(x[:, 0], knots, [0.0, 5.0, 1.0, 2.0])
    made = Segments(3).fit(x)
    np.testing.assert_allclose(LinearRegression().fit(made.transform(x), y).predict(made.transform(x)), y, atol=1e-6)
    # Beyond the ends a line goes on, but not for ever.
    far = made.transform(np.array([[-4.0], [-1e9], [1e9]]))
    np.testing.assert_allclose(far, [[-1, 0, 0], [-2, 0, 0], [1, 1, 3]])
    assert Segments(3).fit(np.array([[0.0], [1.0]] * 9)).transform(np.array([[0.5]])).shape == (1, 0)


def test_wide_tables_get_fewer_bends() -> None:
    wide = np.random.default_rng(0).normal(size=(50, 100))
    assert Segments(12).fit(wide).transform(wide).shape == (50, 300)
    assert Segments(12).fit(np.tile(wide, 2)).transform(np.tile(wide, 2)).shape == (50, 0)


def test_powers_are_those_of_scipy_and_scikit_learn() -> None:
    x = np.random.default_rng(0).gumbel(size=400)
    for power in (-1.5, 0.0, 0.5, 1.0, 2.0, 3.3):
        np.testing.assert_allclose(forward(x, power), stats.yeojohnson(x, power))
    assert exponent(x) == pytest.approx(PowerTransformer().fit(x[:, None]).lambdas_[0], abs=1e-3)
    assert exponent(np.ones(9)) == 1


@settings(deadline=None, derandomize=True)
@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-50, 50)), st.floats(-2, 4))
def test_the_inverse_of_a_power_undoes_it(x: np.ndarray, power: float) -> None:
    z = forward(x, power)
    # Where the image is bounded, digits are lost at its edge.
    kept = np.abs(x) < 5
    np.testing.assert_allclose(inverse(z, power)[kept], x[kept], rtol=1e-4, atol=1e-4)


def test_power_scaling_makes_columns_symmetric() -> None:
    x = np.random.default_rng(0).lognormal(size=(3_000, 2)) * [1, 1e5]
    x[:9, 0] = np.nan
    out = NumericScaler("power").fit(x).transform(x)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(x))
    assert (stats.skew(x, nan_policy="omit") > 3).all()
    assert (np.abs(stats.skew(out, nan_policy="omit")) < 1).all()


@pytest.mark.parametrize("kind", ["power", "quantile"])
def test_targets_become_normal_and_answers_stay_near_what_was_seen(kind: str) -> None:
    y = np.random.default_rng(0).lognormal(3, 1, 800)
    made = TargetTransform(kind, y)
    assert abs(stats.skew(made.forward(y))) < 0.1 * stats.skew(y) + 0.05
    np.testing.assert_allclose(made.inverse(made.forward(y)), y, rtol=1e-6)
    far = made.inverse(np.array([-1e9, 1e9]))
    assert far[0] >= y.min() - 1.001 * np.ptp(y) and far[1] <= y.max() + 1.001 * np.ptp(y)
    assert made.inverse(np.zeros((3, 2))).shape == (3, 2)


def test_gaps_are_counted() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, np.nan], "b": [np.nan, np.nan, 2.0], "c": [1.0, 2.0, 3.0]})
    block = NumericBlock(("a", "b", "c"), (), Recipe(impute="none", gaps=True), 0)
    np.testing.assert_array_equal(block.fit_transform(frame, np.zeros(3))[:, -1], [1, 2, 1])
    assert block.names[-1] == "missing values"


def test_names_and_columns_agree_with_everything_on() -> None:
    x = pd.DataFrame(noise(400), columns=list("abcde"))
    x.loc[::9, ["a", "b"]] = np.nan
    y = (x["c"] / x["d"] > 1).to_numpy().astype(int)
    recipe = Recipe(impute="median", scale="power", gaps=True, segments=4, crosses=3)
    block = NumericBlock(tuple(x.columns), (), recipe, 0, Task.CLASSIFICATION)
    out = block.fit_transform(x, y)
    assert out.shape == (400, len(block.names)) == block.transform(x).shape
    assert any("/" in name or "-" in name for name in block.names)
    np.testing.assert_allclose(block.transform(x), out)


def test_days_between_dates() -> None:
    frame = pd.DataFrame({
        "sent": pd.to_datetime(["2024-01-01", "2024-01-05", None]),
        "came": pd.to_datetime(["2024-01-04", "2024-01-05 12:00", "2024-02-01"], format="mixed"),
    })  # fmt: skip
    dates = DateExpander(("sent", "came")).fit(frame)
    assert dates.names[-1] == "days from sent to came"
    np.testing.assert_array_equal(dates.transform(frame)[:, -1], [3, 0.5, np.nan])


def test_parts_of_dates_stay_straight() -> None:
    frame = pd.DataFrame({"n": np.arange(60.0), "d": pd.date_range("2024-01-01", periods=60)})
    block = NumericBlock(("n",), ("d",), Recipe(scale="standard", segments=6), 0)
    width = block.fit_transform(frame, np.arange(60.0)).shape[1]
    assert len(block.names) == width
    assert {name.split(":")[0] for name in block.names if ":segment" in name} == {"n"}
