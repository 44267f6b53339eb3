"""Images and series themselves reach the models that read them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodl.errors import ConfigError
from autodl.media.array import MediaArray
from autodl.media.batch import ABSENT
from autodl.media.writing import write_images
from autodl.preprocess import Preparer, resample
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task

PASS = Recipe(images="none", media="pass")
SCHEMA = TableSchema(
    columns=tuple(
        ColumnInfo(name=name, kind=kind, n=6, n_missing=0, n_unique=6)
        for name, kind in (("photo", ColumnKind.IMAGE), ("size", ColumnKind.NUMERIC))
    )
)


@pytest.fixture
def frame(tmp_path) -> pd.DataFrame:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    store = write_images(tmp_path, ((p, (4, 4)) for p in pixels), 5, 4)
    return pd.DataFrame({"photo": MediaArray(store, [3, 1, ABSENT, 0, 4, 2]), "size": np.arange(6.0)})


def test_passed_on_with_the_other_columns(frame) -> None:
    preparer = Preparer(PASS, SCHEMA, Task.CLASSIFICATION)
    made = preparer.fit_transform(frame, np.arange(6) % 2)
    assert list(made.media) == ["photo"] and made.n_numeric == 1
    np.testing.assert_array_equal(made.media["photo"].rows, [3, 1, ABSENT, 0, 4, 2])
    np.testing.assert_array_equal(made.take(np.array([4, 0])).media["photo"].rows, [4, 3])
    some = preparer.transform(frame.iloc[[5, 2]])
    np.testing.assert_array_equal(some.media["photo"].rows, [2, ABSENT])
    assert len(preparer.transform(frame.iloc[:0]).media["photo"]) == 0


def test_not_passed_on_where_nobody_asks(frame) -> None:
    preparer = Preparer(Recipe(images="none"), SCHEMA, Task.CLASSIFICATION)
    assert preparer.fit_transform(frame, np.arange(6) % 2).media == {}


def test_rows_are_drawn_with_their_images_but_never_made_up(frame) -> None:
    y = np.array([0, 0, 0, 0, 1, 1])
    made = Preparer(PASS, SCHEMA, Task.CLASSIFICATION).fit_transform(frame, y)
    more, target, _ = resample(made, y, "oversample")
    assert len(more.media["photo"]) == len(target) == 8
    assert set(more.media["photo"].rows[target == 1]) == {4, 2}
    with pytest.raises(ConfigError, match="nothing between two images"):
        resample(made, y, "smote")
