"""What the README tells newcomers to type works as it stands, only with a few models in place of a minute."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from doc_blocks import REPO, blocks


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that looks like the checkout to someone who types commands in it."""
    shutil.copytree(REPO / "examples", tmp_path / "examples")
    return tmp_path


def commands() -> list[str]:
    return [line for block in blocks("README.md", "sh") for line in block.splitlines()]


def test_the_readme_has_its_blocks() -> None:
    typed = [shlex.split(line)[:2] for line in commands()]
    for expected in (
        ["make", "demo"],
        ["make", "test"],
        ["autodl", "plan"],
        ["autodl", "fit"],
        ["autodl", "predict"],
    ):
        assert expected in typed
    assert len(blocks("README.md", "python")) == 1


def test_the_readme_fits_one_screen() -> None:
    assert len((REPO / "README.md").read_text("utf-8").splitlines()) <= 75


def test_its_links_lead_somewhere() -> None:
    import re

    for file in ("README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (REPO / "docs").glob("*.md"))):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", (REPO / file).read_text("utf-8")):
            assert ((REPO / file).parent / target).exists(), f"{file} links to {target}"


def test_its_make_targets_exist() -> None:
    for line in commands():
        if line.startswith("make "):
            asked = subprocess.run(["make", "-n", *line.split()[1:]], cwd=REPO, check=False, capture_output=True)
            assert asked.returncode == 0, asked.stderr


@pytest.mark.slow
def test_its_commands_work_in_order(clone: Path) -> None:
    environment = {**os.environ, "COLUMNS": "100"}
    for line in commands():
        if not line.startswith("autodl "):
            continue
        arguments = shlex.split(line.replace("--time-budget 60s", "--max-trials 3"))[1:]
        done = subprocess.run(
            [sys.executable, "-m", "autodl", *arguments], cwd=clone, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        assert done.stderr == ""
    given = pd.read_csv(clone / "examples/data/penguins.csv")
    predicted = pd.read_csv(clone / "predictions.csv")
    assert list(predicted.columns) == ["Individual ID", "prediction", "proba_FEMALE", "proba_MALE"]
    assert predicted["Individual ID"].tolist() == given["Individual ID"].tolist()
    agree = (predicted["prediction"] == given["Sex"])[given["Sex"].notna()].mean()
    assert agree > 0.8  # mostly rows it was trained on; guessing is 0.5


@pytest.mark.slow
def test_its_python_works(clone: Path) -> None:
    code = blocks("README.md", "python")[0].replace('time_budget="60s"', "time_budget=None, max_trials=3")
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout
