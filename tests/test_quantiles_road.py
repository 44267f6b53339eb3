"""Quantiles from the option to the predictions, on rows whose true quantiles are known."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.api import Run
from autodl.errors import ConfigError, DataError
from autodl.options import build_options
from autodl.records import Evaluation, Front, Plan
from autodl.store import RunFolder

LEVELS = (0.1, 0.5, 0.9)


def rows(n, seed):
    """A number whose spread depends on the columns."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-2, 2, n), rng.uniform(0, 1, n)
    return pd.DataFrame({"a": a, "b": b, "y": 10 + 2 * a + (0.3 + 2 * b) * rng.normal(size=n)})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("quantiles")
    return autodl.fit(
        rows(600, 0), "y", quantiles=LEVELS, families=("linear", "lightgbm"), max_trials=3, out=place / "run"
    )


def test_predictions_are_ascending_columns_and_the_median_stands_for_them(run):
    out = run.predict(rows(300, 1).drop(columns="y"))
    assert list(out.columns) == ["prediction", "q0.1", "q0.5", "q0.9"]
    assert (out["q0.1"] <= out["q0.5"]).all() and (out["q0.5"] <= out["q0.9"]).all()
    assert (out["prediction"] == out["q0.5"]).all()


def test_new_rows_lie_inside_as_often_as_promised_and_narrow_where_the_spread_is_small(run):
    new = rows(4000, 2)
    out = run.predict(new)
    inside = ((out["q0.1"] <= new["y"]) & (new["y"] <= out["q0.9"])).mean()
    # The shifts rest on 480 rows, the share on 4,000: four standard errors of both.
    assert abs(inside - 0.8) < 4 * math.sqrt(0.16 / 480 + 0.16 / 4000)
    width = out["q0.9"] - out["q0.1"]
    assert width[new["b"] > 0.8].mean() > 1.8 * width[new["b"] < 0.2].mean()


def test_the_test_rows_and_the_report_say_how_often_the_interval_held(run):
    folder = RunFolder(run.folder)
    plan, evaluation = folder.read("plan", Plan), folder.read("evaluation", Evaluation)
    assert plan.quantiles == LEVELS and plan.metric == "pinball@0.1,0.5,0.9"
    assert any(s.why == "It cannot predict quantiles." or "Not among" in s.why for s in plan.skipped)
    check = evaluation.quantiles
    assert [c.level for c in check.levels] == list(LEVELS)
    held = check.intervals[0].held
    assert held.n == 120 and held.low < held.value < held.high
    assert {"pinball@0.1,0.5,0.9", "rmse", "mae", "r2"} <= set(evaluation.models[0].metrics)
    text = run.report_path.read_text()
    assert 'id="intervals"' in text and "80 % interval held" in text
    assert run.record.options["quantiles"] == "0.1,0.5,0.9"


def test_the_fold_models_and_the_manifest_survive_loading(run):
    again = Run(run.folder)
    new = rows(50, 3)
    pd.testing.assert_frame_equal(again.predict(new), run.predict(new))
    assert again.model.manifest.quantiles == LEVELS
    with pytest.raises(DataError, match="keep"):
        run.predict(new.rename(columns={"y": "q0.1"}), keep="q0.1")


def test_the_estimator_gives_the_middle_and_all_quantiles():
    data = rows(200, 4)
    model = autodl.AutoRegressor(max_trials=2, families="linear", quantiles="0.9,0.25")
    model.fit(data[["a", "b"]], data["y"])
    q = model.predict_quantiles(data[["a", "b"]])
    assert q.shape == (200, 2) and (q[:, 0] <= q[:, 1]).all()
    middle = model.predict(data[["a", "b"]])
    assert (q[:, 0] <= middle).all() and (middle <= q[:, 1]).all()
    assert model.get_params()["quantiles"] == "0.9,0.25"
    plain = autodl.AutoRegressor(max_trials=1, families="linear").fit(data[["a"]], data["y"])
    with pytest.raises(ConfigError, match="one number"):
        plain.predict_quantiles(data[["a"]])


