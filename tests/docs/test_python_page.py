"""The examples of docs/python.md run in order, with a few models in place of a minute."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import REPO, blocks


@pytest.mark.slow
def test_the_examples_of_the_python_page_work(tmp_path: Path) -> None:
    shutil.copytree(REPO / "examples" / "data", tmp_path / "examples" / "data")
    code = "\n".join(blocks("docs/python.md", "python"))
    assert code.count('time_budget="60s"') == 1
    code = code.replace('time_budget="60s"', "max_trials=2").replace('["linear", "forest"]', '["dummy", "linear"]')
    script = tmp_path / "page.py"
    script.write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = ("report.html", "Validation - ", "proba_FEMALE", "unknown preset 'quick'", "'families': 'linear'")
    assert [words for words in said if words not in done.stdout] == []
    assert not (tmp_path / "runs").exists(), "a refused call leaves nothing behind"
    assert len(list((tmp_path / "autodl-runs").iterdir())) == 1, "estimators leave nothing behind"
