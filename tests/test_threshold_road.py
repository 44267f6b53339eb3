"""A cut other than 0.5 from the ensemble to the answers, the scores and the report."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

import autodl
from autodl.decision import decide
from autodl.ensemble import combine
from autodl.model import ModelManifest
from autodl.records import Ensemble, Evaluation, Plan
from autodl.store import RunFolder, load_record


def make_table(n=1200, seed=0):
    """About one in four is positive, too many for class weights; the probability follows from one column."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=n)
    yes = rng.random(n) < 1 / (1 + np.exp(-(1.2 * signal - 1.4)))
    return pd.DataFrame({"signal": signal, "noise": rng.normal(size=n), "bought": np.where(yes, "yes", "no")})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return autodl.fit(
        make_table(), "bought", metric="f1", time_budget=None, max_trials=3, families=("dummy", "linear", "lightgbm"),
        workers=1, out=tmp_path_factory.mktemp("runs") / "f1",
    )  # fmt: skip


def test_the_cut_goes_from_the_ensemble_to_the_answers(run):
    folder = RunFolder(run.folder)
    ensemble = folder.read("ensemble", Ensemble)
    manifest = load_record(run.folder / "model" / "manifest.json", ModelManifest)
    assert ensemble.threshold == manifest.threshold != 0.5
    out = run.predict(make_table(seed=1), proba=True)
    assert (out["prediction"] == np.where(out["proba_yes"] >= manifest.threshold, "yes", "no")).all()


def test_scores_are_those_of_the_answers(run):
    folder = RunFolder(run.folder)
    ensemble, evaluation = folder.read("ensemble", Ensemble), folder.read("evaluation", Evaluation)
    trials = {r.spec.id: r for r in folder.trials()}
    proba = combine(ensemble, {m.trial_id: folder.read_array(trials[m.trial_id].test) for m in ensemble.members})
    answers = decide(proba, ensemble.threshold)
    (tn, fp), (fn, tp) = evaluation.confusion
    assert (fp + tp, tn + fn) == (answers.sum(), len(answers) - answers.sum())
    assert run.record.test["f1"].value == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert run.record.test["accuracy"].value == pytest.approx((tp + tn) / len(answers))
    fresh = make_table(4000, seed=2)
    guess = run.predict(fresh, proba=True)
    score = f1_score(fresh["bought"], guess["prediction"], pos_label="yes")
    assert score > f1_score(fresh["bought"], np.where(guess["proba_yes"] > 0.5, "yes", "no"), pos_label="yes")


def test_trials_are_compared_at_cuts_of_their_own(run):
    """And the validation scores of the leaderboard are those of the answers whose test scores stand beside them."""
    folder = RunFolder(run.folder)
    evaluation, trials = folder.read("evaluation", Evaluation), folder.trials()
    tuned = [r for r in trials if r.spec.family != "dummy"]
    assert tuned and all(r.plain_loss is not None and r.loss < r.plain_loss - 0.02 for r in tuned)
    assert all(r.plain_loss is None and r.loss == 1.0 for r in trials if r.spec.family == "dummy")
    for m in evaluation.models:  # the guess as well: it says yes to all, which F1 likes better than no
        assert m.validation > 0.1 and abs(m.validation - m.test.value) < 0.12


def test_plan_and_report_speak_of_it(run):
    plan = RunFolder(run.folder).read("plan", Plan)
    imbalance = next(d for d in plan.decisions if d.topic == "Imbalance")
    assert "From which probability on" in imbalance.why
    text = re.sub(r"<[^>]+>", "", run.report_path.read_text("utf-8"))
    cut = RunFolder(run.folder).read("ensemble", Ensemble).threshold
    assert f"It answers yes from a probability of {cut:.3g} on, not 0.5" in text


def test_the_scikit_learn_classifier_answers_by_the_cut():
    table = make_table()
    model = autodl.AutoClassifier(time_budget=None, max_trials=2, metric="balanced_accuracy", families=("linear",))
    X, y = table[["signal", "noise"]], table["bought"]
    model.fit(X, y)
    cut = model.model_.manifest.threshold
    proba = model.predict_proba(X)[:, 1]
    assert (model.predict(X) == np.where(proba >= cut if cut != 0.5 else proba > 0.5, "yes", "no")).all()
