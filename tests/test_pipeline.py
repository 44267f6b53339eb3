"""The whole road on small data, with trial-count budgets so that nothing depends on the clock."""

from __future__ import annotations

import errno
import json
import threading
import time

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl import pipeline
from autodl.errors import AutodlError, ConfigError, DataError, DiskError, RunError
from autodl.events import Note, PlanReady, RunFinished, StageStarted, TrialFinished
from autodl.models.base import families
from autodl.options import FitOptions
from autodl.pipeline import rebuild_report, run_fit, run_plan
from autodl.predict import predict_file
from autodl.records import TrialStatus
from autodl.run_context import RunContext
from autodl.search.budget import Budget
from autodl.search.loop import Refused
from autodl.stages import searching
from autodl.store import RunFolder


def make_table(n=240, seed=0, task="classification"):
    """Mixed types with missing values; a known rule plus noise."""
    rng = np.random.default_rng(seed)
    size, colour = rng.normal(size=n), rng.choice(["red", "green", "blue"], n)
    signal = 2 * size + np.where(colour == "red", 2.0, -1.0)
    frame = pd.DataFrame(
        {
            "size": np.where(rng.random(n) < 0.1, np.nan, size.round(4)),
            "colour": colour,
            "noise": rng.normal(size=n).round(4),
            "when": pd.date_range("2024-01-01", periods=n).strftime("%Y-%m-%d"),
        }
    )
    noise = rng.normal(size=n)
    if task == "regression":
        return frame.assign(price=(10 + signal + 0.3 * noise).round(3))
    return frame.assign(bought=np.where(signal + 0.7 * noise > 0, "yes", "no"))


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "shop.csv"
    make_table().to_csv(path, index=False)
    return path


OPTIONS = FitOptions(
    target="bought", time_budget_s=None, max_trials=4, families=("dummy", "linear", "lightgbm"), workers=1
)


@pytest.fixture(scope="module")
def run(csv, tmp_path_factory):
    events = []
    folder = tmp_path_factory.mktemp("runs") / "first"
    run_fit(str(csv), OPTIONS, folder, listener=events.append, command="autodl fit shop.csv")
    return autodl.Run(folder), events


def test_events_tell_the_story(run):
    _, events = run
    stages = [e.stage for e in events if isinstance(e, StageStarted)]
    assert stages == [
        "read", "profile", "plan", "search", "ensemble", "evaluate", "refit", "measure", "explain", "report",
    ]  # fmt: skip
    assert sum(isinstance(e, TrialFinished) for e in events) == 4
    assert isinstance(events[-1], RunFinished)
    assert any(isinstance(e, PlanReady) for e in events)
    elapsed = [e.elapsed_s for e in events]
    assert elapsed == sorted(elapsed)


def test_run_json_has_the_promised_facts(run):
    folder = run[0].folder
    facts = json.loads((folder / "run.json").read_text())
    assert facts["status"] == "done"
    assert facts["task"] == "classification"
    assert facts["target"] == "bought"
    assert facts["classes"] == ["no", "yes"]
    assert facts["metric"] == "roc_auc"
    assert set(facts["budget"]) == {"given_s", "used_s", "first_model_s"}
    assert 0 < facts["budget"]["first_model_s"] <= facts["budget"]["used_s"]
    for score in facts["test"].values():
        assert score["low"] <= score["value"] <= score["high"]
        assert score["n"] == 48
    assert {"name", "family", "validation", "test", "fit_s", "predict_ms_per_row"} <= set(facts["leaderboard"][0])
    assert {"code", "severity", "column", "message"} <= set(facts["findings"][0])
    assert facts["versions"]["autodl"] == autodl.__version__
    assert facts["command"] == "autodl fit shop.csv"


