"""What ``autodl plan`` once did to terminals and folders, found by ``benchmarks/fuzz.py``."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest

from autodl.cli.app import run
from autodl.cli.words import printable

ROWS = "".join(f"{i % 7},{i % 3},{'high' if i % 2 else 'low'}\n" for i in range(60))


def plan(path: Path, *options: str) -> int:
    return run(["plan", str(path), *options], time.time)


def test_names_and_cells_command_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\x1b[2Jsize,b,\u202egoal\x9b\n" + ROWS.replace("high", "\x1b]0;high"), "utf-8")
    assert plan(path, "--verbose", "--target", "\u202egoal\x9b", "--drop", "\x1b[2Jsize") == 0
    out = capsys.readouterr().out
    assert "[2Jsize" in out
    assert printable(out) == out
    assert plan(path, "--target", "none\x1b[2J") == 2
    err = capsys.readouterr().err
    assert "none[2J" in err
    assert printable(err) == err


@pytest.mark.parametrize("target", ["outcome", "nothing"])
def test_nothing_is_left_in_the_temporary_folder(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, temporary = tmp_path / "t.csv", tmp_path / "tmp"
    path.write_text("size,b,outcome\n" + ROWS)
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert plan(path, "--target", target) == (0 if target == "outcome" else 2)
    capsys.readouterr()
    assert list(temporary.iterdir()) == []


def test_a_target_in_other_capitals_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("size,b,Outcome\n" + ROWS)
    assert plan(path, "--target", "outcome") == 0
    assert "capitals and spaces aside, that is 'Outcome'" in " ".join(capsys.readouterr().out.split())
