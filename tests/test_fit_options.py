"""What may be asked for: each nonsense is refused in one line that names the parameter, the rule and the value."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodl
from autodl.cli import options as typed
from autodl.cli.fit import fit
from autodl.cli.plan import plan
from autodl.defaults import BUDGET_S
from autodl.duration import format_duration, parse_duration
from autodl.errors import ConfigError
from autodl.options import FitOptions, build_options
from autodl.records import Task

NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"time_budget": -5}, "time_budget '-5.0' must be above zero"),
    ({"time_budget": 0}, "must be above zero"),
    ({"time_budget": float("nan")}, "is not a duration"),
    ({"time_budget": float("inf")}, "longer than a year"),
    ({"time_budget": "soon"}, "time_budget 'soon' is not a duration"),
    ({"time_budget": True}, "time_budget must be seconds or a duration like 90s or 5m, but got True"),
    ({"time_budget": [60]}, "but got [60]"),
    ({"max_trials": 0}, "max_trials must be at least 1, but got 0"),
    ({"max_trials": -3}, "at least 1, but got -3"),
    ({"max_trials": 2.5}, "max_trials must be a whole number, but got 2.5"),
    ({"max_trials": "10"}, "max_trials must be a whole number, but got '10'"),
    ({"max_trials": True}, "max_trials must be a whole number, but got True"),
    ({"seed": -1}, "seed must lie between 0 and 4294967295, but got -1"),
    ({"seed": 2**32}, "seed must lie between"),
    ({"seed": 0.5}, "seed must be a whole number, but got 0.5"),
    ({"seed": None}, "seed must be a whole number, but got None"),
    ({"test_size": 0}, "test_size must lie between 0 and 1, but got 0. Use a share like 0.2."),
    ({"test_size": 1.0}, "between 0 and 1"),
    ({"test_size": float("nan")}, "between 0 and 1, but got nan"),
    ({"test_size": "0.2"}, "between 0 and 1, but got '0.2'"),
    ({"test_size": 20}, "between 0 and 1, but got 20"),
    ({"workers": 0}, "workers must be at least 1, but got 0"),
    ({"workers": "all"}, "workers must be a whole number, but got 'all'"),
    ({"task": "clasification"}, "unknown task 'clasification'. Did you mean 'classification'?"),
    ({"task": 1}, "task must be one of auto, classification, regression, but got 1"),
    ({"preset": "ballanced"}, "unknown preset 'ballanced'. Did you mean 'balanced'?"),
    ({"preset": None}, "preset must be one of fast, balanced, best, but got None"),
    ({"metric": len}, "metric must be a name, but got <built-in function len>"),
    ({"metric": ""}, "metric must be a name, but got ''"),
    ({"families": 3}, "families must be a list of names of models, but got 3"),
    ({"families": ["a", 1]}, "families must hold names of models, but got 1"),
    ({"families": ", ,"}, "families names no family"),
    ({"families": {"a": 1}}, "families must be a list"),
    ({"drop": 1.5}, "drop must be a list of the names of columns, but got 1.5"),
    ({"drop": ["a", ["b"]]}, "drop must be the name of a column, but got ['b']"),
    ({"target": ["y"]}, "target must be the name of a column, but got ['y']"),
    ({"target": pd.Series([0, 1])}, "target must be the name of a column, but got a Series"),
    ({"target": "  "}, "target must be the name of a column, but got '  '"),
    ({"group_column": 1.5}, "group_column must be the name of a column"),
    ({"test": pd.DataFrame({"a": [1]})}, "test must be the path of a file, but got a DataFrame"),
    ({"address": 6379}, "address must be a name, but got 6379"),
    ({"report": "no"}, "report must be True or False, but got 'no'"),
    ({"test": "a.csv", "test_size": 0.2}, "test and test_size exclude each other. Give one of them."),
    ({"group_column": "g", "time_column": "t"}, "group_column and time_column cannot be combined"),
    (
        {"target": "y", "drop": ["a", "y"]},
        "drop names the target column 'y'. Name another column",
    ),
    ({"target": "y", "group_column": "y"}, "group_column names the target column 'y'"),
    ({"target": "y", "time_column": "y"}, "time_column names the target column 'y'"),
]


@pytest.mark.parametrize(("asked", "said"), NONSENSE, ids=lambda v: str(v)[:50] if isinstance(v, str) else None)
def test_nonsense_is_refused_in_one_line(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as told:
        build_options(**asked)
    assert said in str(told.value)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 250
    assert isinstance(told.value, ValueError)


@pytest.mark.parametrize("asked", [asked for asked, _ in NONSENSE], ids=lambda asked: str(list(asked)))
def test_fit_refuses_it_before_it_looks_at_the_data(
    asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError):
        autodl.fit("there is no such file.csv", **asked)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"families": ["liner"]}, "unknown model family 'liner'. Did you mean 'linear'?"),
        ({"metric": "acuracy"}, "unknown metric 'acuracy'. Did you mean 'accuracy'?"),
        ({"metric": "zzz"}, "Known: "),
        ({"metric": "rmse", "task": "classification"}, "the metric 'rmse' is for regression, not for classification"),
    ],
)
def test_unknown_names_are_refused_before_the_data_are_read(asked: dict[str, Any], said: str, tmp_path: Path) -> None:
    for function, more in ((autodl.fit, {"out": tmp_path / "run"}), (autodl.plan, {})):
        with pytest.raises(ConfigError) as told:
            function("there is no such file.csv", **asked, **more)  # type: ignore[operator]
        assert said in str(told.value)
    assert not (tmp_path / "run").exists()


def test_values_of_numpy_and_friends_are_understood() -> None:
    made = build_options(
        target=np.int64(4), task="Regression", time_budget=np.float32(90), max_trials=np.int32(3), families="a, B,a",
        drop="x, y", seed=np.uint32(7), test=Path("t.csv"), preset=" Fast ", group_column="my  group", test_size=None,
    )  # fmt: skip
    assert made == FitOptions(
        target="4", task=Task.REGRESSION, time_budget_s=90.0, max_trials=3, families=("a", "b"), drop=("x, y",),
        seed=7, test="t.csv", preset="fast", group_column="my group",
    )  # fmt: skip
    assert build_options(task="auto").task is None
    assert build_options(task=Task.CLASSIFICATION).task is Task.CLASSIFICATION
    assert build_options(drop=("a", "a", 3)).drop == ("a", "3")


def test_a_trial_budget_alone_lifts_the_time_budget() -> None:
    assert build_options() == FitOptions()
    assert build_options(max_trials=5).time_budget_s is None
    assert build_options(max_trials=5, time_budget="1m").time_budget_s == 60.0
    assert build_options(default_budget_s=9.0).time_budget_s == 9.0
    assert FitOptions().time_budget_s == BUDGET_S
    assert parse_duration(format_duration(BUDGET_S)) == BUDGET_S, "what --help says can be typed"


def test_fit_plan_and_the_command_line_know_the_same_words() -> None:
    of_fit = set(inspect.signature(autodl.fit).parameters)
    of_plan = set(inspect.signature(autodl.plan).parameters)
    of_command = {{"group": "group_column"}.get(p.name, p.name) for p in fields(typed.Wishes)}
    assert of_fit - of_plan == {"out", "resume", "trust", "report", "listener"}
    assert of_command == of_plan - {"data"}
    for command in (fit, plan):
        assert {p.name for p in fields(typed.Wishes)} <= set(inspect.signature(command).parameters)
    assert of_command <= set(inspect.signature(build_options).parameters)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=4),
    st.lists(st.one_of(st.text(max_size=3), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=2), st.none()),
)  # fmt: skip


@pytest.mark.parametrize("name", ["max_latency", "max_size", "max_memory", "time_budget"])
def test_what_cannot_be_printed_is_shown_in_one_line(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_options(**{name: "5\x1e"})
    assert len(str(caught.value).splitlines()) == 1


@given(st.dictionaries(st.sampled_from(sorted(set(inspect.signature(autodl.plan).parameters) - {"data"})), ANYTHING))
def test_whatever_is_passed_it_is_understood_or_refused_in_our_words(asked: dict[str, Any]) -> None:
    try:
        made = build_options(**asked)
    except ConfigError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1, lines
    else:
        assert FitOptions.model_validate_json(made.model_dump_json()) == made
