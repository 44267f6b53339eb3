from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from autodl.clock import Deadline
from autodl.decision import decided
from autodl.ensemble import KnownRows
from autodl.ensemble.answers import held_out_answers
from autodl.ensemble.nested import random_parts
from autodl.ensemble.quick_answers import quick_answers, quick_cut
from autodl.evaluate.base import metrics
from autodl.records import ArtifactRef, Calibration, Cost, Ensemble, Member, TrialResult, TrialSpec, TrialStatus
from autodl.scoring import _own_answers, candidates
from rare_problems import rare_classes


def trial(name, family, refit):
    return TrialResult(
        spec=TrialSpec(id=name, family=family), status=TrialStatus.OK, loss=1.0, score=1.0, refit=refit,
        cost=Cost(fit_s=1.0), test=ArtifactRef(path=f"{name}.npy", sha256="0" * 64),
    )  # fmt: skip


@pytest.mark.parametrize(("members", "expected"), [(("a", "b"), True), (("b", "c"), False)])
def test_candidates_know_whether_their_training_was_stopped_by_validation_rows(members, expected):
    results = [trial("a", "lightgbm", {"n_estimators": 7}), trial("b", "linear", {}), trial("c", "dummy", {})]
    ensemble = Ensemble(
        members=tuple(Member(trial_id=i, family="linear", weight=0.5) for i in members),
        method="greedy", loss=1.0, single_loss=1.0,
    )  # fmt: skip
    folder = SimpleNamespace(read_array=lambda ref: np.zeros(4))
    plan = SimpleNamespace(metric="rmse", classes=(), seed=0, quantiles=())
    found, leader = candidates(
        results, ensemble, plan, KnownRows(np.zeros(4), metrics["rmse"]), folder, {i: i for i in "abc"}
    )
    stopped = {c.name: c.early_stopped for c in found}
    assert stopped == {"a": True, "b": False, "c": False, leader: expected}


def test_candidates_cost_what_one_model_of_them_does():
    """The folds and further splits of validation train several."""
    folds = {"cost": Cost(fit_s=10.0, size_bytes=5000), "fold_losses": (1.0,) * 10}
    results = [trial(i, "linear", {}).model_copy(update=folds) for i in "ab"]
    ensemble = Ensemble(
        members=tuple(Member(trial_id=i, family="linear", weight=0.5) for i in "ab"),
        method="greedy", loss=1.0, single_loss=1.0,
    )  # fmt: skip
    folder = SimpleNamespace(read_array=lambda ref: np.zeros(4))
    plan = SimpleNamespace(metric="rmse", classes=(), seed=0, quantiles=())
    rows = KnownRows(np.zeros(4), metrics["rmse"])
    found, leader = candidates(results, ensemble, plan, rows, folder, {i: i for i in "ab"})
    assert {c.name: (c.fit_s, c.size_bytes) for c in found} == {leader: (2.0, 1000), "a": (1.0, 500), "b": (1.0, 500)}


class _Ticking(Deadline):
    """Passes after it was asked so many times."""

    def __init__(self, asked):
        super().__init__(0.0)
        object.__setattr__(self, "asked", [asked])

    def passed(self):
        self.asked[0] -= 1
        return self.asked[0] < 0


@pytest.mark.parametrize("key", ["balanced_accuracy", "accuracy"])
@pytest.mark.parametrize("asked", [0, 3, 12, 25])
def test_after_the_deadline_models_have_quick_cuts_in_validation_and_test_alike(key, asked, monkeypatch):
    """12 is in the midst of choosing the factors, 25 of judging them."""
    p, y = rare_classes(1500)
    rows = KnownRows(y, metrics[key], deadline=_Ticking(asked))
    threshold, factors, score = _own_answers(p, rows)
    if key == "accuracy":
        assert (threshold, factors, score) == (0.5, (), None), "its quick cut would follow noise"
        return
    part = random_parts(y, True, np.random.default_rng(0), 2)
    assert (threshold, factors) == quick_cut(p, rows) and factors
    assert score == rows.metric.score(y, quick_answers(p, rows, part), 3)
    monkeypatch.setattr("autodl.scoring.MAX_CLASSES", 2)
    assert _own_answers(p, rows) == (0.5, (), None), "there is no time for the quick ones of very many classes"


