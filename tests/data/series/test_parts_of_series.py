"""Files of series that belong together, alone and in a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from autodl.data import Batches, read_table
from autodl.data.files import found_files
from autodl.data.reading import read_rows
from autodl.data.series.parts import other_part, train_and_test
from autodl.dataset import load
from autodl.errors import ConfigError, DataError
from autodl.options import FitOptions


def put(root: Path, *names: str, n: int = 24) -> Path:
    """Files of n series of two classes each; others hold a word."""
    root.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(names))
    for name in names:
        lines = [f"{','.join(f'{v:.3f}' for v in rng.normal(size=12))}:{'up' if i % 2 else 'down'}" for i in range(n)]
        text = "\n".join(["@univariate true", "@classLabel true down up", "@data", *lines])
        (root / name).write_text(f"{text}\n" if name.endswith(".ts") else "words\nabout it\n")
    return root


def test_a_table_of_another_name_is_the_data(tmp_path: Path) -> None:
    root = put(tmp_path / "Waves", "Waves_TRAIN.ts")
    (root / "shop.csv").write_text("a,b\n1,2\n3,4\n")
    assert [f.name for f in found_files(root)[0]] == ["shop.csv"]


def test_a_folder_of_a_training_and_a_test_file(tmp_path: Path) -> None:
    forms = ("Waves_TRAIN.arff", "Waves_TRAIN.tsv", "Waves_TEST.tsv", "Waves_TRAIN.txt")  # of the same series
    root = put(tmp_path / "Waves", "Waves_TEST.ts", "Waves_TRAIN.ts", "Waves.txt", *forms)
    read = read_rows(str(root))
    assert (read.info.format, read.info.n_files, len(read.frame)) == ("ts", 1, 24)
    assert read.test == str(root / "Waves_TEST.ts")
    data = load(str(root), FitOptions())
    assert any("series in 'Waves_TEST.ts' are the test data" in n for n in data.read.notes)
    target = data.target
    assert (target.name, target.guessed, target.why) == ("label", False, "The file gives it for each series.")
    with pytest.raises(ConfigError, match="--test-size asks for a part of the series"):
        load(str(root), FitOptions(test_size=0.2))
    (new,) = Batches(str(root))
    assert len(new) == 48, "for predictions all files count"


def test_files_of_one_kind_are_shards(tmp_path: Path) -> None:
    root = put(tmp_path / "shards", "2.ts", "10.ts")
    assert [f.name for f in found_files(root)[0]] == ["2.ts", "10.ts"]
    frame, info = read_table(root)
    assert (len(frame), info.n_files, info.notes) == (48, 2, ())
    put(root, "table.csv")
    assert [f.name for f in found_files(root)[0]] == ["table.csv"]
    shutil.rmtree(root)
    root.mkdir()
    with pytest.raises(DataError, match="no table, no images and no series"):
        found_files(root)


def test_the_test_file_beside_is_pointed_to_unless_one_is_named(tmp_path: Path) -> None:
    root = put(tmp_path, "Waves_TRAIN.ts", "Other_TEST.ts")
    assert load(str(root / "Waves_TRAIN.ts"), FitOptions()).read.notes == ()
    put(tmp_path, "Waves_TEST.ts")
    (note,) = load(str(root / "Waves_TRAIN.ts"), FitOptions()).read.notes
    assert f"--test {root / 'Waves_TEST.ts'}" in note
    assert load(str(root / "Waves_TRAIN.ts"), FitOptions(test=str(root / "Other_TEST.ts"))).read.notes == ()
    assert load(str(root / "Waves_TEST.ts"), FitOptions()).read.notes == ()


@pytest.mark.parametrize(
    ("names", "train", "test"),
    [
        (("a_TEST.ts", "a_TRAIN.ts"), ["a_TRAIN.ts"], "a_TEST.ts"),
        (("train.npz", "test.npz"), ["train.npz"], "test.npz"),
        (("a-train.ts.gz", "a-test.ts.gz"), ["a-train.ts.gz"], "a-test.ts.gz"),
        (("a_TRAIN.ts", "b_TEST.ts"), ["a_TRAIN.ts", "b_TEST.ts"], None),
        (("a_TRAIN.ts", "a_TEST.npz"), ["a_TRAIN.ts", "a_TEST.npz"], None),
        (("strain.ts", "stest.ts"), ["strain.ts", "stest.ts"], None),
        (("a_TRAIN.ts",), ["a_TRAIN.ts"], None),
        (("a_TRAIN.ts", "a_TEST.ts", "b_TEST.ts"), ["a_TRAIN.ts", "a_TEST.ts", "b_TEST.ts"], None),
    ],
)
def test_which_files_are_train_and_test(names: tuple[str, ...], train: list[str], test: str | None) -> None:
    found = train_and_test([Path(n) for n in names])
    assert ([p.name for p in found[0]], None if found[1] is None else found[1].name) == (train, test)


def test_only_a_training_file_has_a_test_beside_it(tmp_path: Path) -> None:
    root = put(tmp_path, "a_TRAIN.ts", "a_TEST.ts", "b.ts")
    assert other_part(root / "a_TRAIN.ts") == root / "a_TEST.ts"
    assert other_part(root / "a_TEST.ts") is other_part(root / "b.ts") is None
