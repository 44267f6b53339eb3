"""Of very many images a part is drawn, told, and drawn again when a run is resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from image_files import photos

from autodl.data.allowance import Allowance
from autodl.data.images import part
from autodl.data.images.part import draw_images
from autodl.dataset import load, load_test
from autodl.options import FitOptions


@pytest.fixture
def frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """1,000 rows that name 24 images; one takes 10 ms."""
    files = sorted(photos(tmp_path).rglob("*.png"))
    monkeypatch.setattr(part, "_decode_seconds", lambda *args: 0.01)
    monkeypatch.setattr(part, "LEAST", 20)
    return pd.DataFrame({"photo": [str(files[i % 24]) for i in range(1000)], "who": np.arange(1000) // 100})


def test_time_for_all_keeps_all(frame: pd.DataFrame, tmp_path: Path) -> None:
    rows, sample = draw_images(frame, Allowance(seconds=1000, cores=1), tmp_path)
    assert sample is None
    assert rows.tolist() == list(range(1000))


def test_little_time_draws_a_part_that_it_has_room_for(frame: pd.DataFrame, tmp_path: Path) -> None:
    rows, sample = draw_images(frame, Allowance(seconds=10, cores=2, seed=3), tmp_path)
    assert sample is not None
    assert len(rows) == sample.rows_used == part.DECODING * 10 * 2 / 0.01
    assert (np.diff(rows) > 0).all()
    assert "300 of the 1,000 rows" in sample.note and "10 s" in sample.note
    again, _ = draw_images(frame, Allowance(max_rows=sample.max_rows, seed=3), tmp_path)  # as a resumed run asks
    assert (again == rows).all()
    other, _ = draw_images(frame, Allowance(seconds=10, cores=2, seed=4), tmp_path)
    assert (other != rows).any()


def test_groups_stay_whole(frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodl.data.draw.MIN_GROUPS", 2)
    allowance = Allowance(seconds=10, cores=2, group_column="who")
    rows, _ = draw_images(frame, allowance, tmp_path)
    assert set(frame["who"].iloc[rows].value_counts()) == {100}
    assert len(rows) <= 300


def test_the_disk_is_a_limit_too(frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 100 * 3 * 16 * 16 / part.DISK
    usage = part.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(part.shutil, "disk_usage", lambda path: usage._replace(free=free))
    rows, sample = draw_images(frame, Allowance(seconds=1e6, cores=1), tmp_path)
    assert len(rows) == 100
    assert sample is not None and "disk" in sample.why


def test_tables_without_images_and_runs_without_clock_are_left_alone(frame: pd.DataFrame, tmp_path: Path) -> None:
    allowance = Allowance(seconds=1e-3, cores=1)
    assert draw_images(frame[["who"]], allowance, tmp_path)[1] is None
    assert draw_images(frame, replace(allowance, seconds=None), tmp_path)[1] is None


def test_many_test_images_are_drawn_by_the_size_of_the_training(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autodl.data.images.road.FEWEST", 20)
    frame["y"] = [Path(p).parent.name for p in frame["photo"]]
    frame.iloc[:100].to_csv(tmp_path / "train.csv", index=False)
    frame.to_csv(tmp_path / "test.csv", index=False)
    train = load(str(tmp_path / "train.csv"), FitOptions(target="y"))
    test = load_test(str(tmp_path / "test.csv"), train, seed=1)
    assert test.read.sample is not None and test.read.sample.rows_used == 200 == len(test.y)
    assert load_test(str(tmp_path / "test.csv"), train, seed=1).fingerprint() == test.fingerprint()


def test_some_hundred_large_files_are_timed_small_ones_are_not(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, hurry = frame.iloc[:400], Allowance(seconds=5, cores=1)
    assert draw_images(few, hurry, tmp_path)[1] is None
    monkeypatch.setattr(part, "LARGE_BYTES", 1)
    rows, sample = draw_images(few, hurry, tmp_path)
    assert sample is not None and len(rows) == round(part.DECODING * 5 / 0.01)


def test_names_that_no_file_can_have_are_told_later(frame: pd.DataFrame) -> None:
    assert not part._large(["x" * 300 + ".jpg", "no/such/file.png", "a\0b.png"])


def test_slow_files_are_not_timed_for_long(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the clock of the fixture
    seen: list[str] = []
    now = iter(range(1000))
    monkeypatch.setattr(part, "decode", lambda path, side, *, crop: seen.append(path))
    monkeypatch.setattr(part.time, "perf_counter", lambda: float(next(now)))
    assert part._decode_seconds([str(k) for k in range(50)], 64, False) == 1.0
    assert len(seen) == 3


def test_a_hurried_training_hurries_its_test(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["y"] = [Path(p).parent.name for p in frame["photo"]]
    frame.to_csv(tmp_path / "train.csv", index=False)
    train = load(str(tmp_path / "train.csv"), FitOptions(target="y", time_budget_s=10.0))
    assert train.read.sample is not None and len(train.y) < 1000
    test = load_test(str(tmp_path / "train.csv"), train, seed=1)
    assert len(test.y) == max(part.LEAST, len(train.y))


def test_a_run_tells_the_part_and_numbers_its_rows(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame["y"] = [Path(p).parent.name for p in frame["photo"]]
    frame.to_csv(tmp_path / "all.csv", index=False)
    options = FitOptions(target="y", time_budget_s=2)
    data = load(str(tmp_path / "all.csv"), options)
    assert data.read.sample is not None
    assert data.read.sample.note in data.read.notes
    assert len(data.y) == data.read.sample.rows_used < 1000
    assert (frame["who"].to_numpy()[data.rows] == data.frame["who"]).all()
    again = load(str(tmp_path / "all.csv"), options.model_copy(update={"time_budget_s": 1e6}), data.read)
    assert again.fingerprint() == data.fingerprint()
