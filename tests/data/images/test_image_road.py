"""From a folder or a table of images to the plan, and once the whole way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from image_files import noisy, photos, save

import autodl
from autodl.data import Batches, read_table
from autodl.data.images.columns import with_whole_paths
from autodl.dataset import load, load_test
from autodl.errors import AutodlError
from autodl.media.place import MediaPlace, process_place
from autodl.options import FitOptions
from autodl.profiling import profile_table
from autodl.records import ColumnKind, Profile, Severity, Task
from autodl.store.lock import MEDIA


def profile(root: Path | str, **wishes: object) -> Profile:
    """As ``autodl plan`` finds it."""
    options = FitOptions(**wishes)  # type: ignore[arg-type]
    data = load(str(root), options)
    test = None if data.test is None else load_test(data.test, data, 0)
    return profile_table(
        data.frame, data.schema, data.read, target=data.target, options=options,
        test_frame=None if test is None else test.frame,
    )  # fmt: skip


def severity(profile: Profile, code: str) -> set[Severity]:
    return {f.severity for f in profile.findings if f.code == code}


def test_a_folder_is_a_table_of_images_and_classes(tmp_path: Path) -> None:
    data = load(str(photos(tmp_path / "photos", n=15)), FitOptions(task=Task.CLASSIFICATION))
    assert (data.target.name, data.target.guessed, data.target.classes) == ("label", False, ("cat", "dog"))
    assert data.frame.columns.tolist() == ["image", "label"]
    assert data.schema["image"].kind is ColumnKind.IMAGE
    # The order means nothing: neither class stands in front.
    first = data.frame["label"].iloc[:15].value_counts()
    assert len(first) == 2
    for row in range(len(data.y)):
        assert data.frame["image"].array.word(row).startswith(data.frame["label"][row])


def test_words_of_the_training_stay_words_where_such_files_are_there_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"logo": ["a.png", "b.png"] * 20, "x": range(40), "y": ["no", "yes"] * 20})
    frame.to_csv(tmp_path / "train.csv", index=False)
    data = load(str(tmp_path / "train.csv"), FitOptions(target="y"))
    assert data.schema["logo"].kind is ColumnKind.CATEGORICAL
    for name in ("a.png", "b.png"):
        save(noisy(16, 0, 0), tmp_path / "later" / name)
    new = tmp_path / "later" / "new.csv"
    frame.to_csv(new, index=False)
    assert load_test(str(new), data, 0).frame["logo"].tolist() == frame["logo"].tolist()
    (raw,) = Batches(new, as_text=["logo"], words=["logo"])
    assert raw["logo"].tolist() == frame["logo"].tolist()
    monkeypatch.chdir(tmp_path / "later")
    assert read_table(frame, as_text=["logo"])[0]["logo"].tolist() == frame["logo"].tolist()
    assert read_table(frame)[0]["logo"].tolist() != frame["logo"].tolist(), "without a model they are images"


def test_a_name_in_a_message_is_short_and_can_be_written() -> None:
    placed = with_whole_paths(pd.DataFrame({"logo": ["\udc80" + "x" * 5000 + ".png"] * 3}), Path())
    (note,) = placed.notes
    assert len(note) < 400 and note.encode("utf-8")


def test_a_folder_whose_list_may_not_be_read_holds_no_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    placed = with_whole_paths(pd.DataFrame({"logo": ["a.png", "b.png"]}), tmp_path)
    assert placed.frame["logo"].tolist() == ["a.png", "b.png"] and "they are taken as words" in placed.notes[0]


def test_a_folder_with_a_test_and_a_validation_part(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for part, n, seed in (("train", 30, 0), ("val", 5, 50), ("test", 8, 100)):
        photos(root / part, n=n, seed=seed)
    found = profile(root)
    assert found.n_rows == 70
    assert severity(found, "AD012") == {Severity.PASSED}
    assert severity(found, "AD029") == {Severity.PASSED}
    assert any("'val'" in n for n in found.read.notes)
    assert any("'test' are the test data" in n for n in found.read.notes)
    with pytest.raises(AutodlError, match="--test-size"):
        profile(root, test_size=0.2)


def test_copies_within_and_across_the_parts_are_found(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    photos(root / "train", n=30)
    photos(root / "test", n=8, seed=100)
    for i in range(4):
        (root / "train" / "cat" / f"copy{i}.png").write_bytes((root / "train" / "cat" / f"{i}.png").read_bytes())
        (root / "test" / "dog" / f"copy{i}.png").write_bytes((root / "train" / "dog" / f"{i}.png").read_bytes())
    found = profile(root)
    assert severity(found, "AD003") == severity(found, "AD012") == {Severity.WARNS}
    evidence = {f.code: f.evidence["rows"] for f in found.findings if f.code in ("AD003", "AD012")}
    assert evidence == {"AD003": 4, "AD012": 4}


def test_one_picture_of_two_classes_is_a_contradiction(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", n=20)
    for i in range(3):
        (root / "dog" / f"same{i}.png").write_bytes((root / "cat" / f"{i}.png").read_bytes())
    found = profile(root)
    told = next(f for f in found.findings if f.code == "AD003")
    assert told.severity is Severity.WARNS
    assert told.evidence["rows"] == 6
    assert "different 'label'" in told.message


def test_images_that_cannot_be_read_are_left_out_and_told(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", n=20)
    (root / "cat" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n1234")
    (root / "dog" / "empty.jpg").write_bytes(b"")
    found = profile(root)
    assert found.n_rows == 40
    notes = " ".join(found.read.notes)
    assert "cat/broken.png" in notes and "dog/empty.jpg" in notes
    assert "2 of 42 rows of photos are left out: no image could be read" in notes
    unusual = next(f for f in found.findings if f.code == "AD029")
    assert unusual.severity is Severity.WARNS
    assert unusual.evidence["lost"] == 2
    assert "2 files (4.8 %) gave no image: " in unusual.message
    assert "empty files (1)" in unusual.message and "damaged or cut-off images (1)" in unusual.message
    assert severity(found, "AD003") == severity(found, "AD001") == {Severity.PASSED}


def test_rows_without_an_image_stay_where_other_columns_tell_something(tmp_path: Path) -> None:
    files = sorted(photos(tmp_path / "p", n=20).rglob("*.png"))
    frame = pd.DataFrame({"photo": [f.name for f in files], "size": np.random.default_rng(0).normal(size=40)})
    frame["photo"] = [f"p/{f.parent.name}/{f.name}" for f in files]
    frame["price"] = frame["size"] + [f.parent.name == "cat" for f in files]
    frame.loc[:4, "photo"] = None
    frame.to_csv(tmp_path / "cars.csv", index=False)
    data = load(str(tmp_path / "cars.csv"), FitOptions(target="price"))
    assert data.target.task is Task.REGRESSION
    assert len(data.y) == 40
    assert data.frame["photo"].isna().sum() == 5
    alone = load(str(tmp_path / "cars.csv"), FitOptions(target="price", drop=("size",)))
    assert len(alone.y) == 35


def test_a_resumed_run_finds_what_was_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, place = str(photos(tmp_path / "photos")), MediaPlace(tmp_path / "run")
    first = load(root, FitOptions(), place=place)
    monkeypatch.setattr("autodl.data.images.cells.write_images", lambda *args: pytest.fail("decoded again"))
    again = load(root, FitOptions(), first.read, MediaPlace(tmp_path / "run"))
    assert again.fingerprint() == first.fingerprint()
    assert again.frame["image"].array.store.folder.is_relative_to(tmp_path / "run")


def test_test_images_are_read_by_the_rules_of_the_training(tmp_path: Path) -> None:
    train = load(str(photos(tmp_path / "photos", n=20)), FitOptions())
    photos(tmp_path / "more", n=3, classes=("dog", "cat", "cow"), side=40)
    (tmp_path / "more" / "cat" / "0.png").write_bytes(b"")
    test = load_test(str(tmp_path / "more"), train, 0)
    assert test.frame["image"].array.store.side == 16
    assert len(test.y) == 5
    notes = " ".join(test.read.notes)
    assert "'cow'" in notes and "1 of 9 rows of more is left out: no image" in notes


def build_one(root: Path) -> None:
    photos(root, n=20, classes=("cat",))


def build_few(root: Path) -> None:
    photos(root, n=3)


def build_lonely(root: Path) -> None:
    photos(root, n=20, classes=("cat",))
    photos(root, n=1, classes=("dog",))


def build_broken(root: Path) -> None:
    for name in ("cat", "dog"):
        for i in range(9):
            (root / name).mkdir(parents=True, exist_ok=True)
            (root / name / f"{i}.png").write_bytes(b"nothing")


@pytest.mark.parametrize(
    ("build", "options", "told"),
    [
        (build_one, {}, "all 20 images in photos are in one folder, 'cat'"),
        (build_few, {}, "photos has 6 rows, but at least 10"),
        (build_lonely, {}, "no class of the target 'label' has more than 1 row"),
        (build_broken, {}, "none of the 18 images in photos could be read"),
        (photos, {"target": "kind"}, "a CSV file with a column of file names and the column 'kind'"),
        (photos, {"task": Task.REGRESSION}, "the folders of photos are named by words, such as 'cat'"),
    ],
)
def test_folders_that_nothing_can_be_learnt_from(tmp_path: Path, build, options: dict, told: str) -> None:
    build(tmp_path / "photos")
    with pytest.raises(AutodlError) as error:
        profile(tmp_path / "photos", **options)
    assert told in str(error.value)


def test_an_archive_of_images_is_to_be_unpacked(tmp_path: Path) -> None:
    photos(tmp_path / "photos")
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "photos")
    with pytest.raises(AutodlError, match=r"holds 24 images\. Unpack it"):
        load(archive, FitOptions())


def test_a_folder_of_numbers_can_be_a_regression(tmp_path: Path) -> None:
    root = photos(tmp_path / "ages", n=6, classes=tuple(str(a) for a in (18, 25, 40, 60)), side=12)
    data = load(str(root), FitOptions(task=Task.REGRESSION))
    assert sorted(set(data.y)) == [18, 25, 40, 60]


@pytest.mark.slow
def test_the_whole_way_and_back_in_a_new_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "photos"
    photos(root / "train", n=30)
    photos(root / "test", n=10, seed=500)
    (root / "train" / "cat" / "broken.png").write_bytes(b"\x89PNG1234")
    run = autodl.fit(root, max_trials=2, families="linear", out=tmp_path / "run")
    assert run.record.test["roc_auc"].value == 1
    assert [p.name for p in (tmp_path / "run" / MEDIA).iterdir() if p.name.startswith(".")] == []
    new = photos(tmp_path / "new", n=3, seed=900)
    save(noisy(64, 1, 0), new / "loose.jpg")
    (new / "empty.png").write_bytes(b"")
    out = tmp_path / "out.csv"
    done = subprocess.run(
        [sys.executable, "-m", "autodl", "predict", str(tmp_path / "run"), str(new), "--out", str(out), "--proba"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = pd.read_csv(out)
    assert told.columns.tolist() == ["file", "prediction", "proba_cat", "proba_dog"]
    named = told.set_index("file")["prediction"]
    assert len(named) == 8
    assert all(named[f"{c}/{i}.png"] == c for c in ("cat", "dog") for i in range(3))
    assert named["loose.jpg"] == "dog"
    told_of = "'image': 1 of 8 values are empty files and count as missing, so these predictions are guesses"
    assert f"{told_of} ('new/empty.png')" in " ".join(done.stderr.split())
    monkeypatch.chdir(new)
    with pytest.warns(UserWarning, match="1 of 3 values are files that are not there"):
        as_frame = run.predict(pd.DataFrame({"image": ["cat/0.png", "dog/0.png", None, "absent.png"]}), keep="image")
    assert as_frame["prediction"].tolist()[:2] == ["cat", "dog"]
    assert as_frame["image"].tolist() == ["cat/0.png", "dog/0.png", None, "absent.png"]
    as_frame[["image"]].to_csv(new / "list.csv", index=False)
    with pytest.warns(UserWarning, match="1 of 3 values are files that are not there"):
        listed = run.predict(new / "list.csv", keep="image")
    assert listed["image"].fillna("").tolist() == as_frame["image"].fillna("").tolist()
    assert listed["prediction"].tolist() == as_frame["prediction"].tolist()
    alone = run.predict(new / "cat" / "0.png")
    assert alone.to_dict("records") == [{"file": "0.png", "prediction": "cat"}]
    assert set(run.predict(f"{new}/dog/*.png")["prediction"]) == {"dog"}
    as_frame[["image"]].rename(columns={"image": "photo"}).to_csv(new / "other.csv", index=False)
    with pytest.raises(AutodlError, match=r"other.csv has no column 'image'.*Rename 'photo' to 'image'"):
        run.predict(new / "other.csv")


@pytest.mark.slow
def test_real_photographs(shared_data: Path) -> None:
    root = shared_data / "cifar10" / "test"
    if not root.is_dir():
        pytest.skip("no photographs beside the checkout")
    found = profile(root, time_budget_s=60)
    assert found.n_classes == 10
    info = found.columns["image"]
    assert info.image is not None
    assert (info.n_missing, info.image.height, info.parse.side) == (0, (32, 32, 32), 32)


def test_a_plan_leaves_no_decoded_images_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, place = photos(tmp_path / "photos", n=15), tmp_path / "temporary"
    place.mkdir()
    process_place.cache_clear()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    planned = autodl.plan(root, pretrained="none")
    assert planned.profile.columns["image"].kind is ColumnKind.IMAGE
    assert list(place.iterdir()) == []
    process_place.cache_clear()


@pytest.mark.parametrize("asked", ["logo", "LOGO "])
def test_a_target_that_looks_like_image_files_stays_as_it_is_written(tmp_path: Path, asked: str) -> None:
    for name in ("a.png", "b.png"):
        save(noisy(16, 0, 0), tmp_path / name)
    frame = pd.DataFrame({"x": range(40), "photo": ["a.png", "b.png"] * 20, "logo": ["b.png", "a.png"] * 20})
    frame.to_csv(tmp_path / "train.csv", index=False)
    data = load(str(tmp_path / "train.csv"), FitOptions(target=asked))
    assert (data.target.name, data.target.classes) == ("logo", ("a.png", "b.png"))
    assert data.schema["photo"].kind is ColumnKind.IMAGE, "other columns may name images"
    frame.head(20).to_csv(tmp_path / "test.csv", index=False)
    assert load_test(str(tmp_path / "test.csv"), data, 0).y.tolist() == [1, 0] * 10


def test_images_are_no_target_unless_asked_for(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save(noisy(16, 0, 0), tmp_path / name)
    frame = pd.DataFrame({"sick": ["no", "yes"] * 20, "x": np.arange(40) * 0.5, "photo": ["a.png", "b.png"] * 20})
    frame.to_csv(tmp_path / "train.csv", index=False)
    assert load(str(tmp_path / "train.csv"), FitOptions()).target.name == "sick"


def test_folders_named_by_words_give_no_number_to_predict(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", n=15)
    with pytest.raises(AutodlError, match=r"folders of photos are named by words.*CSV file .*column of numbers"):
        load(str(root), FitOptions(task=Task.REGRESSION))
    numbers = photos(tmp_path / "ages", n=15, classes=("10", "20", "35"))
    assert load(str(numbers), FitOptions(task=Task.REGRESSION)).target.task is Task.REGRESSION


def test_a_plan_of_photographs_does_not_speak_of_columns(tmp_path: Path) -> None:
    found = profile(photos(tmp_path / "photos", n=120))
    told = {f.code: f.message for f in found.findings}
    assert (told["AD001"], told["AD021"]) == ("No image is missing.", "240 images.")


def test_names_that_are_no_utf_8_can_be_written(tmp_path: Path) -> None:
    photos(tmp_path / "photos", n=12)
    cat, odd = tmp_path / "photos" / "cat", os.fsdecode(b"\xe4")
    next(cat.iterdir()).rename(cat / f"{odd}.png")
    cat.rename(tmp_path / "photos" / f"{odd}cat")
    found = profile(tmp_path / "photos")
    assert found.target.classes == ("\\udce4cat", "dog")
    (batch,) = Batches(str(tmp_path / "photos"))
    assert "\\udce4cat/\\udce4.png" in batch["file"].tolist()
    assert all(Path(path).is_file() for path in batch["image"])
    table = tmp_path / f"{odd}.csv"
    pd.DataFrame({"x": np.arange(40.0), "y": ["a", "b"] * 20}).to_csv(table, index=False)
    read = profile(table, target="y")
    assert Profile.model_validate_json(read.to_json()).read.path == f"{tmp_path}/\\udce4.csv"
