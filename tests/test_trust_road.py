"""A run whose models need pickle: free in the process that made them, by ``--trust`` only in any other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl import model as model_module
from autodl.serialize import UnsupportedValueError

pytestmark = pytest.mark.slow


def unsupported(value: object) -> bytes:
    raise UnsupportedValueError("something odd")


def command(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "autodl", *arguments], cwd=place, capture_output=True, text=True)


def test_pickles_serve_their_makers_and_others_only_on_their_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=120), "c": rng.choice(["u", "v"], 120)})
    frame["y"] = np.where(frame["x"] > 0, "yes", "no")
    frame.to_csv(tmp_path / "t.csv", index=False)
    monkeypatch.setattr(model_module, "dump", unsupported)
    run = autodl.fit(tmp_path / "t.csv", "y", families=["linear"], max_trials=1, workers=1, out=tmp_path / "run")
    assert list((tmp_path / "run" / "model").glob("*.pkl")), "no pickle was made, so that the test shows nothing"
    expected = run.predict(frame)["prediction"]
    monkeypatch.undo()

    refused = command(tmp_path, "predict", "run", "t.csv", "--out", "p.csv")
    assert refused.returncode == 2
    assert "is a pickle" in refused.stderr and "--trust" in refused.stderr and refused.stderr.count("\n") == 1
    assert not (tmp_path / "p.csv").exists()
    trusted = command(tmp_path, "predict", "run", "t.csv", "--out", "p.csv", "--trust")
    assert trusted.returncode == 0, trusted.stderr
    assert pd.read_csv(tmp_path / "p.csv")["prediction"].tolist() == expected.tolist()
    assert command(tmp_path, "report", "run").returncode == 0, "the report needs no model"