def test_reported_test_scores_are_those_of_the_stored_predictions(run):
    """Recompute the leader's scores from the arrays on disk with scikit-learn."""
    from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

    from autodl import stages
    from autodl.dataset import split
    from autodl.records import Ensemble, Plan, Profile

    folder = RunFolder(run[0].folder)
    profile, plan = folder.read("profile", Profile), folder.read("plan", Plan)
    data = stages.read(profile.read.path, OPTIONS)
    rows = split(data, plan.validation, plan.seed)
    y = data.y[rows.test]
    trials = {r.spec.id: r for r in folder.trials()}
    members = folder.read("ensemble", Ensemble).members
    proba = sum(m.weight * folder.read_array(trials[m.trial_id].test).astype(float) for m in members)
    facts = run[0].record.test
    assert facts["roc_auc"].value == pytest.approx(roc_auc_score(y, proba[:, 1]), abs=1e-6)
    assert facts["accuracy"].value == pytest.approx(accuracy_score(y, proba.argmax(1)), abs=1e-6)
    assert facts["log_loss"].value == pytest.approx(log_loss(y, proba), abs=1e-5)
    assert facts["roc_auc"].value > 0.85  # the rule is easy to learn
    assert not set(data.rows[rows.test]) & set(data.rows[rows.search])


def test_predictions_keep_order_and_probabilities_agree(run, csv):
    out = predict_file(run[0].folder, str(csv), proba=True, keep=("when",))
    source = pd.read_csv(csv)
    assert list(out.columns) == ["when", "prediction", "proba_no", "proba_yes"]
    assert (out["when"] == source["when"]).all()
    np.testing.assert_allclose(out["proba_no"] + out["proba_yes"], 1, atol=1e-6)
    assert (out["prediction"] == np.where(out["proba_yes"] > out["proba_no"], "yes", "no")).all()
    assert (out["prediction"] == source["bought"]).mean() > 0.75
    shuffled = source.sample(frac=1, random_state=1)[["noise", "colour", "when", "size"]]
    again = run[0].predict(shuffled.reset_index(drop=True), proba=True)
    np.testing.assert_allclose(again["proba_yes"], out["proba_yes"].to_numpy()[shuffled.index], atol=1e-6)


def test_moved_folder_still_predicts(run, csv, tmp_path):
    import shutil

    moved = tmp_path / "elsewhere"
    shutil.copytree(run[0].folder, moved)
    shutil.rmtree(moved / "trials")  # only model/ is needed
    a = predict_file(moved, str(csv), proba=True)
    pd.testing.assert_frame_equal(a, predict_file(run[0].folder, str(csv), proba=True))


def test_predict_errors(run, csv, tmp_path):
    with pytest.raises(DataError, match="nothere"):
        predict_file(run[0].folder, str(csv), keep=("nothere",))
    pd.read_csv(csv).drop(columns="colour").to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(DataError, match="colour"):
        predict_file(run[0].folder, str(tmp_path / "short.csv"))
    with pytest.raises(RunError, match="no run folder"):
        predict_file(tmp_path / "nowhere", str(csv))
    damaged = tmp_path / "damaged"
    import shutil

    shutil.copytree(run[0].folder, damaged)
    next((damaged / "model").glob("member*")).write_bytes(b"garbage")
    with pytest.raises(RunError, match="damaged"):
        predict_file(damaged, str(csv))


def test_same_seed_same_scores(run, csv, tmp_path):
    record = run_fit(str(csv), OPTIONS, tmp_path / "again")
    first = run[0].record

    def facts(r):
        return [(m.name, m.validation, m.test) for m in r.leaderboard], {k: v.value for k, v in r.test.items()}

    assert facts(record) == facts(first)


def test_resume_runs_no_trial_again(run, csv, tmp_path):
    folder = tmp_path / "run"
    stop = threading.Event()
    seen = []

    def stop_after_two(event):
        seen.extend([event] if isinstance(event, TrialFinished) else [])
        if len(seen) == 2:
            stop.set()

    half = run_fit(str(csv), OPTIONS, folder, listener=stop_after_two, stop=stop)
    assert half.status == "interrupted"
    assert (folder / "report.html").is_file()
    assert len(predict_file(folder, str(csv))) == 240
    again = []
    with pytest.raises(RunError, match="--resume"):
        run_fit(str(csv), OPTIONS, folder)
    whole = run_fit(str(csv), OPTIONS, folder, resume=True, listener=lambda e: again.append(e))
    assert sum(isinstance(e, TrialFinished) for e in again) == 2
    assert whole.status == "done"
    scores = {m.name: m.validation for m in run[0].record.leaderboard}
    assert {m.name: m.validation for m in whole.leaderboard} == scores


