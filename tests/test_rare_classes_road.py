"""Classes with fewer rows than folds, with a single row, and more classes than most models see."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.decision import decide
from autodl.ensemble import combine
from autodl.model import ModelManifest, with_absent
from autodl.records import Ensemble, Evaluation, TrialStatus
from autodl.store import RunFolder, load_record

FAMILIES = ("dummy", "linear", "neighbors", "lightgbm")


def make_table(counts, seed=0, noise=0.35):
    """Classes around points on a circle, with the given numbers of rows."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    angle = 2 * np.pi * y / len(counts)
    frame = pd.DataFrame({"a": np.cos(angle), "b": np.sin(angle)}) + noise * rng.normal(size=(len(y), 2))
    frame["y"] = [f"kind {k:03d}" for k in y]
    return frame.sample(frac=1, random_state=seed, ignore_index=True)


def learn(frame, out, **more):
    asked = {"families": FAMILIES, "max_trials": len(FAMILIES), **more}
    return autodl.fit(frame, "y", task="classification", time_budget=None, workers=1, report=False, out=out, **asked)


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    return learn(make_table([150, 80, 6, 3, 2, 1]), tmp_path_factory.mktemp("rare") / "run", metric="log_loss")


def test_no_class_breaks_a_trial_and_none_is_impossible(rare):
    folder = RunFolder(rare.folder)
    trials = folder.trials()
    assert {t.spec.family for t in trials} == set(FAMILIES)
    for trial in trials:
        assert trial.status is TrialStatus.OK, trial.error
        oof = folder.read_array(trial.oof)
        assert oof.shape[1] == 6
        np.testing.assert_allclose(oof.sum(axis=1), 1.0, atol=1e-5)
        # Nothing unseen is called impossible: no row costs more than a few times a guess.
        guess = next(t.loss for t in trials if t.spec.family == "dummy")
        assert trial.loss < 2 * guess


def test_the_delivered_model_knows_all_classes(rare):
    out = rare.predict(make_table([20, 20, 2, 2, 2, 2], seed=3).drop(columns="y"), proba=True)
    proba = out[[c for c in out.columns if c.startswith("proba_")]].to_numpy()
    assert proba.shape[1] == 6 and (proba > 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-6)


def test_a_hundred_and_twenty_classes(tmp_path):
    frame = make_table([4] * 120)
    run = learn(frame, tmp_path / "run", families=("dummy", "neighbors"), max_trials=2)
    assert len(run.record.classes) == 120
    rows = {r.family: r.validation for r in run.record.leaderboard}
    assert rows["neighbors"] < rows["dummy"]


def test_classes_that_only_the_test_file_has_are_left_out_and_told(tmp_path):
    held = make_table([10, 10, 10], seed=2)
    held.loc[:4, "y"] = "kind never seen"
    held.to_csv(tmp_path / "held.csv", index=False)
    run = learn(
        make_table([60, 60, 5]),
        tmp_path / "run",
        test=tmp_path / "held.csv",
        families=("dummy", "linear"),
        max_trials=2,
    )
    assert run.record.test[run.record.metric].n == 25


def test_factors_for_rare_classes_go_from_the_ensemble_to_the_answers(tmp_path):
    # Just even enough that the plan does not weigh the classes, and overlapping.
    frame = make_table([500, 200, 140], noise=1.2)
    run = learn(frame, tmp_path / "run", families=("dummy", "linear"), max_trials=2, metric="balanced_accuracy")
    folder = RunFolder(run.folder)
    ensemble = folder.read("ensemble", Ensemble)
    manifest = load_record(run.folder / "model" / "manifest.json", ModelManifest)
    assert manifest.factors == ensemble.factors != ()
    out = run.predict(make_table([60, 60, 60], seed=4).drop(columns="y"), proba=True)
    proba = out[[c for c in out.columns if c.startswith("proba_")]].to_numpy()
    codes = decide(proba, factors=ensemble.factors)
    assert out["prediction"].tolist() == [run.record.classes[k] for k in codes]
    trials = {t.spec.id: t for t in folder.trials()}
    test = combine(ensemble, {m.trial_id: folder.read_array(trials[m.trial_id].test) for m in ensemble.members})
    confusion = np.array(folder.read("evaluation", Evaluation).confusion)
    assert confusion.sum(axis=0).tolist() == np.bincount(decide(test, factors=ensemble.factors), minlength=3).tolist()


def test_absent_classes_get_a_share_and_the_others_keep_their_proportions():
    proba = np.array([[0.6, 0.0, 0.4], [0.0, 1.0, 0.0]])
    found = with_absent(proba, (1,), 0.01)
    np.testing.assert_allclose(found[0], [0.594, 0.01, 0.396])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert with_absent(proba, (), 0.0) is proba
