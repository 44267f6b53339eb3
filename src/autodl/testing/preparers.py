"""What every recipe must do. ``check_preparer(Recipe(...))`` raises an ``AssertionError`` naming the broken rule."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.features import Features
from autodl.preprocess import Preparer
from autodl.records import ColumnKind, Recipe, TableSchema, Task
from autodl.serialize import dump, load
from autodl.testing.problems import mixed_frame

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def check_preparer(recipe: Recipe) -> None:
    """Fit, transform, pickle and disturb a preparer on a table with every kind of column, for each kind of target.

    Raises:
        AssertionError: Naming the broken rule.
    """
    frame, schema = mixed_frame(70)
    rng = np.random.default_rng(1)
    values = rng.normal(size=70)
    _check(recipe, schema, Task.REGRESSION, frame, values)
    _check(recipe, schema, Task.CLASSIFICATION, frame, rng.integers(0, 4, 70))
    for kind in ColumnKind:
        if names := schema.of_kind(kind):
            part = Preparer(recipe, schema.only(names), Task.CLASSIFICATION)
            _well_formed(part.fit_transform(frame, rng.integers(0, 2, 70)), recipe, 70)
            _well_formed(part.transform(frame.iloc[:3]), recipe, 3)
    for rows in (1, 2):
        _check(recipe, schema, Task.REGRESSION, frame.iloc[:rows], values[:rows])


def _check(recipe: Recipe, schema: TableSchema, task: Task, frame: pd.DataFrame, y: NDArray[Any]) -> None:
    before = frame.copy()
    preparer = Preparer(recipe, schema, task, seed=3)
    train = preparer.fit_transform(frame, y)
    again = Preparer(recipe, schema, task, seed=3).fit_transform(frame, y)
    rows = preparer.transform(frame)
    assert frame.equals(before), "the table was changed"
    for part in (train, again, rows):
        _well_formed(part, recipe, len(frame))
    np.testing.assert_array_equal(train.dense(), again.dense(), err_msg="not deterministic")
    assert train.numeric_names == rows.numeric_names and train.cardinalities == rows.cardinalities

    for copy in (pickle.loads(pickle.dumps(preparer)), load(dump(preparer))):
        np.testing.assert_array_equal(copy.transform(frame).dense(), rows.dense(), err_msg="changed by storing")
        np.testing.assert_array_equal(copy.transform(frame).categorical, rows.categorical)

    if recipe.impute != "knn":  # Among equally near donors rounding decides, and it depends on the batch.
        alone = preparer.transform(frame.iloc[:1]).dense()
        np.testing.assert_allclose(alone[0], rows.dense()[0], rtol=1e-4, atol=1e-5, err_msg="rows depend on others")

    strange = frame.copy()
    for name in schema.of_kind(ColumnKind.CATEGORICAL, ColumnKind.TEXT, ColumnKind.ID):
        strange[name] = "never seen before"
    for name in schema.of_kind(ColumnKind.NUMERIC, ColumnKind.BOOLEAN):
        strange[name] = -np.inf
    part = preparer.transform(strange)
    _well_formed(part, recipe, len(frame))
    if recipe.categories == "codes" and not recipe.rare:  # else new ones are rare
        assert (part.categorical == 0).all(), "an unseen category has a code other than 0"
    _well_formed(preparer.transform(frame.iloc[:0]), recipe, 0)


def _well_formed(X: Features, recipe: Recipe, n: int) -> None:
    assert len(X) == n and X.categorical.shape == (n, len(X.cardinalities))
    assert X.numeric.dtype == np.float32, f"numeric columns have dtype {X.numeric.dtype}"
    assert X.categorical.dtype == np.int32, f"codes have dtype {X.categorical.dtype}"
    assert len(X.numeric_names) == X.n_numeric, "numeric columns and their names differ in number"
    assert len(X.categorical_names) == X.n_categorical, "categorical columns and their names differ in number"
    values = X.dense()
    assert not np.isinf(values).any(), "infinities are left"
    if recipe.impute != "none":
        assert not np.isnan(values).any(), "missing numbers are left although the recipe imputes"
    for j, size in enumerate(X.cardinalities):
        codes = X.categorical[:, j]
        assert ((codes >= 0) & (codes < size)).all(), f"a code of column {j} is outside its cardinality {size}"
