from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodl.data import mean_one
from autodl.dataset import load, load_test
from autodl.effective_rows import effective_rows
from autodl.errors import AutodlError
from autodl.options import FitOptions


def table(weights: list[object], n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(size=n), "w": (weights * n)[:n], "y": ["a", "b", "c"] * (n // 3)})


def loaded(frame: pd.DataFrame, target: str | None = "y"):
    return load(frame, FitOptions(target=target, weight_column="w"))


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([0.5, 1.25, 4.0], [0.5, 1.25, 4.0]),
        (["1,5", "2,5", "3,5"], [1.5, 2.5, 3.5]),
        (["1", "1", "2"], [1, 1, 2]),
        ([1, 1, 1], [1, 1, 1]),
        ([True, True, True], None),
    ],
)
def test_numbers_however_written_are_read_and_scaled_to_mean_one(weights, expected) -> None:
    if expected is None:
        with pytest.raises(AutodlError):
            loaded(table(weights))
        return
    found = loaded(table(weights)).weight
    values = np.array((expected * 30)[:30], dtype=float)
    np.testing.assert_allclose(found, values / values.mean())


def test_weights_that_count_up_are_weights_and_no_key() -> None:
    frame = table([1])
    frame["w"] = np.arange(1, 31)
    np.testing.assert_allclose(loaded(frame).weight, np.arange(1, 31) / 15.5)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0, -2.0, 1.0], "a negative number in row 2 and 9 other rows (-2)"),
        ([1.0, None, 1.0], "has no number in row 2"),
        (["1", "much", "3"], "has no number in row 2"),
        (["small", "large", "large"], "holds words, not numbers"),
        (["2020-01-05", "2021-03-04", "2022-05-06"], "holds dates, not numbers"),
        ([0.0, 0.0, 0.0], "is 0 in every row"),
        ([1.0, float("inf"), 1.0], "a number that is not finite in row 2"),
        (["1", "-inf", "2"], "a number that is not finite in row 2"),
    ],
)
def test_what_is_no_weight_is_refused_in_one_line(weights, words) -> None:
    with pytest.raises(AutodlError) as caught:
        loaded(table(weights))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_weight_of_a_row_without_a_target_does_no_harm() -> None:
    frame = table([1.0, 2.0, 3.0])
    frame.loc[4, ["w", "y"]] = [None, None]
    assert len(loaded(frame).weight) == 29


def test_rows_of_weight_zero_are_left_out_with_all_that_only_they_have() -> None:
    frame = table([1.0, 2.0, 3.0])
    frame["y"] = ["a", "b"] * 15
    frame.loc[3, ["w", "y"]] = [0.0, "only here"]
    found = loaded(frame)
    assert found.target.classes == ("a", "b") and len(found.y) == 29 and 3 not in found.rows
    assert "1 row is left out, since the weight is 0." in found.read.notes


def test_the_weight_column_is_never_guessed_as_the_target() -> None:
    frame = table([1.0, 2.0, 3.0])[["x", "y", "w"]].rename(columns={"w": "target"})
    assert load(frame, FitOptions(weight_column="target")).target.name == "y"


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(AutodlError, match="the weight column 'ww' is not in the data"):
        load(table([1.0, 2.0, 3.0]), FitOptions(target="y", weight_column="ww"))


def test_a_test_file_has_weights_too(tmp_path) -> None:
    train = loaded(table([1.0, 2.0, 3.0]))
    held = table([2.0, 0.0, 1.0])
    held.to_csv(tmp_path / "held.csv", index=False)
    found = load_test(str(tmp_path / "held.csv"), train, 0, "w")
    assert len(found.y) == 20 and any("weight is 0" in n for n in found.read.notes)
    np.testing.assert_allclose(found.weight, np.array([2.0, 1.0] * 10) / 1.5)
    held.drop(columns="w").to_csv(tmp_path / "bare.csv", index=False)
    with pytest.raises(AutodlError, match="lacks the column 'w', which is the weight column"):
        load_test(str(tmp_path / "bare.csv"), train, 0, "w")


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0, 0.0, 0.0], "leave a single value ('a') of the target 'y' (20 rows have the weight 0)"),
        ([1.0] * 2 + [0.0] * 28, "leave 2 rows with a known target 'y' (28 rows have the weight 0), but at least 10"),
        ([1.0] * 2 + [1.0, 0.0, 0.0] * 9 + [1.0], "beside 'c', no class of the target 'y' with more than 1 row"),
        ([1e300] + [1.0] * 29, "so uneven that 30 rows tell about as much as 1 row of equal weight"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_weights_that_leave_nothing_to_learn_from_are_named_as_the_cause(weights, words) -> None:
    with pytest.raises(AutodlError) as caught:
        loaded(table(weights))
    assert words in str(caught.value)


def test_a_single_value_of_a_number_is_named_too() -> None:
    frame = table([1.0, 0.0, 0.0]).assign(y=[1.5, 2.5, 3.5] * 10)
    with pytest.raises(AutodlError, match="leave a single value of the target 'y'"):
        loaded(frame)


def test_notes_tell_of_equal_and_of_very_uneven_weights() -> None:
    assert loaded(table([3.0])).read.notes == ("All weights in 'w' are equal, so they have no effect.",)
    uneven = loaded(table([20.0] * 12 + [1.0] * 18)).read.notes
    assert len(uneven) == 1 and "30 rows tell about as much as 14 rows of equal weight" in uneven[0]
    assert loaded(table([1.0, 2.0, 3.0], n=60)).read.notes == ()


def test_effective_rows_do_not_overflow() -> None:
    assert effective_rows(np.array([1e300, 1e300, 0.0])) == pytest.approx(2.0)
    np.testing.assert_allclose(mean_one(np.array([1e308, 1e308, 1e308])), 1.0)


def test_a_table_of_one_row_is_too_small_whatever_its_target() -> None:
    with pytest.raises(AutodlError, match="has 1 row, but at least 10"):
        load(table([1.0]).head(1), FitOptions(target="y"))
