"""A weight column from the option to the trials, the scores, the delivered model and the report."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error

import autodl
from autodl.ensemble import combine
from autodl.errors import ConfigError, RunError
from autodl.estimators import AutoClassifier, AutoRegressor
from autodl.model import ModelManifest
from autodl.records import Ensemble, Evaluation, Plan
from autodl.store import RunFolder, load_record

COMMON = {"time_budget": None, "workers": 1, "families": ("dummy", "linear"), "max_trials": 2}


def make_table(n=240, seed=0):
    """Light rows follow one rule, heavy rows the opposite one."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    heavy = rng.random(n) < 0.4
    y = np.where(heavy, 2 * x, -2 * x) + 0.3 * rng.normal(size=n)
    return pd.DataFrame({"x": x, "z": z, "w": np.where(heavy, 9.0, 1.0), "y": y})


def learn(frame, out, **more):
    return autodl.fit(frame, "y", weight_column="w", out=out, **{**COMMON, "report": False, **more})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="module")
def run(folder):
    make_table(150, seed=1).to_csv(folder / "held.csv", index=False)
    return learn(make_table(), folder / "run", report=True, metric="mae", test=folder / "held.csv")


def test_heavy_rows_decide(run):
    """The slope is positive only because they weigh more; new rows need no weight."""
    low, high = run.predict(pd.DataFrame({"x": [-1.0, 1.0], "z": [0.0, 0.0]}))["prediction"]
    assert high > low + 1
    manifest = load_record(run.folder / "model" / "manifest.json", ModelManifest)
    assert {m.trained_on for m in manifest.members} == {"all rows"}
    assert "w" not in manifest.features.names


def test_scores_are_weighted(run):
    records = RunFolder(run.folder)
    trials = {t.spec.id: t for t in records.trials()}
    ensemble, evaluation = records.read("ensemble", Ensemble), records.read("evaluation", Evaluation)
    train, held = make_table(), make_table(150, seed=1)
    predicted = combine(ensemble, {m.trial_id: records.read_array(trials[m.trial_id].test) for m in ensemble.members})
    leader = next(m for m in evaluation.models if m.name == evaluation.leader)
    expected = mean_absolute_error(held["y"], predicted, sample_weight=held["w"])
    assert leader.test.value == pytest.approx(expected, rel=1e-5)
    assert mean_absolute_error(held["y"], predicted) > 1.2 * expected
    for trial in trials.values():
        oof = records.read_array(trial.oof)
        assert trial.loss == pytest.approx(mean_absolute_error(train["y"], oof, sample_weight=train["w"]), rel=1e-4)
    assert any("count by their weights" in note for note in evaluation.notes)


def test_the_plan_and_the_report_say_so(run):
    plan = RunFolder(run.folder).read("plan", Plan)
    assert plan.weight_column == "w" and "w" not in plan.features
    assert any(d.topic == "Row weights" and "'w'" in d.choice for d in plan.decisions)
    page = re.sub(r"<[^>]+>", " ", run.report_path.read_text())
    assert "Row weights" in page and "count by their weights" in page


def test_a_run_is_not_resumed_with_other_weights(run):
    with pytest.raises(RunError, match="weight_column"):
        autodl.fit(
            make_table(),
            "y",
            **COMMON,
            metric="mae",
            test=run.folder.parent / "held.csv",
            out=run.folder,
            resume=True,
        )


def test_only_ratios_of_weights_count_and_rows_of_weight_zero_do_not(folder):
    """The same run comes of weights in another unit, and of rows that are not there at all."""
    frame = make_table(150)
    plain = learn(frame, folder / "plain")
    scaled = learn(frame.assign(w=1000 * frame["w"]), folder / "scaled")
    ghosts = make_table(30, seed=5).assign(w=0.0, z=1e6)
    padded = learn(pd.concat([frame, ghosts], ignore_index=True), folder / "padded")
    first = plain.record.leaderboard
    for other in (scaled, padded):
        for one, two in zip(first, other.record.leaderboard, strict=True):
            assert two.validation == pytest.approx(one.validation, rel=1e-6)
            assert two.test == pytest.approx(one.test, rel=1e-6)


def test_estimators_take_sample_weight():
    frame = make_table()
    X = frame[["x", "z"]]
    asked = {"max_trials": 2, "families": ("dummy", "linear")}
    number = AutoRegressor(**asked).fit(X, frame["y"], sample_weight=frame["w"])
    plain = AutoRegressor(**asked).fit(X, frame["y"])
    ends = pd.DataFrame({"x": [-1.0, 1.0], "z": [0.0, 0.0]})
    assert np.diff(number.predict(ends))[0] > 1 > np.diff(plain.predict(ends))[0]
    labels = np.where(frame["y"] > 0, "up", "down").astype(object)
    labels[:4] = "left out"
    trimmed = AutoClassifier(**asked).fit(X, labels, sample_weight=np.r_[np.zeros(4), np.ones(len(X) - 4)])
    assert trimmed.classes_.tolist() == ["down", "up"] and trimmed.predict_proba(ends).shape == (2, 2)
    kind = AutoClassifier(**asked).fit(X, frame["y"] > 0, sample_weight=frame["w"].to_numpy())
    assert kind.predict(ends).tolist() == [False, True]
    with pytest.raises(ValueError, match="sample_weight"):
        AutoRegressor(**asked).fit(X, frame["y"], sample_weight=[1.0, 2.0])
    with pytest.raises(ValueError, match="negative number in row 1"):
        AutoRegressor(**asked).fit(X, frame["y"], sample_weight=np.full(len(X), -1.0))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"drop": "w"}, "names the weight column"),
        ({"group_column": "w"}, "name the same column"),
        ({"time_column": "w"}, "name the same column"),
    ],
)
def test_a_column_has_one_role(more, words):
    with pytest.raises(ConfigError, match=words):
        autodl.plan(make_table(), "y", weight_column="w", **more)
    with pytest.raises(ConfigError, match="names the target"):
        autodl.plan(make_table(), "y", weight_column="y")