@pytest.mark.parametrize(
    ("given", "expected"),
    [("0.9, 0.1,0.5", LEVELS), ([0.5, 0.5], (0.5,)), (0.25, (0.25,)), (None, ()), (np.array([0.9, 0.1]), (0.1, 0.9))],
)
def test_levels_are_sorted_and_each_counts_once(given, expected):
    assert build_options(quantiles=given).quantiles == expected


@pytest.mark.parametrize("given", ["10,50,90", "0.1,high", "0", [1.0], [True], [float("nan")], "0.1,,0.9", {0.1: 1}])
def test_levels_that_are_no_shares_are_refused(given):
    with pytest.raises(ConfigError, match="quantiles must"):
        build_options(quantiles=given)


@pytest.mark.parametrize(
    ("given", "meant"), [("10,50,90", "0.1,0.5,0.9"), ("10%, 90%", "0.1,0.9"), ([5, 95], "0.05,0.95")]
)
def test_percents_are_answered_by_the_shares_that_were_meant(given, meant):
    with pytest.raises(ConfigError, match=f"Did you mean {meant}"):
        build_options(quantiles=given)


def test_a_single_level_and_levels_apart_on_the_command_line():
    from autodl.cli.usage import _levels_apart

    data = rows(80, 6)
    model = autodl.AutoRegressor(max_trials=1, families="linear", quantiles=0.5).fit(data[["a", "b"]], data["y"])
    assert model.predict_quantiles(data[["a", "b"]]).shape == (80, 1)
    assert _levels_apart("0.5 0.9", ["fit", "x.csv", "--quantiles", "0.1", "0.5", "0.9"]) == "0.1,0.5,0.9"
    assert _levels_apart("more.csv", ["fit", "x.csv", "--quantiles", "0.1", "more.csv"]) is None
    assert _levels_apart("0.9", ["fit", "x.csv", "0.9", "--quantiles", "0.1"]) is None


def test_what_cannot_be_combined_is_refused():
    data = rows(60, 0)
    with pytest.raises(ConfigError, match="needs a number"):
        build_options(quantiles=LEVELS, task="classification")
    with pytest.raises(ConfigError, match="target holds classes"):
        autodl.plan(data.assign(y=np.where(data.y > 10, "high", "low")), "y", quantiles=LEVELS)
    with pytest.raises(ConfigError, match="cannot judge quantiles"):
        autodl.plan(data, "y", quantiles=LEVELS, metric="rmse")
    with pytest.raises(ConfigError, match="cannot predict quantiles"):
        autodl.plan(data, "y", quantiles=LEVELS, families=("svm",))
    assert autodl.plan(data, "y", quantiles=LEVELS, metric="pinball").plan.metric == "pinball@0.1,0.5,0.9"


@pytest.mark.slow
def test_the_command_line_from_fit_to_predict(tmp_path):
    rows(200, 5).to_csv(tmp_path / "data.csv", index=False)

    def call(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "autodl", *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return done

    fit = ["fit", "data.csv", "--target", "y", "--families", "linear", "--max-trials", 2, "--out", "run"]
    said = call(*fit, "--quantiles", "10,90", code=2).stderr
    assert "--quantiles must hold numbers between 0 and 1" in said and "Traceback" not in said
    assert "80 % interval" in call(*fit, "--quantiles", "0.1,0.9").stdout
    call("predict", "run", "data.csv", "--out", "p.csv")
    out = pd.read_csv(tmp_path / "p.csv")
    assert list(out.columns) == ["prediction", "q0.1", "q0.9"] and len(out) == 200
    np.testing.assert_allclose(out["prediction"], (out["q0.1"] + out["q0.9"]) / 2, rtol=1e-5)


def test_a_model_has_the_same_validation_score_everywhere(run):
    folder = RunFolder(run.folder)
    board = {m.name: m.validation for m in folder.read("evaluation", Evaluation).models}
    points = {p.name: p.score for p in folder.read("front", Front).points}
    both = board.keys() & points.keys()
    assert len(both) >= 2
    assert {name: points[name] for name in both} == pytest.approx({name: board[name] for name in both})
