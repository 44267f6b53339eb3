"""A column of images or series behaves as a pandas column, and moves row numbers rather than pixels."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.media.array import MediaArray
from autodl.media.batch import MediaBatch
from autodl.media.stores import ImageStore, SeriesStore
from autodl.media.writing import digest, write_images, write_series


@pytest.fixture
def pixels() -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    images[3] = images[1]
    return images


@pytest.fixture
def store(tmp_path: Path, pixels: np.ndarray) -> ImageStore:
    return write_images(tmp_path / "images", ((p, (10, 20)) for p in pixels), 5, 8)


def test_images_come_back_as_they_were(store: ImageStore, pixels: np.ndarray) -> None:
    assert len(store) == 5
    assert store.side == 8
    np.testing.assert_array_equal(store.pixels(np.array([4, 0])), pixels[[4, 0]])
    np.testing.assert_array_equal(store.get(2), pixels[2])
    assert store.array("sizes").tolist() == [[10, 20]] * 5
    assert (store.pixels(np.array([-1])) == 128).all()


def test_a_frame_cuts_shuffles_and_joins_it(store: ImageStore, pixels: np.ndarray) -> None:
    frame = pd.DataFrame({"photo": MediaArray(store, np.array([0, 1, -1, 3, 4])), "x": np.arange(5.0)})
    assert frame["photo"].isna().tolist() == [False, False, True, False, False]
    part = frame.iloc[[3, 0]].reset_index(drop=True)
    np.testing.assert_array_equal(part["photo"].iloc[0], pixels[3])
    assert frame.loc[frame.x > 2, "photo"].array.rows.tolist() == [3, 4]
    both = pd.concat([part, frame], ignore_index=True)
    assert both["photo"].array.rows.tolist() == [3, 0, 0, 1, -1, 3, 4]
    assert frame.reindex([0, 9])["photo"].isna().tolist() == [False, True]


def test_equal_images_are_equal_cells(store: ImageStore) -> None:
    column = pd.Series(MediaArray(store, np.array([0, 1, 3, -1, -1])))
    assert column.nunique() == 2
    assert column.duplicated().tolist() == [False, False, True, False, True]
    hashes = pd.util.hash_pandas_object(column, index=False)
    assert hashes[1] == hashes[2] != hashes[0]
    codes, first = pd.factorize(column.array)
    assert codes.tolist() == [0, 1, 1, -1, -1]
    assert first.rows.tolist() == [0, 1]
    assert (column.array == column.array).tolist() == [True, True, True, False, False]


def test_columns_of_two_stores_are_joined(store: ImageStore, tmp_path: Path, pixels: np.ndarray) -> None:
    other = write_images(tmp_path / "others", ((p, (8, 8)) for p in pixels[::-1]), 5, 8)
    joined = pd.concat([pd.Series(MediaArray.whole(store)), pd.Series(MediaArray(other, np.array([-1, 0])))])
    assert joined.isna().tolist() == [False] * 5 + [True, False]
    np.testing.assert_array_equal(joined.iloc[6], pixels[4])
    assert joined.nunique() == 4


def test_a_pickle_holds_the_place_and_no_pixels(store: ImageStore, pixels: np.ndarray) -> None:
    store.pixels(np.arange(5))
    sent = pickle.dumps(MediaBatch(store, np.arange(5)))
    assert len(sent) < 800
    got = pickle.loads(sent)
    assert isinstance(got.store, ImageStore)
    np.testing.assert_array_equal(got.store.pixels(got.rows), pixels)
    assert got.store == store


def test_series_keep_their_lengths(tmp_path: Path) -> None:
    series = [np.arange(6.0).reshape(3, 2), np.ones((1, 2)), np.empty((0, 2))]
    store = write_series(tmp_path / "series", series, channels=2)
    assert isinstance(store, SeriesStore)
    assert store.lengths().tolist() == [3, 1, 0]
    np.testing.assert_array_equal(store.get(0), series[0])
    values, kept = store.padded(np.array([1, 0, -1]), 2)
    assert kept.tolist() == [1, 2, 0]
    np.testing.assert_array_equal(values, [[[1, 1], [0, 0]], [[0, 1], [2, 3]], [[0, 0], [0, 0]]])
    batch = MediaBatch(store, np.array([0, 1, -1]))
    assert batch.take(np.array([2, 0])).present.tolist() == [False, True]
    assert batch.digests()[2] == 0


def test_stores_of_nothing(tmp_path: Path) -> None:
    empty = write_images(tmp_path / "none", iter(()), 0, 16)
    assert len(empty) == 0
    assert empty.pixels(np.array([-1])).shape == (1, 16, 16, 3)
    assert len(write_series(tmp_path / "no series", [], 3)) == 0


def test_wrong_shapes_are_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="were announced"):
        write_images(tmp_path / "a", ((p, (8, 8)) for p in pixels), 4, 8)
    with pytest.raises(ValueError, match="but 1 came"):
        write_images(tmp_path / "b", [(pixels[0], (8, 8))], 2, 8)
    with pytest.raises(ValueError, match="is needed"):
        write_series(tmp_path / "c", [np.zeros(3)], 1)


def test_digests_tell_shapes_apart() -> None:
    assert digest(np.zeros((2, 3))) != digest(np.zeros((3, 2)))
    assert digest(np.zeros(2, np.float32)) != digest(np.zeros(2))