@pytest.mark.parametrize("calibration", [None, Calibration(kind="temperature", coefficients=(2.0,))])
def test_validation_scores_with_a_cut_are_those_of_rows_it_was_not_chosen_on(calibration):
    """The leader tells the loss of the ensemble; another model is judged by cuts that the other half asks for."""
    rng = np.random.default_rng(0)
    y = (rng.random(2000) < 0.1).astype(int)
    p = (0.1 + 0.15 * y + 0.08 * rng.normal(size=2000)).clip(0.01, 0.49)
    arrays = {"a.npy": np.column_stack([1 - p, p]), "b.npy": np.column_stack([1 - p**2, p**2])}
    results = [trial(i, f, {}).model_copy(update={"score": 0.0}) for i, f in (("a", "linear"), ("b", "lightgbm"))]
    results = [r.model_copy(update={"oof": r.test}) for r in results]
    ensemble = Ensemble(
        members=(Member(trial_id="a", family="linear", weight=1.0),),
        method="single", loss=0.4, single_loss=1.0, threshold=0.2, calibration=calibration,
    )  # fmt: skip
    plan = SimpleNamespace(metric="f1", classes=("no", "yes"), seed=3, quantiles=())
    folder = SimpleNamespace(read_array=lambda ref: arrays[ref.path])
    f1 = metrics["f1"]
    rows = KnownRows(y, f1, seed=3)
    found, leader = candidates(results, ensemble, plan, rows, folder, {"a": "A", "b": "B"})
    a, b = sorted(found, key=lambda c: c.name)
    assert leader == "A" and a.threshold == 0.2 and a.validation == pytest.approx(0.6)
    assert b.threshold not in (0.2, 0.5)
    part = random_parts(y, True, np.random.default_rng(3), 2)
    q = arrays["b.npy"]
    assert b.validation == pytest.approx(f1.score(y, held_out_answers(q, rows, part), 2))
    assert b.validation != f1.score(y, decided(q, b.threshold), 2)


@pytest.mark.parametrize(
    ("key", "shares", "answer"),
    [("f1", (0.7, 0.3), 1), ("accuracy", (0.7, 0.3), 0), ("recall", (0.7, 0.3), 0), ("f1", (0.3, 0.7), 1),
     ("level_mae", (0.4, 0.25, 0.35), 1), ("level_mae", (0.2, 0.6, 0.2), 1), ("f1_macro", (0.4, 0.25, 0.35), 0)],
)  # fmt: skip
def test_the_guess_always_gives_the_answer_that_is_best_for_the_metric(key, shares, answer):
    """Otherwise a model of noise that says "yes" to nearly everybody would beat it by F1."""
    y = np.repeat(np.arange(len(shares)), [round(1000 * s) for s in shares])
    results = [trial("a", "dummy", {}), trial("b", "linear", {})]
    ensemble = Ensemble(
        members=(Member(trial_id="b", family="linear", weight=1.0),), method="single", loss=0.4, single_loss=1.0
    )
    plan = SimpleNamespace(metric=key, classes=(), seed=0, quantiles=())
    folder = SimpleNamespace(read_array=lambda ref: np.tile(shares, (50, 1)))
    found, _ = candidates(results, ensemble, plan, KnownRows(y, metrics[key]), folder, {"a": "Guess", "b": "B"})
    guess = next(c for c in found if c.name == "Guess")
    assert guess.answers.tolist() == [answer] * 50
    if answer != np.argmax(shares):
        assert guess.validation == metrics[key].score(y, np.eye(len(shares))[np.full(1000, answer)], len(shares))
