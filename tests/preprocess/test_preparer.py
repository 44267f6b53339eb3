"""Whole recipes, on the artificial table and on real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.errors import DataError
from autodl.preprocess import Preparer
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task
from autodl.testing import mixed_frame


def prepare(recipe: Recipe, n: int = 90):
    frame, schema = mixed_frame(n)
    y = np.arange(n) % 2
    preparer = Preparer(recipe, schema, Task.CLASSIFICATION)
    return preparer, preparer.fit_transform(frame, y), frame


def test_codes_and_numbers_are_apart() -> None:
    _, X, _ = prepare(Recipe(impute="none", text="none"))
    assert X.categorical_names == ("colour", "who", "void")
    assert X.cardinalities[0] == 4 and X.cardinalities[2] == 1
    assert {"number", "yes", "when:days"} <= set(X.numeric_names)
    assert np.isnan(X.numeric).any()
    assert not any("fixed" in name for name in X.numeric_names)


def test_onehot_up_to_its_limit_and_target_means_above() -> None:
    _, X, _ = prepare(Recipe(categories="onehot", max_onehot=10))
    assert X.n_categorical == 0
    assert "colour=red" in X.numeric_names
    assert "who:mean target" in X.numeric_names
    _, wide, _ = prepare(Recipe(categories="onehot", max_onehot=100))
    assert sum(name.startswith("who=") for name in wide.numeric_names) > 30


def test_tfidf_is_sparse_and_without_text_dense() -> None:
    _, X, _ = prepare(Recipe(text="tfidf"))
    assert X.is_sparse and "said:good" in X.numeric_names
    _, Y, _ = prepare(Recipe(text="svd"))
    assert not Y.is_sparse


def test_nothing_is_learnt_from_rows_that_are_only_transformed() -> None:
    preparer, _, frame = prepare(Recipe(scale="standard", categories="target"))
    extreme = frame.copy()
    extreme["number"] = 1e9
    preparer.transform(extreme)
    again = preparer.transform(frame)
    first = Preparer(preparer.recipe, preparer.schema, Task.CLASSIFICATION)
    first.fit_transform(frame, np.arange(90) % 2)
    np.testing.assert_array_equal(first.transform(frame).numeric, again.numeric)


def test_a_missing_column_is_named() -> None:
    preparer, _, frame = prepare(Recipe())
    with pytest.raises(DataError, match="'colour'"):
        preparer.transform(frame.drop(columns="colour"))


def test_titanic_is_prepared_without_gaps(shared_data: Path) -> None:
    raw = pd.read_csv(shared_data / "titanic.csv")
    y = raw.pop("Survived").to_numpy()
    infos, frame = [], {}
    for name, column in raw.items():
        text = column.dtype == object
        frame[name] = column.astype(object).where(column.notna(), None) if text else column.astype(float)
        infos.append(
            ColumnInfo(
                name=str(name),
                kind=ColumnKind.CATEGORICAL if text else ColumnKind.NUMERIC,
                n=len(raw),
                n_missing=int(column.isna().sum()),
                n_unique=int(column.nunique()),
            )
        )
    table = pd.DataFrame(frame)
    schema = TableSchema(columns=tuple(infos))
    preparer = Preparer(Recipe(scale="robust", categories="onehot"), schema, Task.CLASSIFICATION)
    X = preparer.fit_transform(table.iloc[:600], y[:600])
    rest = preparer.transform(table.iloc[600:])
    assert {"Age:missing", "Sex=female", "Embarked=S", "Cabin:mean target"} <= set(X.numeric_names)
    assert np.isfinite(X.numeric).all() and np.isfinite(rest.numeric).all()


def test_a_recipe_without_columns_prepares_none():
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan], "b": ["x", "y", "x"]})
    schema = TableSchema(columns=(
        ColumnInfo(name="a", kind=ColumnKind.NUMERIC, why="", n=3, n_missing=1, n_unique=2),
        ColumnInfo(name="b", kind=ColumnKind.CATEGORICAL, why="", n=3, n_missing=0, n_unique=2),
    ))  # fmt: skip
    preparer = Preparer(Recipe(columns="none"), schema, Task.REGRESSION)
    for features in (preparer.fit_transform(frame, np.zeros(3)), preparer.transform(frame)):
        assert (len(features), features.n_numeric, features.n_categorical) == (3, 0, 0)
    assert len(preparer.transform(frame.iloc[:0])) == 0
