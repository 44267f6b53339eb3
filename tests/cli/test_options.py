from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from cli_fakes import make_record
from hypothesis import given
from hypothesis import strategies as st

from autodl.__main__ import main
from autodl.api import Run, _folder
from autodl.cli.options import Wishes, choose_folder, require_run, run_name
from autodl.errors import ConfigError, RunError
from autodl.options import FitOptions
from autodl.records import Task


def options(**given: Any) -> FitOptions:
    return Wishes(**given).checked()


def test_defaults() -> None:
    assert options() == FitOptions(time_budget_s=300.0)


def test_a_trial_budget_alone_lifts_the_time_budget() -> None:
    assert options(max_trials=5).time_budget_s is None
    assert options(max_trials=5, time_budget="1m").time_budget_s == 60.0


def test_lists_and_choices() -> None:
    made = options(families=" A, b,,a ", drop=["x, y", "z"], task="Regression", preset="FAST")
    assert made.families == ("a", "b")
    assert made.drop == ("x, y", "z")
    assert (made.task, made.preset) == (Task.REGRESSION, "fast")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"task": "clasification"}, "Did you mean 'classification'?"),
        ({"preset": "quick"}, "balanced"),
        ({"time_budget": "soon"}, "'soon' is not a duration"),
        ({"max_trials": 0}, "at least 1"),
        ({"workers": -1}, "--workers"),
        ({"test_size": 1.5}, "between 0 and 1"),
        ({"test_size": float("nan")}, "between 0 and 1"),
        ({"test": "a.csv", "test_size": 0.2}, "exclude each other"),
        ({"families": ", ,"}, "names no family"),
        ({"seed": -1}, "--seed"),
    ],
)
def test_nonsense_is_refused_with_the_remedy(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        options(**given)


@given(st.text(min_size=1, max_size=80))
def test_a_run_is_named_by_one_safe_path_part(data: str) -> None:
    name = run_name(data)
    assert re.fullmatch(r"[\w-]{1,60}", name)


def test_run_folders_are_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = choose_folder(None, "in/my data.csv", resume=False)
    assert re.fullmatch(r"autodl-runs/my-data-\d{8}-\d{6}", str(first))
    assert first.is_dir()
    assert choose_folder(None, "in/my data.csv", resume=False) != first
    new = tmp_path / "new"
    assert choose_folder(new, "d", resume=False) == new
    new.mkdir()
    assert choose_folder(new, "d", resume=False) == new
    (new / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty"):
        choose_folder(new, "d", resume=False)
    with pytest.raises(RunError, match="Leave out --resume"):
        choose_folder(new, "d", resume=True)
    (new / "run.json").write_text("{}")
    with pytest.raises(RunError, match="Add --resume"):
        choose_folder(new, "d", resume=False)
    assert choose_folder(new, "d", resume=True) == new
    with pytest.raises(RunError, match="is a file"):
        choose_folder(new / "run.json", "d", resume=False)
    with pytest.raises(ConfigError, match="--out"):
        choose_folder(None, "d", resume=True)


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run\.json"):
        require_run(tmp_path)


def test_the_home_folder_may_be_named_by_its_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shells leave it to the program in --out=~/run."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert choose_folder(Path("~/run"), "d", resume=False) == tmp_path / "run"
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(make_record().model_dump_json())
    assert require_run(Path("~/run")) == tmp_path / "run"
    assert Run("~/run").folder == tmp_path / "run"
    with _folder("~/run", resume=True) as folder:
        assert folder == tmp_path / "run"
    (tmp_path / "d.csv").write_text("a\n1\n")
    assert main(["predict", "~/run", str(tmp_path / "d.csv"), "--out=~/run"]) == 2
    assert f"--out {tmp_path / 'run'} is a folder" in capsys.readouterr().err
    assert main(["runs", "~"]) == 0
    assert "no runs" not in capsys.readouterr().out
