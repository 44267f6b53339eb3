"""A whole run on a table whose names and cells try to command terminals, browsers and spreadsheets."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow

TAG = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}</title>'
TERMINAL = "\x1b[2J\x1b]8;;http://x\x07[red]gone[/red]\x1b]52;c;eA==\x07\u202etxt\x9b31m"
MATH = "$\\frac{1}{0$ and $x_"
FORMULA = "=HYPERLINK(1)"
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the table; the file's name is hostile too."""
    folder = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(0)
    n = 150
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            TAG: x, MATH: rng.normal(size=n), TERMINAL: rng.choice([TERMINAL, TAG, MATH], n),
            FORMULA: rng.choice(["=1+1", "@x", "plain"], n),
            TAG * 2: np.where(x + 0.3 * rng.normal(size=n) > 0, FORMULA, TAG),
        }
    )  # fmt: skip
    frame.to_csv(folder / "<img src=x>'[red].csv", index=False)
    return folder


def autodl(place: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "autodl", *arguments], cwd=place, capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stderr
    assert not UNSEEN.search(done.stdout + done.stderr), "a terminal would obey this"
    return done.stdout


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    """The run folder, whose name is hostile."""
    shown = autodl(
        place, "fit", "<img src=x>'[red].csv", "--target", TAG * 2, "--max-trials", "2", "--families", "linear,dummy",
        "--out", "<video>run[red]",
    )  # fmt: skip
    assert "[red]" in shown
    return place / "<video>run[red]"


class Elements(HTMLParser):
    """Names and attributes of all elements."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_report_has_no_element_born_of_data(run: Path) -> None:
    source = (run / "report.html").read_text("utf-8")
    page = Elements(source)
    tags = [tag for tag, _ in page.found]
    assert tags.count("script") == tags.count("body") == tags.count("head") == 1
    assert not {"img", "video", "iframe", "object", "embed", "form", "base"} & set(tags)
    assert not [a for _, attributes in page.found for a in attributes if a.startswith("on")]
    text = "".join(page.words)
    assert "<script>alert(1)</script>" in text, "the hostile names are not on the page at all"
    assert "{{7*7}}" in text
    assert "\x1b" not in source


def test_every_command_shows_hostile_names_harmlessly(place: Path, run: Path) -> None:
    assert "alert" in autodl(place, "plan", "<img src=x>'[red].csv", "--target", TAG * 2)
    autodl(place, "leaderboard", run.name)
    autodl(place, "runs", ".")
    autodl(place, "report", run.name)


def test_predictions_hold_no_formula_unless_asked(place: Path, run: Path) -> None:
    common = ("predict", run.name, "<img src=x>'[red].csv", "--keep", FORMULA)
    autodl(place, *common, "--out", "tame.csv")
    autodl(place, *common, "--out", "raw.csv", "--raw-text")
    tame, raw = (pd.read_csv(place / name, dtype=str, keep_default_na=False) for name in ("tame.csv", "raw.csv"))
    assert set(raw["prediction"]) == {FORMULA, TAG} and FORMULA in raw.columns[0]
    cells = [*tame.columns, *tame.to_numpy().ravel()]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    assert set(tame["prediction"]) == {"'" + FORMULA, TAG}


def test_an_error_line_is_one_harmless_line(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autodl", "plan", "<img src=x>'[red].csv", "--target", TERMINAL + "\n2nd"],
        cwd=place, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not UNSEEN.search(done.stderr)
