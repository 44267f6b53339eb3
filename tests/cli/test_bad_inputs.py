"""Every bad input gives one line with the place and the remedy, exit code 2, and leaves nothing behind."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest
from bad_case import Case, listing, play
from bad_inputs import CASES, SECTIONS, finished_run

REPO = Path(__file__).resolve().parents[2]
JARGON = re.compile(
    r"Traceback|Error:|Exception|\bNone\b|NaN\b|dtype|object at 0x|Errno|\w+\.py\b|\(s\)|null|schema|pyarrow|pandas"
)
"""What a line for people must not hold."""


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="session")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_bad_input", REPO / "docs" / "write_bad_input.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", [pytest.param(c, id=c.name, marks=[pytest.mark.slow] * c.slow) for c in CASES])
def test_one_line_with_place_and_remedy(case: Case, tmp_path: Path, finished: Path, writer: ModuleType) -> None:
    outcome = play(case, tmp_path, finished)
    line = outcome.told(case.says)
    assert outcome.code == case.code, outcome
    assert [part for part in case.says if part not in line] == [], line
    assert not JARGON.search(line), line
    assert set(outcome.left) <= set(case.leaves)
    if case.code:
        assert outcome.err.startswith("autodl: error: ")
        assert outcome.err.count("\n") == 1
        assert len(outcome.err) < 420, "a sentence or two"
    page = (REPO / "docs" / "bad-input.md").read_text("utf-8")
    assert writer.row(case, outcome) in page, "run `make docs`"


def test_the_page_holds_all_cases_and_no_other() -> None:
    assert [name for name, n in Counter(case.name for case in CASES).items() if n > 1] == []
    page = (REPO / "docs" / "bad-input.md").read_text("utf-8")
    assert re.findall(r"(?m)^## (.*)$", page) == list(SECTIONS)
    rows = re.findall(r"(?m)^\| (?!what is wrong)(.*?) \|", page)
    assert rows == [case.wrong for case in CASES]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["junk", "target_unknown", "option", "unseen", "cut_model"])
def test_a_process_of_its_own_answers_the_same(name: str, tmp_path: Path, finished: Path, writer: ModuleType) -> None:
    case = next(c for c in CASES if c.name == name)
    inside = play(case, tmp_path, finished)
    before = listing(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(case.command)], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (case.code, inside.err)
    assert listing(tmp_path) == before
