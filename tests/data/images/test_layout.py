"""What the folders of images say: classes, parts for the test, and what cannot be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodl.data.files import image_folder, source_files
from autodl.data.images.layout import find_images, labelled
from autodl.errors import DataError


def put(root: Path, *names: str) -> Path:
    """Files that only their names make images."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def classes(root: Path) -> dict[str, str]:
    """File relative to the root -> class."""
    return {path.relative_to(root).as_posix(): name for path, name in labelled(find_images(root)).files}


def test_the_first_folder_names_the_class(tmp_path: Path) -> None:
    put(tmp_path, "cat/2.jpg", "cat/10.jpg", "cat/old/3.PNG", "dog/1.jpeg")
    assert classes(tmp_path) == {"cat/2.jpg": "cat", "cat/10.jpg": "cat", "cat/old/3.PNG": "cat", "dog/1.jpeg": "dog"}
    assert [p.name for p in find_images(tmp_path).images] == ["2.jpg", "10.jpg", "3.PNG", "1.jpeg"]


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Training", "validation", "testing"), ("TRAIN", "dev", "Test")],
)  # fmt: skip
def test_folders_for_learning_and_for_the_test(tmp_path: Path, train: str, validation: str, test: str) -> None:
    put(tmp_path, f"{train}/a/1.png", f"{train}/b/1.png", f"{validation}/a/2.png", f"{test}/a/3.png", "figures/x.png")
    found = labelled(find_images(tmp_path))
    assert classes(tmp_path) == {f"{train}/a/1.png": "a", f"{train}/b/1.png": "b", f"{validation}/a/2.png": "a"}
    assert found.test == tmp_path / test
    assert any(validation in n and "learnt from" in n for n in found.notes)
    assert any("figures" in n for n in found.notes)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    put(tmp_path, "train/1.png", "train/2.png", "test/1.png", "bus/1.png")
    assert set(classes(tmp_path).values()) == {"train", "test", "bus"}


def test_test_images_without_classes_are_told(tmp_path: Path) -> None:
    put(tmp_path, "train/a/1.png", "train/b/1.png", "test/1.png")
    found = labelled(find_images(tmp_path))
    assert found.test is None
    assert any("'test'" in n and "autodl predict" in n for n in found.notes)


def test_a_folder_in_a_folder_is_looked_into(tmp_path: Path) -> None:
    put(tmp_path, "photos/train/a/1.png", "photos/train/b/1.png", "photos/test/a/1.png")
    found = labelled(find_images(tmp_path))
    assert found.test == tmp_path / "photos" / "test"
    assert [label for _, label in found.files] == ["a", "b"]


def test_parts_that_hold_the_same_classes_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "monday/cat/1.png", "monday/dog/1.png", "tuesday/cat/1.png", "tuesday/dog/1.png")
    with pytest.raises(DataError, match=r"monday, tuesday.*the same folders \(cat, dog\)"):
        labelled(find_images(tmp_path))


@pytest.mark.parametrize(
    "names",
    [
        ("in/in/cat/1.png", "in/in/dog/1.png", "out/out/cat/1.png", "out/out/dog/1.png", "new/new/1.png"),
        ("in/in/cat/1.png", "in/in/dog/1.png", "out/cat/1.png", "out/dog/1.png", "0.png"),
        ("in/cat/1.png", "in/dog/1.png", "out/cat/1.png", "out/dog/1.png", "new/1.png", "new/2.png"),
        ("in/cat/1.png", "in/dog/1.png", "out/cat/1.png", "out/dog/1.png", "seg_pred/1.png"),
        ("in/cat/1.png", "in/dog/1.png", "out/cat/1.png", "out/dog/1.png", "holdout/1.png", "my-eval/1.png"),
        ("in/cat/1.png", "in/dog/1.png", "out/cat/1.png", "out/dog/1.png", "TestImages/1.png", "valset2/1.png"),
    ],
)
def test_parts_are_refused_as_archives_unpack_them_and_with_new_images_beside(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    put(tmp_path, *names)
    with pytest.raises(DataError, match=r"folders in, out of .*the same folders \(cat, dog\)"):
        labelled(find_images(tmp_path))


@pytest.mark.parametrize("outer", [("train_set", "test_set"), ("TrainImages", "val2"), ("seg_test", "seg_train")])
@pytest.mark.parametrize("flat", ["extra", "samples", "unknown"])
def test_parts_that_are_named_so_are_refused_whatever_lies_beside(
    tmp_path: Path, outer: tuple[str, str], flat: str
) -> None:
    put(tmp_path, *(f"{part}/{name}/1.png" for part in outer for name in ("cat", "dog")), f"{flat}/1.png")
    with pytest.raises(DataError, match=r"the same folders \(cat, dog\)"):
        labelled(find_images(tmp_path))


@pytest.mark.parametrize(
    "names",
    [
        ("cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/right/1.png", "dog/1.png"),
        ("cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/right/1.png", "cow/1.png", "bee/1.png"),
        ("cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/right/1.png", "newt/1.png"),
        ("cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/right/1.png", "testudo/1.png"),
        ("cat/left/1.png", "cat/right/1.png", "dog/left/1.png", "dog/right/1.png", "validated/1.png"),
        (
            "cat/left/1.png",
            "cat/right/1.png",
            "dog/left/1.png",
            "dog/right/1.png",
            "train/left/1.png",
            "train/right/1.png",
            "bus/1.png",
        ),
        ("cat/all/left/1.png", "cat/all/right/1.png", "dog/all/left/1.png", "dog/all/right/1.png"),
        ("cat/1.png", "dog/1.png", "valid/1.png", "tests/1.png", "holdout/1.png", "train_set/1.png"),
    ],
)
def test_classes_may_have_folders_of_the_same_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    put(tmp_path, *names)
    assert {"cat", "dog"} <= set(classes(tmp_path).values())


def test_raised_digits_in_names_are_no_numbers(tmp_path: Path) -> None:
    put(tmp_path, "a/1²3.jpg", "a/10.jpg", "a/2.jpg")
    assert [p.name for p in find_images(tmp_path).images] == ["1²3.jpg", "2.jpg", "10.jpg"]


def test_images_without_folders_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "1.png", "2.png")
    with pytest.raises(DataError, match=r"2 images in .* lie in no folders.*CSV"):
        labelled(find_images(tmp_path))


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a/1.png",
        "b/1.png",
        "a/notes.txt",
        "b/Thumbs.db",
        ".hidden/1.png",
        "a/._1.png",
        "b/2.heic",
        "0.png",
    )
    (tmp_path / "empty").mkdir()
    notes = " ".join(labelled(find_images(tmp_path)).notes)
    for part in ("a/notes.txt", "b/2.heic", "empty", "0.png"):
        assert part in notes
    assert "Thumbs" not in notes and "hidden" not in notes
    assert len(classes(tmp_path)) == 2


