"""Whole recipes, on the artificial table and on real ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

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
    assert X.cardinalities[0] == 5 and X.cardinalities[2] == 1
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


def test_what_knows_the_answers_of_its_training_rows_is_known() -> None:
    assert prepare(Recipe(categories="target", text="none"))[0].saw_answers
    assert prepare(Recipe(text="svd", text_score=True))[0].saw_answers
    assert not prepare(Recipe(text="svd", text_score=False))[0].saw_answers
    assert not prepare(Recipe(text="none", categories="codes"))[0].saw_answers


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


def test_categories_of_many_values_become_target_means_and_codes_are_taken_apart():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "seat": [f"{rng.choice(list('ABC'))}{k}" for k in rng.integers(1, 60, 300)],
        "colour": rng.choice(["red", "blue"], 300),
    })  # fmt: skip
    infos = [
        ColumnInfo(name=n, kind=ColumnKind.CATEGORICAL, n=300, n_missing=0, n_unique=frame[n].nunique())
        for n in frame
    ]
    schema = TableSchema(columns=tuple(infos))
    y = (frame["seat"].str[0] == "B").to_numpy().astype(int)
    recipe = Recipe(impute="none", categories="codes", max_codes=20, code_parts=True)
    preparer = Preparer(recipe, schema, Task.CLASSIFICATION)
    X = preparer.fit_transform(frame, y)
    assert X.categorical_names == ("colour", "seat:letters")
    assert X.numeric_names == ("seat:number", "seat:mean target")
    # The letter alone says the class, also of seats that no training row has.
    new = preparer.transform(pd.DataFrame({"seat": ["B77", "A77", "B99"], "colour": ["red"] * 3}))
    letters = new.categorical[:, 1]
    assert letters[0] == letters[2] != letters[1]
    plain = Preparer(recipe.model_copy(update={"max_codes": 0, "code_parts": False}), schema, Task.CLASSIFICATION)
    assert plain.fit_transform(frame, y).categorical_names == ("seat", "colour")


def test_features_of_a_shuffled_target_say_nothing_of_other_rows():
    frame, schema = mixed_frame(400)
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 400)
    recipe = Recipe(
        crosses=5, segments=3, scale="standard", categories="codes", max_codes=5, code_parts=True, text_terms=5
    )
    preparer = Preparer(recipe, schema, Task.CLASSIFICATION)
    train, test = np.arange(200), np.arange(200, 400)
    X = preparer.fit_transform(frame.iloc[train], y[train])
    new = preparer.transform(frame.iloc[test])
    model = LogisticRegression(C=0.1, max_iter=500).fit(X.dense(), y[train])
    # A leak makes the training rows' own features far better than those of new rows.
    assert abs(roc_auc_score(y[test], model.decision_function(new.dense())) - 0.5) < 0.12
    own = [name for name in X.numeric_names if "mean target" in name or "score" in name]
    assert own
    for name in own:
        values = X.dense()[:, X.numeric_names.index(name)]
        assert abs(roc_auc_score(y[train], values) - 0.5) < 0.15, name
