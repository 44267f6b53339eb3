"""Series in archives of numpy arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autodl.data import infer_schema, read_rows, read_table
from autodl.data.series.road import table_as_trained
from autodl.errors import DataError


def test_steps_alone_and_channels(tmp_path: Path) -> None:
    values = np.arange(24.0).reshape(4, 6)
    np.savez(tmp_path / "a.npz", X=values, y=np.array(["u", "v", "u", "v"]), age=np.arange(4))
    frame, info = read_table(tmp_path / "a.npz")
    assert list(frame.columns) == ["series", "label", "age"]
    assert info.format == "npz"
    np.testing.assert_array_equal(frame["series"].array[1][:, 0], values[1])
    assert frame["label"].tolist() == ["u", "v", "u", "v"]
    np.savez(tmp_path / "b.npz", X=values.reshape(4, 2, 3), y=np.array([0.5, 1, 2, 3]))
    frame, _ = read_table(tmp_path / "b.npz")
    assert list(frame.columns) == ["series", "target"]
    np.testing.assert_array_equal(frame["series"].array[0], values[0].reshape(2, 3).T)


def test_steps_and_channels_that_may_have_changed_places_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X=np.zeros((3, 128, 9)))  # as Keras has it
    _, info = read_table(tmp_path / "a.npz")
    (note,) = info.notes
    assert "series of 9 steps with 128 channels" in note
    assert "X.transpose(0, 2, 1)" in note
    np.savez(tmp_path / "b.npz", X=np.zeros((3, 9, 128)))
    assert read_table(tmp_path / "b.npz")[1].notes == ()


def test_ends_that_are_nan_belong_to_no_series(tmp_path: Path) -> None:
    values = np.array([[[1, 2, np.nan], [3, np.nan, np.nan]], [[np.nan, 1, 2], [3, 4, 5]], [[np.nan] * 3] * 2])
    np.savez(tmp_path / "a.npz", series=values)
    cells = read_table(tmp_path / "a.npz")[0]["series"].array
    assert [None if cell is None else cell.shape for cell in cells] == [(2, 2), (3, 2), None]


def test_the_name_of_the_target_does_not_depend_on_gaps_nor_on_the_part(tmp_path: Path) -> None:
    values = np.arange(24.0).reshape(4, 6)
    np.savez(tmp_path / "gap.npz", X=values, y=np.array([0, 1, np.nan, 1]))
    assert list(read_table(tmp_path / "gap.npz")[0].columns) == ["series", "label"]
    for part, y in (("a", np.array([1.0, 2.0, 3.0, 4.0])), ("b", np.array([0.5, 1.0, 2.0, 3.0]))):
        np.savez(tmp_path / f"part_{part}.npz", X=values, y=y)
    assert read_table(tmp_path / "part_*.npz")[0]["target"].tolist() == [1, 2, 3, 4, 0.5, 1, 2, 3]
    whole, fractions = (read_rows(tmp_path / f"part_{part}.npz") for part in "ab")
    schema = infer_schema(fractions.frame, target="target")
    assert table_as_trained(whole, schema, "test").frame["target"].tolist() == [1, 2, 3, 4]
    np.savez(tmp_path / "words.npz", X=values, y=np.array(["u", "v", "u", "v"]))
    words = read_rows(tmp_path / "words.npz")
    assert list(table_as_trained(words, schema, "test").frame.columns) == ["series", "label"]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": np.zeros((2, 3)), "b": np.zeros((2, 3))}, "does not tell which of its arrays are series"),
        ({"X": np.zeros(3)}, "does not tell which"),
        ({"X": np.zeros((3, 4)), "y": np.zeros(2)}, r"'y' has the form \(2,\), but there are 3 series"),
        ({"X": np.array([[1, 2], [3]], dtype=object)}, "pickled objects"),
    ],
)
def test_what_is_not_clear_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=said) as caught:
        read_table(tmp_path / "a.npz")
    assert len(str(caught.value).splitlines()) == 1


def test_no_archive_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="damaged"):
        read_table(tmp_path / "a.npz")
