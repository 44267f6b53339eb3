"""Cells that name files become cells that are images, once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from image_files import noisy, photos, save
from PIL import Image

from autodl.data import apply_schema, count_misfits, infer_schema, learn_table, merge_misfits, misfits
from autodl.data.images import cells
from autodl.data.images.cells import decode_cells, names_of
from autodl.data.images.columns import as_named, image_columns, with_whole_paths
from autodl.data.images.decoding import opened_pixels
from autodl.machine import Machine
from autodl.media.array import MediaArray
from autodl.media.place import MediaPlace
from autodl.records import ColumnKind


@pytest.fixture
def place(tmp_path: Path) -> MediaPlace:
    return MediaPlace(tmp_path / "media")


def table(root: Path) -> pd.DataFrame:
    files = sorted(photos(root).rglob("*.png"))
    return pd.DataFrame({"photo": [str(f) for f in files], "y": [f.parent.name for f in files]})


def test_every_cell_is_its_file(tmp_path: Path, place: MediaPlace) -> None:
    frame = table(tmp_path / "p")
    words = frame["photo"].tolist()
    order = np.array([3, 0, -1, 3, 7])
    column = decode_cells(words, order, 16, crop=False, place=place)
    for cell, code in zip(column, order, strict=True):
        assert (cell is None) if code < 0 else (cell == np.asarray(Image.open(words[code]))).all()
    assert names_of(column).tolist() == [None if c < 0 else words[c] for c in order]
    assert column.word(0) == "/".join(Path(words[3]).parts[-2:])


def test_files_that_were_decoded_are_not_decoded_again(
    tmp_path: Path, place: MediaPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = table(tmp_path / "p")["photo"].tolist()
    first = decode_cells(words, np.arange(4), 16, crop=False, place=place)
    monkeypatch.setattr(cells, "_write", lambda *args: pytest.fail("decoded again"))
    again = decode_cells(words, np.arange(4), 16, crop=False, place=MediaPlace(place.folder))
    assert (again == first).all()
    assert again.store == first.store


@pytest.mark.parametrize("change", ["side", "file", "order"])
def test_another_side_or_a_changed_file_is_decoded_anew(tmp_path: Path, place: MediaPlace, change: str) -> None:
    words = table(tmp_path / "p")["photo"].tolist()
    first = decode_cells(words, np.arange(4), 16, crop=False, place=place)
    if change == "file":
        save(noisy(16, 2, 99), Path(words[0]))
        os.utime(words[0], (1, 1))
    if change == "order":
        words = words[::-1]
    again = decode_cells(words, np.arange(4), 8 if change == "side" else 16, crop=False, place=place)
    assert again.store != first.store
    assert not (again == first).all()


def test_brightness_of_deep_images_can_be_compared(tmp_path: Path, place: MediaPlace) -> None:
    """Each with a white of its own, a picture of 900 would be brighter than one of 1,100."""
    words = [str(tmp_path / f"{value}.png") for value in (900, 1100, 4000)]
    for word in words:
        Image.fromarray(np.full((32, 32), int(Path(word).stem), np.uint16)).save(word)
    rule = infer_schema(pd.DataFrame({"photo": words, "y": [1.0, 2.0, 3.0]}))["photo"].parse
    assert rule.shades == (0.0, 4095.0)
    shared = decode_cells(words, np.arange(3), 32, crop=False, shades=rule.shades, place=place)
    assert [int(c[0, 0, 0]) for c in shared] == [56, 68, 249]
    alone = decode_cells(words, np.arange(3), 32, crop=False, place=place)
    assert [int(c[0, 0, 0]) for c in alone] == [224, 68, 249]  # as models of earlier versions see them
    frame, schema = pd.DataFrame({"photo": words[:1]}), infer_schema(pd.DataFrame({"photo": words}))
    assert int(apply_schema(frame, schema)["photo"].array[0][0, 0, 0]) == 56


@pytest.mark.parametrize("file", ["pixels.npy", "digests.npy", "traits.npy", "files.json"])
@pytest.mark.parametrize("left", [None, 0, 100])
def test_a_damaged_store_is_made_again(tmp_path: Path, place: MediaPlace, file: str, left: int | None) -> None:
    words = table(tmp_path / "p")["photo"].tolist()
    whole = np.array(decode_cells(words, np.arange(24), 16, crop=False, place=place).batch.digests())
    damaged = next(place.folder.rglob(file))
    content = damaged.read_bytes()
    damaged.unlink()
    if left is not None:
        damaged.write_bytes(content[:left])
    again = decode_cells(words, np.arange(24), 16, crop=False, place=place)
    assert (again.batch.digests() == whole).all()
    assert (again[0] == np.asarray(Image.open(words[0]))).all()


def test_so_many_large_pictures_are_decoded_at_a_time_as_fit_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = table(tmp_path / "p")["photo"].tolist()
    free = 10 * 16 * 1_000_000 / 0.3  # ten pictures of a million pixels
    monkeypatch.setattr("autodl.machine.this_machine", lambda: Machine(cores=64, memory_bytes=int(free + 1)))
    assert cells._threads(words, 16) == 64
    save(Image.new("RGB", (1000, 1000)), Path(words[2]))
    assert cells._threads(words, 16) == 10
    save(Image.new("RGB", (9000, 9000)), Path(words[5]))
    assert cells._threads(words, 16) == 1
    photo = save(Image.new("RGB", (1000, 1000)), tmp_path / "large.jpg")
    assert opened_pixels(str(photo), 16) == 125 * 125  # a JPEG is never whole in memory
    assert cells._threads([str(photo)] * 9, 16) == 64


def test_no_files_at_all(place: MediaPlace) -> None:
    column = decode_cells([], np.full(3, -1), 16, crop=False, place=place)
    assert column.isna().all()


def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, place: MediaPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cells, "write_images", full)
    with pytest.raises(ValueError, match=rf"{place.folder}: No space left.*--out"):
        decode_cells([str(tmp_path / "a.png")], np.array([0]), 16, crop=False, place=place)
    assert list(place.folder.iterdir()) == []


def test_a_table_of_paths_has_a_column_of_images(tmp_path: Path, place: MediaPlace) -> None:
    frame = table(tmp_path / "p").assign(size=np.arange(24) * 0.5)
    schema, canonical = learn_table(frame.copy(), target="y", place=place)
    assert [c.kind for c in schema.columns] == [ColumnKind.IMAGE, ColumnKind.CATEGORICAL, ColumnKind.NUMERIC]
    info = schema["photo"]
    assert (info.n_missing, info.n_unique, info.parse.side, info.parse.crop) == (0, 24, 16, False)
    assert info.image is not None
    assert (info.image.height, info.image.width, info.image.n_sizes) == ((16, 16, 16), (16, 16, 16), 1)
    again = apply_schema(frame, schema, place=place)
    assert (again["photo"].array == canonical["photo"].array).all()
    assert apply_schema(again, schema)["photo"].array is again["photo"].array  # read before: nothing to do


def test_other_images_are_brought_to_the_learnt_side(tmp_path: Path, place: MediaPlace) -> None:
    schema = infer_schema(table(tmp_path / "p"), target="y", place=place).only(["photo"])
    large = save(noisy(300, 1, 0), tmp_path / "large.jpg")
    column = apply_schema(pd.DataFrame({"photo": [str(large), None, "absent.png"]}), schema, place=place)["photo"]
    assert column.isna().tolist() == [False, True, True]
    assert column[0].shape == (16, 16, 3)
    nothing = apply_schema(pd.DataFrame({"photo": [np.nan, np.nan]}), schema, place=place)["photo"]
    assert nothing.isna().all()


def test_what_gave_no_image_is_told_by_reason(tmp_path: Path, place: MediaPlace) -> None:
    frame = table(tmp_path / "p")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n1234")
    (tmp_path / "empty.png").write_bytes(b"")
    frame.loc[[0, 1, 2, 3], "photo"] = [
        str(tmp_path / n) for n in ("broken.png", "empty.png", "absent.png", "empty.png")
    ]
    schema = infer_schema(frame, target="y", place=place)
    told = [str(m) for m in misfits(frame, apply_schema(frame, schema, place=place), schema)]
    assert len(told) == 3
    folder = tmp_path.name
    assert (
        f"'photo': 1 of 24 values are files that are not there and count as missing ('{folder}/absent.png')" in told
    )
    assert f"'photo': 2 of 24 values are empty files and count as missing ('{folder}/empty.png')" in told
    assert any("damaged" in t and "broken.png" in t for t in told)
    info = schema["photo"]
    assert info.n_missing == 4
    assert info.image is not None and info.image.n_lost == 3


def test_grey_blank_and_odd_sizes_are_counted(tmp_path: Path, place: MediaPlace) -> None:
    frame = table(tmp_path / "p")
    save(Image.new("RGB", (16, 16), (10, 200, 10)), Path(frame["photo"][0]))
    save(noisy(16, 0, 5).convert("L"), Path(frame["photo"][1]))
    save(noisy(40, 0, 6), Path(frame["photo"][2]))
    found = infer_schema(frame, target="y", place=place)["photo"].image
    assert found is not None
    assert (found.n_blank, found.n_grey, found.n_sizes) == (1, 1, 2)
    assert (found.n_moving, found.n_clear) == (0, 0)
    assert found.height == (16, 16, 40)


def test_names_are_taken_from_the_folder_of_the_table(tmp_path: Path) -> None:
    photos(tmp_path / "p")
    frame = pd.DataFrame({"photo": ["cat/0.png", None, "dog/1.png", "cat/9999.png"], "x": range(4)})
    placed = with_whole_paths(frame, tmp_path / "p")
    whole = placed.frame
    assert whole["photo"].tolist() == [
        str(tmp_path / "p" / "cat/0.png"), None, *(str(tmp_path / "p" / n) for n in ("dog/1.png", "cat/9999.png"))
    ]  # fmt: skip
    assert placed.notes == ()
    assert as_named(whole["photo"], placed.folders["photo"]).equals(frame["photo"])
    below = with_whole_paths(frame, tmp_path)
    assert below.frame.equals(whole)
    assert "found in the folder 'p'" in below.notes[0]
    assert as_named(whole["photo"], below.folders["photo"]).equals(frame["photo"])
    assert with_whole_paths(whole, Path("/")).frame.equals(whole)
    assert image_columns(whole) == ["photo"]
    as_words = frame.assign(photo=frame["photo"].astype("category"))
    assert with_whole_paths(as_words, tmp_path / "p").frame["photo"].tolist() == whole["photo"].tolist()


def test_names_of_images_that_are_nowhere_stay_words(tmp_path: Path, place: MediaPlace) -> None:
    frame = pd.DataFrame({"photo": [f"{i}.png" for i in range(30)], "y": [0, 1] * 15})
    same = with_whole_paths(frame, tmp_path)
    assert same.frame.equals(frame)
    assert "not there" in same.notes[0] and "0.png" in same.notes[0]
    assert infer_schema(frame, target="y", place=place)["photo"].kind is ColumnKind.ID
    assert image_columns(frame) == []


@pytest.mark.parametrize(
    "cells_of", [["http://a.b/1.png", "https://a.b/2.jpg"] * 15, ["a.png is nice", "b"] * 15, ["x.csv", "y.png"] * 15]
)
def test_links_sentences_and_other_files_are_no_images(cells_of: list[str], tmp_path: Path) -> None:
    (tmp_path / "y.png").write_bytes(b"x")
    frame = pd.DataFrame({"a": cells_of})
    same = with_whole_paths(frame, tmp_path)
    assert same.frame.equals(frame)
    assert same.notes == ()


def test_equal_images_are_equal_cells_under_any_name(tmp_path: Path, place: MediaPlace) -> None:
    frame = table(tmp_path / "p")
    copy = tmp_path / "copy.png"
    copy.write_bytes(Path(frame["photo"][0]).read_bytes())
    column = decode_cells(
        [frame["photo"][0], str(copy), frame["photo"][1]], np.arange(3), 16, crop=False, place=place
    )
    assert pd.Series(column).duplicated().tolist() == [False, True, False]
    assert isinstance(column, MediaArray)


def test_files_that_cannot_be_read_are_named_up_to_a_few_also_over_several_parts(
    tmp_path: Path, place: MediaPlace
) -> None:
    frame = table(tmp_path / "p")
    names = [f"bad{i}.png" for i in range(8)]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    schema = infer_schema(frame, target="y", place=place)
    frame.loc[[1, 3, 5, 7, 13, 15, 17, 19], "photo"] = [str(tmp_path / n) for n in names]
    found = []
    for part in (frame.iloc[:12], frame.iloc[12:]):
        raw = part.reset_index(drop=True)
        found += count_misfits(raw, apply_schema(raw, schema, place=place), schema)
    (told,) = [str(m) for m in merge_misfits(found)]
    shown = ", ".join(f"'{tmp_path.name}/bad{i}.png'" for i in range(5))
    assert told == f"'photo': 8 of 24 values are empty files and count as missing ({shown} and 3 more)"
