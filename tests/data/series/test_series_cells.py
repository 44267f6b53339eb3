"""Cells that are series, from arrays to stores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.data import apply_schema, infer_schema, learn_table, misfits, read_rows
from autodl.data.series.cells import as_read, load_cells, save_cells, series_cells, store_series
from autodl.errors import DataError
from autodl.media.place import MediaPlace
from autodl.records import ColumnKind

NAN = np.nan


def test_a_frame_of_arrays_has_a_column_of_series(tmp_path: Path) -> None:
    frame = pd.DataFrame({"s": [np.arange(5), np.arange(3.0)[:, None], None], "y": [1.5, 2.5, 3.5]})
    raw = read_rows(frame).frame
    place = MediaPlace(tmp_path)
    schema, rows = learn_table(raw.copy(deep=False), place=place)
    assert schema["s"].kind is ColumnKind.SERIES
    assert schema["s"].n_missing == 1
    stats = schema["s"].series
    assert stats is not None
    assert (stats.channels, stats.length) == (1, (3, 3, 5))
    assert rows["s"].isna().tolist() == [False, False, True]
    again = apply_schema(raw, schema, place=place)
    np.testing.assert_array_equal(again["s"].array[0], np.arange(5.0)[:, None])
    assert len(list(tmp_path.iterdir())) == 1, "the same series lie in the same store"
    np.testing.assert_array_equal(apply_schema(rows, schema)["s"].array.rows, rows["s"].array.rows)


def test_gaps_are_filled_and_told() -> None:
    raw = pd.DataFrame({"s": series_cells([np.array([NAN, 1, NAN, NAN, 4, NAN]), np.array([NAN, NAN]), np.ones(2)])})
    raw["y"] = [1.5, 2.5, 3.0]
    schema, rows = learn_table(raw.copy(deep=False))
    np.testing.assert_allclose(rows["s"].array[0][:, 0], [1, 1, 2, 3, 4, 4])
    assert rows["s"].isna().tolist() == [False, True, False]
    told = [str(m) for m in misfits(raw, rows, schema)]
    assert told == [
        "'s': 1 of 3 values have missing steps, which are filled in between their neighbours",
        "'s': 1 of 3 values have no values at all and count as missing",
    ]


def test_a_channel_without_any_value_is_zero_and_told_apart_from_gaps() -> None:
    gone = np.array([[1.0, NAN], [2.0, NAN]])
    raw = pd.DataFrame({"s": series_cells([gone, np.ones((3, 2)), np.full((2, 2), NAN)]), "y": [1.5, 2.5, 3.0]})
    schema, rows = learn_table(raw.copy(deep=False))
    np.testing.assert_array_equal(rows["s"].array[0], [[1, 0], [2, 0]])
    assert [str(m) for m in misfits(raw, rows, schema)] == [
        "'s': 1 of 3 values have a channel without any value, which counts as 0 throughout",
        "'s': 1 of 3 values have no values at all and count as missing",
    ]


def test_infinite_and_astronomic_values_become_finite() -> None:
    column = pd.Series(series_cells([np.array([1.0, np.inf, 3.0]), np.array([0.0, 1e38, -1e38])]), name="s")
    cells = store_series(column, 1, "s")
    np.testing.assert_allclose(cells[0][:, 0], [1, 2, 3])
    assert np.isfinite(cells[1]).all()


def test_other_channels_are_refused() -> None:
    raw = pd.DataFrame({"s": series_cells([np.ones((4, 2)), np.ones((4, 3))])})
    with pytest.raises(DataError, match=r"'s': the series of row 2 has 3 channels, but 2 are needed"):
        infer_schema(raw)


def test_a_column_that_is_not_there_is_missing_in_every_row() -> None:
    cells = store_series(pd.Series([None, None], dtype=object), 2, "s")
    assert cells.isna().all()
    assert len(cells) == 2


def test_series_cannot_be_predicted() -> None:
    raw = pd.DataFrame({"s": series_cells([np.ones(4), np.ones(5)]), "x": [1.5, 2.5]})
    with pytest.raises(DataError, match="the target 's' holds a series"):
        infer_schema(raw, target="s")


def test_another_process_is_given_the_same_series(tmp_path: Path) -> None:
    raw = series_cells([np.ones((4, 2)), None, np.arange(6.0).reshape(3, 2)])
    cells = store_series(pd.Series(raw), 2, "s", MediaPlace(tmp_path / "media"))
    for told in (cells, as_read(cells)):
        save_cells(told, tmp_path / "s.npz")
        again = load_cells(tmp_path / "s.npz")
        assert again.isna().tolist() == [False, True, False]
        np.testing.assert_array_equal(again[2], raw[2])


def test_a_damaged_store_is_made_again(tmp_path: Path) -> None:
    place = MediaPlace(tmp_path)
    column = pd.Series(series_cells([np.ones(4), np.arange(9.0)]))
    store = store_series(column, 1, "s", place).store
    (store.folder / "values.npy").write_bytes(b"cut")
    np.testing.assert_array_equal(store_series(column, 1, "s", place)[1][:, 0], np.arange(9.0))
