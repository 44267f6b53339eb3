"""Images and embeddings as columns: what is missing, how they are scaled, and that folds do not leak."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.media.array import MediaArray
from autodl.media.writing import write_images
from autodl.preprocess import Preparer
from autodl.preprocess.image_hog import oriented_gradients
from autodl.preprocess.image_summary import colour_summary
from autodl.preprocess.vector_block import text_digests
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task
from autodl.serialize import dump, load

N = 60


def schema() -> TableSchema:
    photo = ColumnInfo(name="photo", kind=ColumnKind.IMAGE, n=N, n_missing=0, n_unique=N)
    age = ColumnInfo(name="age", kind=ColumnKind.NUMERIC, n=N, n_missing=0, n_unique=N)
    return TableSchema(columns=(photo, age))


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (N, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def frame(tmp_path: Path, pixels: np.ndarray) -> pd.DataFrame:
    store = write_images(tmp_path / "store", ((p, (32, 32)) for p in pixels), N, 32)
    return pd.DataFrame({"photo": MediaArray.whole(store), "age": np.arange(float(N))})


Y = np.arange(N) % 2


def prepared(recipe: Recipe, frame: pd.DataFrame) -> tuple[Preparer, np.ndarray]:
    preparer = Preparer(recipe, schema(), Task.CLASSIFICATION)
    return preparer, preparer.fit_transform(frame, Y[: len(frame)]).dense()


def test_columns_are_those_of_the_images(frame: pd.DataFrame, pixels: np.ndarray) -> None:
    _, found = prepared(Recipe(images="hog", scale="none"), frame)
    expected = np.hstack([colour_summary(pixels), oriented_gradients(pixels)])
    np.testing.assert_allclose(found[:, 0], np.arange(N))
    np.testing.assert_allclose(found[:, 1:], expected - expected.mean(axis=0), atol=1e-3)


def test_scaled_columns_have_mean_zero_one_spread_and_the_length_of_a_few(frame: pd.DataFrame) -> None:
    preparer, found = prepared(Recipe(images="summary", scale="standard"), frame)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-3)
    spread = found[:, 1:].std(axis=0)
    np.testing.assert_allclose(spread[spread > 0], spread.max(), rtol=1e-3)
    assert np.sqrt((found[:, 1:] ** 2).sum(axis=1).mean()) == pytest.approx(3.0, rel=1e-3)
    names = preparer.transform(frame).numeric_names
    assert names[1] == "photo:mean red 1/1"
    assert len(names) == found.shape[1]


def test_none_leaves_the_images_out(frame: pd.DataFrame) -> None:
    assert prepared(Recipe(images="none"), frame)[1].shape == (N, 1)


def test_a_missing_image_is_the_mean_one_and_told(frame: pd.DataFrame) -> None:
    holey = frame.copy()
    holey["photo"] = frame["photo"].array.take([*range(N - 1), -1], allow_fill=True)
    preparer, found = prepared(Recipe(images="hog", scale="standard"), holey)
    assert preparer.transform(holey).numeric_names[-1] == "photo:missing"
    assert found[:, -1].tolist() == [0.0] * (N - 1) + [1.0]
    assert (found[-1, 1:-1] == 0.0).all()
    none_at_all = preparer.transform(holey.iloc[[N - 1, N - 1]]).dense()
    np.testing.assert_allclose(none_at_all[:, 1:], found[[-1, -1], 1:])


def test_training_rows_without_any_image_still_prepare(frame: pd.DataFrame) -> None:
    empty = frame.copy()
    empty["photo"] = frame["photo"].array.take([-1] * N, allow_fill=True)
    preparer, found = prepared(Recipe(images="hog"), empty)
    assert found.shape == (N, 2)
    assert preparer.transform(frame).dense()[:, 1].tolist() == [0.0] * N


def test_components_are_the_principal_ones_of_the_training_rows(frame: pd.DataFrame, pixels: np.ndarray) -> None:
    train = frame.iloc[:40]
    preparer, found = prepared(Recipe(images="summary", vector_components=5, scale="none"), train)
    centred = colour_summary(pixels[:40]) - colour_summary(pixels[:40]).mean(axis=0)
    _, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.linalg.norm(found[:, 1:], axis=0), sizes[:5], rtol=0.02)
    assert preparer.transform(frame).dense().shape == (N, 6)


def test_other_rows_do_not_change_what_is_learnt(frame: pd.DataFrame) -> None:
    recipe = Recipe(images="hog", scale="standard", vector_components=4)
    preparer, _ = prepared(recipe, frame.iloc[:40])
    alone = preparer.transform(frame.iloc[50:51]).dense()
    np.testing.assert_allclose(preparer.transform(frame).dense()[50:51], alone, rtol=1e-5, atol=1e-6)


def test_columns_of_images_of_several_sides_do_not_mix(tmp_path: Path, pixels: np.ndarray) -> None:
    large = np.random.default_rng(1).integers(0, 256, (N, 64, 64, 3), dtype=np.uint8)
    stores = [
        write_images(tmp_path / name, ((p, (s, s)) for p in many), N, s)
        for name, many, s in (("one", pixels, 32), ("two", large, 64))
    ]
    frame = pd.DataFrame({name: MediaArray.whole(store) for name, store in zip("ab", stores, strict=True)})
    columns = tuple(ColumnInfo(name=c, kind=ColumnKind.IMAGE, n=N, n_missing=0, n_unique=N) for c in "ab")
    preparer = Preparer(Recipe(images="hog"), TableSchema(columns=columns), Task.CLASSIFICATION)
    found = preparer.fit_transform(frame, Y).dense()
    widths = [colour_summary(many).shape[1] + oriented_gradients(many).shape[1] for many in (pixels, large)]
    assert widths[0] != widths[1]
    assert found.shape == (N, sum(widths))


def test_it_is_stored_without_pickle_and_prepares_the_same(frame: pd.DataFrame) -> None:
    preparer, _ = prepared(Recipe(images="hog", scale="standard", vector_components=4), frame)
    expected = preparer.transform(frame).dense()
    for copy in (load(dump(preparer)), pickle.loads(pickle.dumps(preparer))):
        np.testing.assert_array_equal(copy.transform(frame).dense(), expected)


def test_no_rows_prepare_to_no_rows(frame: pd.DataFrame) -> None:
    preparer, found = prepared(Recipe(images="hog"), frame)
    assert preparer.transform(frame.iloc[:0]).dense().shape == (0, found.shape[1])


def test_equal_texts_have_equal_numbers() -> None:
    found = text_digests(["one", "two", "one", "", "  "])
    assert found[0] == found[2] != found[1]
    assert found[3:].tolist() == [0, 0]
