"""What the README tells newcomers to type works as it stands, only with a few models in place of a minute."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from doc_blocks import REPO, blocks
from PIL import Image
from sklearn.datasets import load_digits


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder that looks like the checkout to someone who types commands in it."""
    shutil.copytree(REPO / "examples", tmp_path / "examples")
    digits, classes = load_digits(return_X_y=True)
    chosen = np.flatnonzero(classes < 2)
    for i in chosen[:70]:
        save(digits[i], tmp_path / "photos" / ("cat", "dog")[classes[i]] / f"{i}.png")
    for i in chosen[70:80]:
        save(digits[i], tmp_path / "new-photos" / f"{classes[i]}-{i}.png")
    return tmp_path


def save(pixels: np.ndarray, file: Path) -> None:
    """Write 64 pixels of 0 to 16 as an image of 8 x 8."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((pixels.reshape(8, 8) * 15).astype(np.uint8)).save(file)


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
        arguments = shlex.split(re.sub("--time-budget [0-9]+[ms]", "--max-trials 3", line))[1:]
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
    said = pd.read_csv(clone / "classes.csv")
    truth = said["file"].map(lambda name: {"0": "cat", "1": "dog"}[Path(name).name[0]])
    assert len(said) == 10
    assert (said["prediction"] == truth).sum() >= 8


@pytest.mark.slow
def test_its_python_works(clone: Path) -> None:
    code = blocks("README.md", "python")[0].replace('time_budget="60s"', "time_budget=None, max_trials=3")
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stdout
