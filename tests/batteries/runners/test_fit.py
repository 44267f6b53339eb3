"""A whole run with a family whose every trial is killed: it ends with a model, and the report lists the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodl.options import FitOptions
from autodl.pipeline import run_fit
from autodl.records import Plan, TrialStatus
from autodl.search.space import family_space, parse_space
from autodl.store import RunFolder

pytestmark = pytest.mark.slow


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 3)), columns=list("abc"))
    frame["target"] = frame["a"] - 2 * frame["b"] + 0.1 * rng.normal(size=300)
    return frame


@pytest.mark.parametrize(
    ("how", "reason", "options"),
    [
        # Without a clock and with a large trial every trial runs in the worker.
        ("die", "was ended by the operating system", {"max_trials": 6, "time_budget_s": None}),
        # With one, the first trials run in this process while the worker starts.
        ("sleep", "did not stop at its deadline", {"time_budget_s": 30.0}),
    ],
)
def test_a_killed_family_is_listed_and_the_run_goes_on(
    faulty: Path,
    table: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    reason: str,
    options: dict[str, Any],
) -> None:
    broken = parse_space({"params": {"how": {"type": "choice", "values": [how], "default": how}}})
    for place in ("autodl.search.fitting.family_space", "autodl.planning.costs.family_space"):
        monkeypatch.setattr(place, lambda key: broken if key == "faulty" else family_space(key))
    monkeypatch.setattr("autodl.search.runners.worker_process.oom_kills", lambda: None)
    monkeypatch.setattr("autodl.planning.runner.MEMORY_ASKS", 0.0)
    asked = FitOptions(target="target", families=("linear", "faulty"), **options)
    record = run_fit(table, asked, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    plan = folder.read("plan", Plan)
    assert plan is not None
    assert (record.status, plan.runner) == ("done", "process")
    broken_ones = [t for t in folder.trials() if t.spec.family == "faulty"]
    assert {t.status for t in broken_ones} <= {TrialStatus.FAILED, TrialStatus.TIMEOUT}
    assert [t for t in broken_ones if t.error is not None and reason in t.error]
    assert any(t.ok and t.spec.family == "linear" for t in folder.trials())
    assert (folder.path / "model").is_dir()
    report = (folder.path / "report.html").read_text()
    assert "Tries without a score, and why" in report
    assert "Faulty" in report
    if how == "die":
        assert reason in report
