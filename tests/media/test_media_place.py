"""Stores are made whole or not at all, and places go away when they should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autodl.media.place import MediaPlace, passing_place


def test_a_store_is_there_once_it_is_whole(tmp_path: Path) -> None:
    place = MediaPlace(tmp_path / "media")
    with place.make("k") as part:
        (part / "a").write_text("1")
        assert place.find("k") is None
    found = place.find("k")
    assert found is not None
    assert (found / "a").read_text() == "1"
    assert [p.name for p in place.folder.iterdir()] == ["k"]


def test_a_store_that_was_not_finished_leaves_nothing(tmp_path: Path) -> None:
    place = MediaPlace(tmp_path)

    def stopped() -> None:
        with place.make("k") as part:
            (part / "a").write_text("1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".k-{gone.pid}").mkdir()
    (tmp_path / ".k-1").mkdir()  # of a process that runs
    with MediaPlace(tmp_path).make("other"):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == [".k-1", "other"]


def test_the_first_of_two_that_make_the_same_wins(tmp_path: Path) -> None:
    place = MediaPlace(tmp_path)
    with place.make("k") as late:
        (late / "a").write_text("late")
        (tmp_path / "k").mkdir()
        (tmp_path / "k" / "a").write_text("first")
    assert (tmp_path / "k" / "a").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["k"]


def test_a_passing_place_is_private_and_goes_away() -> None:
    with passing_place() as place:
        assert not place.folder.exists()  # nothing is made until it is needed
        with place.make("k"):
            pass
        assert place.folder.stat().st_mode & 0o077 == 0
    assert not place.folder.exists()


def test_the_place_of_a_process_ends_with_it(tmp_path: Path) -> None:
    code = (
        "from autodl.media.place import process_place\n"
        "with process_place().make('k'): pass\nprint(process_place().folder, process_place().find('k') is not None)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"TMPDIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
    ).stdout.split()  # fmt: skip
    assert told[1] == "True"
    assert Path(told[0]).parent == tmp_path
    assert not Path(told[0]).exists()


def test_the_remedy_names_what_decides_where_it_lies(tmp_path: Path) -> None:
    assert "--out" in MediaPlace(tmp_path).remedy and "TMPDIR" not in MediaPlace(tmp_path).remedy
    with passing_place() as place:
        assert "TMPDIR" in place.remedy and "--out" not in place.remedy
