"""Wide columns are a series only where the data show it beyond doubt."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodl.data import infer_schema, learn_table
from autodl.data.series.wide import evidence, find_wide, learn_wide, numbered_runs, with_wide
from autodl.errors import DataError


def walks(n: int = 80, t: int = 40, seed: int = 0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(size=(n, t)), axis=1)


def table(values: np.ndarray, stem: str = "t") -> pd.DataFrame:
    frame = pd.DataFrame(values, columns=[f"{stem}{k + 1}" for k in range(values.shape[1])])
    return frame.assign(kind=np.where(np.arange(len(values)) % 2, "a", "b"))


def found_in(frame: pd.DataFrame, **asked: tuple[str, ...]) -> list[tuple[str, ...]]:
    schema, canonical = learn_table(frame.copy())
    return [run.columns for run in find_wide(schema, canonical, **asked)]


def test_random_walks_are_series() -> None:
    assert found_in(table(walks())) == [tuple(f"t{k}" for k in range(1, 41))]


def test_two_series_beside_one_another() -> None:
    frame = pd.concat([table(walks()), table(walks(seed=1), "u").drop(columns="kind")], axis=1)
    assert [run[0] for run in found_in(frame)] == ["t1", "u1"]


@pytest.mark.parametrize("kind", ["independent", "one factor", "shuffled", "image", "few columns", "few rows"])
def test_doubtful_columns_are_none(kind: str) -> None:
    rng = np.random.default_rng(0)
    if kind == "independent":
        values = rng.normal(size=(200, 40))
    elif kind == "one factor":  # all columns are alike, in no order
        values = rng.normal(size=(200, 1)) + 0.3 * rng.normal(size=(200, 40))
    elif kind == "shuffled":
        values = walks()[:, rng.permutation(40)]
    elif kind == "image":  # 12 x 12 pixels of smooth pictures: the pixel above is 12 columns away
        y, x = np.mgrid[:12, :12]
        where = rng.uniform(0, 12, (300, 2))
        far = (y - where[:, :1, None]) ** 2 + (x - where[:, 1:, None]) ** 2
        values = np.exp(-far / 18).reshape(300, -1)
    elif kind == "few columns":
        values = walks(t=20)
    else:
        values = walks(n=8)
    assert found_in(table(values)) == []


def test_shared_measurements_are_no_series() -> None:
    from sklearn.datasets import load_breast_cancer, load_digits

    for data in (load_breast_cancer(), load_digits()):
        frame = pd.DataFrame(data.data, columns=[f"c{k}" for k in range(data.data.shape[1])])
        assert found_in(frame) == []


def test_names_must_run_on() -> None:
    for names in ([f"t{k * k}" for k in range(40)], [f"t{40 - k}" for k in range(40)], [f"n{k}x" for k in range(40)]):
        frame = table(walks())
        frame.columns = [*names, "kind"]
        assert numbered_runs(infer_schema(frame)) == []
    assert found_in(table(walks()), leave_out=("t20",)) == []


@pytest.mark.parametrize(("cell", "steps"), [("off", 0), ("True", 0), ("7", 40), (None, 40)])
def test_a_column_of_one_word_is_no_step_but_one_of_one_number_is(cell: str | None, steps: int) -> None:
    frame = table(walks()).assign(t20=pd.Series([cell] * 80, dtype=object))
    assert [len(columns) for columns in numbered_runs(infer_schema(frame))] == [steps] * (steps > 0)
    schema, canonical = learn_table(frame.copy())
    assert len(find_wide(schema, canonical)) == (cell == "7")


def test_a_gap_or_two_do_no_harm_but_many_do() -> None:
    values = walks()
    values[3, 5] = np.nan
    assert evidence(values)[0] > 0.9
    values[:, ::3] = np.nan
    assert evidence(values) == (0.0, 0.0)


def test_new_rows_get_the_same_series() -> None:
    frame = table(walks())
    schema, canonical = learn_table(frame.copy())
    wider, rows = learn_wide(schema, canonical, find_wide(schema, canonical))
    name = wider.names[-1]
    assert name == "t1 to t40"
    assert "neighbours correlate by 0.9" in wider[name].why
    np.testing.assert_allclose(rows[name].array[7][:, 0], frame.iloc[7, :40].to_numpy(float), rtol=1e-6)
    again = with_wide(frame, wider)
    np.testing.assert_array_equal(again[name].array[7], rows[name].array[7])
    assert with_wide(again, wider) is again
    with pytest.raises(DataError, match=r"lacks 't9', a step of the series.*--allow-missing"):
        with_wide(frame.drop(columns="t9"), wider)
    assert name not in with_wide(frame.drop(columns="t9"), wider, allow_missing=True)
