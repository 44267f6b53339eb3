"""One fit from the file to the report, and what is done with its folder afterwards."""

from __future__ import annotations

import errno
import json
import threading

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.errors import DataError, DiskError, RunError
from autodl.events import PlanReady, RunFinished, StageStarted, TrialFinished
from autodl.pipeline import rebuild_report, run_fit
from autodl.predict import predict_file
from autodl.store import RunFolder
from shop_table import OPTIONS, make_table


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "shop.csv"
    make_table().to_csv(path, index=False)
    return path


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
    from autodl.records import Ensemble, Plan, Profile
    from autodl.splitting import split

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
    kept = next(e.kept for e in again if isinstance(e, PlanReady))
    assert [(k.name, k.result.loss) for k in kept] == [(k.name, k.result.loss) for k in seen]
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


def test_report_can_be_rebuilt(run):
    first = run[0].report_path.read_text()
    run[0].report_path.unlink()
    rebuilt = rebuild_report(run[0].folder).read_text()
    assert rebuild_report(run[0].folder).read_text() == rebuilt
    # Only the time spent on writing the report itself is new.
    assert abs(len(rebuilt) - len(first)) < 5_000
    assert "Predicting bought" in rebuilt


def test_a_report_that_may_not_be_written_has_a_remedy_that_helps(run, monkeypatch):
    def refuse(descriptor):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(DiskError, match="there is no permission") as told:
        rebuild_report(run[0].folder)
    assert "Copy the run folder" in str(told.value) and "--out" not in str(told.value)