def test_resume_refuses_other_options(run, csv):
    for change in ({"target": "colour"}, {"metric": "accuracy"}, {"families": ("linear",)}, {"seed": 1}):
        with pytest.raises(RunError, match=next(iter(change))):
            run_fit(str(csv), OPTIONS.model_copy(update=change), run[0].folder, resume=True)


def test_resume_of_a_finished_run_changes_nothing(run, csv):
    folder = run[0].folder
    before = {p.name: p.read_bytes() for p in [*(folder / "model").iterdir(), *(folder / "records").iterdir()]}
    record = run_fit(str(csv), OPTIONS, folder, resume=True)
    after = {p.name: p.read_bytes() for p in [*(folder / "model").iterdir(), *(folder / "records").iterdir()]}
    assert after == before
    assert record.test == run[0].record.test
    assert record.budget.first_model_s == run[0].record.budget.first_model_s


@pytest.mark.parametrize("stage", ["evaluate", "deliver_refit", "explain"])
def test_a_failing_late_stage_loses_nothing(csv, tmp_path, monkeypatch, stage):
    from autodl import stages
    from autodl.events import Note

    def fail(*args, **kwargs):
        raise ZeroDivisionError("the moon is in the wrong house")

    monkeypatch.setattr(stages, stage, fail)
    events = []
    options = OPTIONS.model_copy(update={"families": ("linear",), "max_trials": 2})
    record = run_fit(str(csv), options, tmp_path / "run", listener=events.append)
    assert record.status == "done"
    assert any(isinstance(e, Note) and "the moon is in the wrong house" in e.text for e in events)
    assert (tmp_path / "run" / "report.html").is_file()
    assert len(predict_file(tmp_path / "run", str(csv))) == 240


def test_a_broken_refit_keeps_the_fold_models(csv, tmp_path, monkeypatch):
    from autodl import refitting
    from autodl.model import DeliveredModel

    def fail(*args, **kwargs):
        raise FloatingPointError("diverged")

    monkeypatch.setattr(refitting, "fit_model", fail)
    options = OPTIONS.model_copy(update={"families": ("linear",), "max_trials": 2})
    run_fit(str(csv), options, tmp_path / "run")
    members = DeliveredModel(RunFolder(tmp_path / "run")).manifest.members
    assert {m.trained_on for m in members} == {"folds"}


def test_groups_and_times_are_respected(tmp_path):
    from autodl import stages
    from autodl.dataset import split
    from autodl.records import Plan

    rng = np.random.default_rng(0)
    table = make_table(300).assign(customer=rng.integers(0, 40, 300).astype(str))
    table.to_csv(tmp_path / "t.csv", index=False)
    for change in ({"group_column": "customer"}, {"time_column": "when"}):
        options = OPTIONS.model_copy(update={**change, "families": ("linear",), "max_trials": 2})
        folder = tmp_path / next(iter(change))
        run_fit(str(tmp_path / "t.csv"), options, folder)
        plan = RunFolder(folder).read("plan", Plan)
        data = stages.read(str(tmp_path / "t.csv"), options)
        rows = split(data, plan.validation, plan.seed)
        column = data.frame[next(iter(change.values()))]
        search, test = column.iloc[rows.search], column.iloc[rows.test]
        if "group_column" in change:
            assert not set(search) & set(test)
            for train, valid in rows.folds:
                assert not set(search.iloc[train]) & set(search.iloc[valid])
        else:
            assert search.max() < test.min()
            assert all(search.iloc[train].max() < search.iloc[valid].min() for train, valid in rows.folds)


def test_resume_refuses_other_data(csv, tmp_path):
    options = OPTIONS.model_copy(update={"max_trials": 1, "families": ("linear",)})
    run_fit(str(csv), options, tmp_path / "run")
    other = tmp_path / "other.csv"
    make_table(seed=9).to_csv(other, index=False)
    with pytest.raises(RunError, match="not those that the run"):
        run_fit(str(other), options, tmp_path / "run", resume=True)


