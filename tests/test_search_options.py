"""``--search``, ``--scheduler``, ``--nas`` and ``--space`` from the command and from Python to the trials."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.__main__ import main
from autodl.errors import ConfigError, RunError
from autodl.events import TrialFinished, TrialStarted
from autodl.options import FitOptions
from autodl.pipeline import run_fit
from autodl.planning.searching import SCHEDULER
from autodl.records import Plan
from autodl.store import RunFolder

OWN = """linear:
  params:
    C: {type: float, low: 0.5, high: 2.0, default: 1.0}
    prep.scale: {type: choice, values: [standard, robust]}
  portfolio: [{}, {prep.scale: robust}]
"""
OPTIONS = FitOptions(
    target="y", time_budget_s=None, max_trials=6, families=("linear",), workers=1, report=False, search="random",
    scheduler="none",
)  # fmt: skip


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 2))
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] + rng.normal(size=90) > 0, "yes", "no")})


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    path.write_text(OWN)
    return path


def interrupted(table: pd.DataFrame, options: FitOptions, run: Path, after: int) -> None:
    """A run whose process dies while it stores its next trial."""
    seen = 0

    def listen(event: object) -> None:
        nonlocal seen
        seen += isinstance(event, TrialFinished)
        if isinstance(event, TrialStarted) and seen == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_fit(table, options, run, listener=listen)


def test_own_spaces_are_searched_from_the_command(table: pd.DataFrame, own: Path, tmp_path: Path) -> None:
    data, run = tmp_path / "t.csv", tmp_path / "run"
    table.to_csv(data, index=False)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(
            f"fit {data} --target y --max-trials 6 --families linear --space {own} --search sobol --scheduler none "
            f"--out {run} --json".split()
        )
    assert code == 0
    assert json.loads(out.getvalue())["status"] == "done"
    trials = [t for t in RunFolder(run).trials() if t.spec.family == "linear"]
    assert [t.spec.config for t in trials[:2]] == [
        {"C": 1.0, "prep.scale": "standard"}, {"C": 1.0, "prep.scale": "robust"},
    ]  # fmt: skip
    assert {t.spec.origin for t in trials[2:]} == {"sobol"}
    assert all(0.5 <= float(t.spec.config["C"] or 0) <= 2.0 for t in trials)
    plan = RunFolder(run).read("plan", Plan)
    assert plan is not None and (plan.strategy, plan.scheduler, plan.nas) == ("sobol", "none", "joint")
    assert "my.yaml" in next(d.why for d in plan.decisions if d.topic == "Search")


@pytest.mark.parametrize("gone", [False, True])
def test_a_resumed_run_goes_on_in_its_own_space(table: pd.DataFrame, own: Path, tmp_path: Path, gone: bool) -> None:
    options = OPTIONS.model_copy(update={"space": str(own)})
    run_fit(table, options, tmp_path / "whole")
    interrupted(table, options, tmp_path / "run", after=4)
    if gone:
        own.unlink()
    run_fit(table, options, tmp_path / "run", resume=True)
    whole, resumed = (RunFolder(tmp_path / name).trials() for name in ("whole", "run"))
    assert [(t.spec.config, t.spec.origin, t.loss) for t in resumed] == [
        (t.spec.config, t.spec.origin, t.loss) for t in whole
    ]


def test_a_changed_file_of_spaces_is_told(table: pd.DataFrame, own: Path, tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"space": str(own)})
    interrupted(table, options, tmp_path / "run", after=2)
    own.write_text(OWN.replace("2.0", "3.0"))
    with pytest.raises(RunError, match="other search spaces than when the run") as caught:
        run_fit(table, options, tmp_path / "run", resume=True)
    assert len(str(caught.value).splitlines()) == 1
    own.write_text("# a comment changes nothing\n" + OWN)
    assert run_fit(table, options, tmp_path / "run", resume=True).status == "done"
    with pytest.raises(RunError, match="began with --search random, but now tpe is asked"):
        run_fit(table, options.model_copy(update={"search": "tpe"}), tmp_path / "run", resume=True)


def test_python_takes_the_same(table: pd.DataFrame, own: Path, tmp_path: Path) -> None:
    planned = autodl.plan(table, "y", families="mlp", search="auto", nas="evolution", scheduler="asha").plan
    assert (planned.strategy, planned.scheduler, planned.nas) == ("auto", "asha", "evolution")
    topics = {d.topic: d for d in planned.decisions}
    assert "Gaussian process" in topics["Search"].why, "what auto chose, and why"
    assert "every second trial" in topics["Architecture search"].choice
    with pytest.raises(ConfigError, match="Did you mean 'evolution'"):
        autodl.plan(table, "y", nas="evoltion")
    own.write_text("linear:\n  D: {type: float, low: 1, high: 2}")
    with pytest.raises(ConfigError, match=r"line 2: .*'linear'.*no setting 'D'"):
        autodl.fit(table, "y", space=own, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("asked", "scheduler"),
    [
        ({}, SCHEDULER),
        ({"search": "bohb"}, "hyperband"),
        ({"search": "bohb", "scheduler": "none"}, "none"),
        ({"search": "nsga2"}, "none"),
        ({"search": "nsga2", "scheduler": "median"}, "median"),
    ],
)
def test_a_strategy_brings_its_scheduler_along(table: pd.DataFrame, asked: dict[str, str], scheduler: str) -> None:
    planned = autodl.plan(table, "y", families="linear", **asked).plan
    assert planned.scheduler == scheduler
    (told,) = (d for d in planned.decisions if d.evidence.get("scheduler") == scheduler)
    # A scheduler looks at the score alone, which is one of several things to this strategy.
    assert ("for their time or size" in told.why) == (asked == {"search": "nsga2", "scheduler": "median"})


def test_no_word_on_architectures_where_no_network_takes_part(table: pd.DataFrame) -> None:
    planned = autodl.plan(table, "y", families="linear").plan
    assert "Architecture search" not in {d.topic for d in planned.decisions}


def test_an_architecture_search_that_has_nothing_to_work_on_says_so(table: pd.DataFrame) -> None:
    planned = autodl.plan(table, "y", families="linear", nas="supernet").plan
    assert "nothing to work on" in next(d.choice for d in planned.decisions if d.topic == "Architecture search")


def test_plan_knows_what_an_address_looks_like(table: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="'nowhere' is no address"):
        autodl.plan(table, "y", families="linear", address="nowhere")


def test_limits_reach_the_options(table: pd.DataFrame) -> None:
    from autodl.options import build_options

    made = build_options(max_latency="5ms", max_size="2MB", max_memory=3e8)
    assert (made.max_latency_s, made.max_size_bytes, made.max_memory_bytes) == (0.005, 2_000_000, 300_000_000)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"scheduler": "none"}, "--scheduler the default, but now none is asked"),
        ({"families": ("linear", "mlp")}, "--families linear, but now linear,mlp is asked"),
        ({"max_size_bytes": 2_000_000}, "--max-size the default, but now 2MB is asked"),
        ({"max_latency_s": 0.005}, "--max-latency the default, but now 5ms is asked"),
        ({"group_column": "x"}, "--group the default, but now x is asked"),
    ],
)
def test_a_refused_resume_speaks_of_options_as_they_are_typed(
    table: pd.DataFrame, tmp_path: Path, asked: dict[str, object], says: str
) -> None:
    from autodl.opening import _check_options
    from autodl.options import FitOptions

    folder = RunFolder(tmp_path)
    began = FitOptions(target="y", families=("linear",))
    folder.write("options", began)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(RunError, match=says):
        _check_options(folder, began.model_copy(update=asked))


def test_a_resumed_run_takes_the_workers_that_are_asked_for(table: pd.DataFrame, tmp_path: Path) -> None:
    options = OPTIONS.model_copy(update={"workers": 1, "max_trials": 6})
    interrupted(table, options, tmp_path / "run", after=2)
    run_fit(table, options.model_copy(update={"workers": 2}), tmp_path / "run", resume=True)
    plan = RunFolder(tmp_path / "run").read("plan", Plan)
    assert plan is not None and plan.workers == 2
    assert "2 trials at a time" in next(d.choice for d in plan.decisions if d.topic == "Computing")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"max_latency": "5"}, "'5' has no unit"),
        ({"max_size": " 2 "}, "has no unit"),
        ({"max_memory": "300"}, "has no unit"),
        ({"max_memory": "1MB"}, "can be kept by no model"),
        ({"max_memory": 5e6}, "can be kept by no model"),
    ],
)
def test_limits_that_nobody_can_mean_are_refused(asked: dict[str, object], says: str) -> None:
    from autodl.errors import ConfigError
    from autodl.options import build_options

    with pytest.raises(ConfigError, match=says):
        build_options(**asked)  # type: ignore[arg-type]