def test_links_out_of_the_folder_are_not_read(tmp_path: Path) -> None:
    put(tmp_path / "secret", "s.png")
    root = put(tmp_path / "photos", "a/1.png", "b/1.png")
    (root / "a" / "s.png").symlink_to(tmp_path / "secret" / "s.png")
    (root / "a" / "inner.png").symlink_to(root / "b" / "1.png")
    (root / "c").symlink_to(tmp_path / "secret")
    assert set(classes(root)) == {"a/1.png", "a/inner.png", "b/1.png"}
    assert any("lead out" in n for n in find_images(root).notes())


def test_linked_folders_are_told_and_are_no_empty_classes(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", "1.png")
    root = put(tmp_path / "photos", "a/1.png", "b/1.png")
    (root / "c").symlink_to(tmp_path / "elsewhere")
    (root / "a" / "more").symlink_to(tmp_path / "elsewhere")
    (told,) = labelled(find_images(root)).notes
    assert told.startswith("Links to other folders are not followed (a/more, c)")
    links = tmp_path / "links"
    links.mkdir()
    (links / "a").symlink_to(root / "a")
    with pytest.raises(DataError, match=r"no images.*Links to other folders are not followed \(a\)"):
        source_files(links)


def test_when_a_folder_stands_for_its_images(tmp_path: Path) -> None:
    assert image_folder(put(tmp_path / "classes", "a/1.png", "b/1.png", "labels.txt", "a/x.csv"))
    assert image_folder(put(tmp_path / "flat", "1.png", "2.png", "README.txt"))
    assert not image_folder(put(tmp_path / "listed", "images/1.png", "images/2.png", "labels.csv"))
    assert not image_folder(put(tmp_path / "beside", "1.png", "labels.csv"))
    assert not image_folder(put(tmp_path / "tables", "a/1.csv", "b/1.csv", "b/plot.png"))
    assert not image_folder(put(tmp_path / "nothing", "a/1.xyz"))
    assert not image_folder(tmp_path / "absent")
    assert [p.name for p in source_files(tmp_path / "flat")] == ["1.png", "2.png"]
    assert [p.name for p in source_files(tmp_path / "listed")] == ["labels.csv"]


def test_what_lies_below_tables_is_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = put(tmp_path / "data", "a.csv", "archive/1.png", "archive/2.png")
    monkeypatch.setattr("autodl.data.files.find_images", lambda path: pytest.fail("it may be a whole disk"))
    assert [p.name for p in source_files(root)] == ["a.csv"]


def test_one_image_and_a_pattern_stand_for_images_alone(tmp_path: Path) -> None:
    put(tmp_path / "new [1]", "a/1.png", "a/10.JPG", "a/2.png", "a/x.txt", "b/1.png", "labels.csv")
    put(tmp_path / "plain", "a/2.png", "a/10.png", "b/1.png", "b/x.txt", "b/1.csv")
    one = image_folder(tmp_path / "new [1]" / "a" / "10.JPG")
    assert one is not None and one.root == tmp_path / "new [1]" / "a" and one.images == (Path("10.JPG"),)
    assert one.n_bytes == 1 and not one.notes()
    with pytest.raises(DataError, match=r"10.JPG alone says nothing"):
        labelled(one)
    several = image_folder(f"{tmp_path}/plain/*/*.png")
    assert several is not None and several.root == tmp_path / "plain"
    assert [p.as_posix() for p in several.images] == ["a/2.png", "a/10.png", "b/1.png"]
    assert {name for _, name in labelled(several).files} == {"a", "b"}
    for source in (f"{tmp_path}/plain/b/*", tmp_path / "plain" / "b" / "1.csv", f"{tmp_path}/plain/*.png"):
        assert image_folder(source) is None
    assert image_folder(tmp_path / "new [1]") is None, "a table lies beside its folders"
    assert [p.name for p in source_files(f"{tmp_path}/plain/a/*.png")] == ["2.png", "10.png"]


def test_an_image_of_a_format_that_is_not_read_is_named_as_such(tmp_path: Path) -> None:
    put(tmp_path, "a.HEIC", "table.raw")
    with pytest.raises(DataError, match=r"a.HEIC is an image of a format .* Save it as PNG or JPEG"):
        source_files(tmp_path / "a.HEIC")
    assert source_files(tmp_path / "table.raw") == [tmp_path / "table.raw"]


def test_a_folder_of_nothing_names_both(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match="no table, no images"):
        source_files(tmp_path)
