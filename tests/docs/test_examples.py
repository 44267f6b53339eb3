from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import REPO

EXAMPLES = sorted((REPO / "examples").glob("*.py"))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_runs(script: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(script), "12"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_example_data_are_those_published() -> None:
    content = (REPO / "examples/data/penguins.csv").read_bytes()
    assert hashlib.sha256(content).hexdigest() == "144f623143c9360fd77322a4f86acb06dc198814dbd2669724c63e6457b907bd"