def test_regression_with_test_file(tmp_path):
    table = make_table(300, task="regression")
    table.iloc[:240].to_csv(tmp_path / "train.csv", index=False)
    table.iloc[240:].to_csv(tmp_path / "test.csv", index=False)
    options = FitOptions(
        target="price",
        test=str(tmp_path / "test.csv"),
        time_budget_s=None,
        max_trials=3,
        families=("dummy", "linear", "lightgbm"),
        workers=1,
    )
    record = run_fit(str(tmp_path / "train.csv"), options, tmp_path / "run")
    assert record.test["rmse"].n == 60
    assert record.test["r2"].value > 0.8
    out = predict_file(tmp_path / "run", str(tmp_path / "test.csv"))
    rmse = np.sqrt(np.mean((out["prediction"] - table["price"].iloc[240:].to_numpy()) ** 2))
    # A test file is never trained on: the delivered model does about as well as was promised.
    assert rmse == pytest.approx(record.test["rmse"].value, rel=0.35)


def test_a_family_that_raises_costs_its_own_trial_alone(csv, tmp_path, monkeypatch):
    class Broken(families["lightgbm"]):
        key = "broken"
        name = "Broken"

        def build(self, config, meta):
            raise RuntimeError("out of order")

    monkeypatch.setitem(families._entries, "broken", Broken)
    options = OPTIONS.model_copy(update={"families": ("linear", "broken"), "max_trials": 3})
    record = run_fit(str(csv), options, tmp_path / "run")
    assert record.n_failed >= 1
    failed = [r for r in RunFolder(tmp_path / "run").trials() if r.status is TrialStatus.FAILED]
    assert failed[0].error == "RuntimeError: out of order"
    report = (tmp_path / "run" / "report.html").read_text()
    assert "RuntimeError: out of order" in report


def test_plan_trains_nothing(csv, tmp_path):
    profile, plan = run_plan(str(csv), FitOptions(target="bought"))
    assert plan.metric == "roc_auc"
    assert {d.topic for d in plan.decisions}
    assert profile.n_rows == 240


def test_report_can_be_rebuilt(run):
    first = run[0].report_path.read_text()
    run[0].report_path.unlink()
    rebuilt = rebuild_report(run[0].folder).read_text()
    assert rebuild_report(run[0].folder).read_text() == rebuilt
    # Only the time spent on writing the report itself is new.
    assert abs(len(rebuilt) - len(first)) < 5_000
    assert "Predicting bought" in rebuilt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "buoght"}, "Did you mean 'bought'"),
        ({"metric": "acuracy"}, "accuracy"),
        ({"families": ("lightgmb",)}, "Did you mean 'lightgbm'"),
        ({"drop": ("colr",)}, "colour"),
        ({"group_column": "nobody"}, "nobody"),
        ({"metric": "rmse"}, "rmse"),
    ],
)
def test_bad_options_leave_nothing_behind(csv, tmp_path, change, message):
    with pytest.raises(AutodlError, match=message):
        run_fit(str(csv), OPTIONS.model_copy(update=change), tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()
    assert not (tmp_path / "run").exists()


def test_bad_python_options(csv):
    with pytest.raises(ConfigError, match="unknown task"):
        autodl.fit(csv, task="clasification")
    with pytest.raises(ConfigError, match="unknown preset"):
        autodl.fit(csv, preset="turbo")


def test_python_interface(tmp_path):
    run = autodl.fit(
        make_table(160), "bought", max_trials=2, time_budget=None, families=["dummy", "linear"], out=tmp_path / "r"
    )
    assert run.report_path.is_file()
    assert list(run.leaderboard()["family"])[-1] == "dummy"
    assert len(run.predict(make_table(20, seed=3))) == 20
    assert "roc_auc" in repr(run)


class TestEstimators:
    def test_classifier(self):
        from sklearn.model_selection import cross_val_score

        table = make_table(200)
        model = autodl.AutoClassifier(time_budget=None, max_trials=2, families=("dummy", "linear"))
        X, y = table.drop(columns="bought"), table["bought"]
        scores = cross_val_score(model, X, y, cv=2, error_score="raise")
        assert scores.mean() > 0.75
        model.fit(X, (y == "yes").to_numpy())
        assert model.classes_.tolist() == [False, True]
        assert model.predict(X).dtype == bool
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, atol=1e-6)

    def test_regressor(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(150, 3))
        y = X @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=150)
        model = autodl.AutoRegressor(time_budget=None, max_trials=2, families=("dummy", "linear")).fit(X, y)
        assert model.score(X, y) > 0.95
        with pytest.raises(ValueError, match="is expecting 3 features"):
            model.predict(X[:, :2])


def test_what_has_no_room_in_memory_is_not_trained_again(csv, tmp_path, monkeypatch):
    monkeypatch.setattr("autodl.stages.concluding.available_memory", lambda: 0)
    notes = []
    options = OPTIONS.model_copy(update={"max_trials": 2, "families": ("linear",)})
    record = run_fit(str(csv), options, tmp_path / "run", listener=notes.append)
    assert record.status == "done"
    assert "trained again" not in record.delivered
    (told,) = [n.text for n in notes if isinstance(n, Note) and "was not trained again" in n.text]
    assert "it needs about" in told
    assert len(predict_file(tmp_path / "run", str(csv))) == 240


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("lib.so: failed to map segment from shared object"), "memory"),
        (ZeroDivisionError("the moon is in the wrong house"), "the moon"),
    ],
)
def test_a_failing_report_costs_the_report_only(csv, tmp_path, monkeypatch, error, words):
    def fail(folder):
        raise error

    monkeypatch.setattr("autodl.pipeline.write_report", fail)
    notes = []
    options = OPTIONS.model_copy(update={"max_trials": 2, "families": ("linear",)})
    record = run_fit(str(csv), options, tmp_path / "run", listener=notes.append)
    assert record.status == "done"
    (told,) = [n.text for n in notes if isinstance(n, Note) and "The report failed" in n.text]
    assert words in told
    assert len(predict_file(tmp_path / "run", str(csv))) == 240


def test_a_full_disk_is_told_once_and_in_words(tmp_path):
    notes = []
    ctx = RunContext(RunFolder(tmp_path), OPTIONS, Budget(60.0, time.time()), notes.append, threading.Event(), "")
    for part in ("The test", "The explanation", "The report"):
        with ctx.guard(part):
            raise DiskError("cannot write x: the disk is full", "Free some space.")
    assert [n.text for n in notes] == [
        "The test failed and is left out (cannot write x: the disk is full. Free some space)."
    ]
    assert isinstance(ctx.trouble, DiskError)


def test_a_resumed_run_says_what_its_budget_went_for():
    now = time.time()
    going = pipeline._going_on(3, 18.0, Budget(25.0, now - 23.0))
    assert "3 trials are kept" in going and "18 s were used before and 5.0 s now" in going
    assert "2.0 s are left" in going
    spent = pipeline._going_on(1, 36.0, Budget(10.0, now - 37.0))
    assert "1 trial is kept. The budget of 10 s is spent: the run had used 36 s before" in spent
    assert "--time-budget" in spent
    assert pipeline._going_on(2, 5.0, Budget(float("inf"), now)) == "Going on: 2 trials are kept."


def test_what_there_was_no_time_for_is_told_in_one_sentence():
    slow = {"lightgbm": Refused(2.13, 2.12, 7.0), "neighbors": Refused(0.01, -1.0, 6.0)}
    told = searching._too_slow(slow)
    said = "Not tried for lack of time: LightGBM (2.2 s, 2.1 s left), Nearest neighbours (100 ms, none left)."
    assert told.startswith(said)
    assert "a margin of a quarter" in told and "7.0 s were kept" in told and "limited" not in told
    assert "measuring what is limited" in searching._too_slow(slow, checks=True)


def test_a_report_that_may_not_be_written_has_a_remedy_that_helps(run, monkeypatch):
    def refuse(descriptor):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(DiskError, match="there is no permission") as told:
        rebuild_report(run[0].folder)
    assert "Copy the run folder" in str(told.value) and "--out" not in str(told.value)
