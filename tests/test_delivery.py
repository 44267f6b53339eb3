"""What a run delivers, and how a resumed run knows that it has delivered it already."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from autodl.clock import Deadline
from autodl.delivery import Delivery, _listing
from autodl.model import DeliveredMember, FittedModel
from autodl.preprocess import Preparer
from autodl.records import (
    Calibration,
    ColumnInfo,
    ColumnKind,
    Ensemble,
    Recipe,
    TableSchema,
    Task,
    TrialResult,
    TrialSpec,
    TrialStatus,
)  # fmt: skip
from autodl.refitting import Refits
from autodl.store import RunFolder


def ensemble(*members):
    return Ensemble.model_validate(
        {
            "members": [{"trial_id": i, "family": family, "weight": w} for i, family, w in members],
            "method": "greedy",
            "loss": 0.1,
            "single_loss": 0.1,
        }
    )


def delivered(place, trained_on="all rows"):
    """A run whose model holds t0001 and t0002."""
    run = RunFolder(place / "run")
    run.path.mkdir()
    delivery = Delivery(run, Task.REGRESSION, "y", (), TableSchema(columns=()))
    assert not delivery.has_all_rows(ensemble(("t0001", "linear", 1.0)))
    members = [
        DeliveredMember(trial_id=i, family=f, name=f, weight=w, files=(), trained_on=trained_on)
        for i, f, w in (("t0001", "linear", 0.25), ("t0002", "knn", 0.75))
    ]
    delivery.write(members, [[b"one"], [b"two"]], "both", 0.5)
    return delivery


SAME = (("t0002", "knn", 0.75), ("t0001", "linear", 0.25))
OTHERS = {
    "another trial of the same family": (("t0003", "knn", 0.75), ("t0001", "linear", 0.25)),
    "other weights": (("t0002", "knn", 0.5), ("t0001", "linear", 0.5)),
    "one member more": (("t0002", "knn", 0.75), ("t0001", "linear", 0.2), ("t0004", "svm", 0.05)),
}


def test_the_same_ensemble_is_not_trained_again(tmp_path):
    assert delivered(tmp_path).has_all_rows(ensemble(*SAME))


@pytest.mark.parametrize("name", OTHERS)
def test_another_ensemble_is(tmp_path, name):
    assert not delivered(tmp_path).has_all_rows(ensemble(*OTHERS[name]))


@pytest.mark.parametrize("cut", [{"threshold": 0.3}, {"factors": (1.0, 2.0, 1.5)}])
def test_another_cut_is_delivered_too(tmp_path, cut):
    assert not delivered(tmp_path).has_all_rows(ensemble(*SAME).model_copy(update=cut))


def trials(delivery):
    """Both with seven fold models."""
    results = {}
    for i in ("t0001", "t0002"):
        result = TrialResult(spec=TrialSpec(id=i, family="knn"), status=TrialStatus.OK, loss=0.1, fold_losses=(0.1,))
        models = [f"{i}-{k}".encode() for k in range(7)]
        results[i] = delivery.folder.write_trial(result, None, None, models)
    return results


def test_refits_that_were_cut_off_are_finished_later_and_those_that_are_there_stay(tmp_path, monkeypatch):
    delivery = delivered(tmp_path, "folds")
    results = trials(delivery)
    names, asked = {i: i for i in results}, []

    def train(self, members, *_):
        asked.append([m.trial_id for m in members])
        return {m.trial_id: [b"whole"] if m.trial_id == asked[-1][-1] else [] for m in members}

    def refit(seconds, **more):
        rows = (None, np.zeros(9))
        delivery.refit(ensemble(*SAME), results, names, None, rows, Deadline.after(seconds), {}, {}, **more)
        return {m.trial_id: m.trained_on for m in delivery.manifest().members}

    monkeypatch.setattr(Refits, "train", train)
    assert refit(60, stopped=lambda: True) == {"t0001": "all rows", "t0002": "folds"}
    assert delivery.has_all_rows(ensemble(*SAME)) and not delivery.is_complete(ensemble(*SAME))
    assert refit(60) == {"t0001": "all rows", "t0002": "all rows"}
    assert asked == [["t0002", "t0001"], ["t0002"]]
    assert delivery.is_complete(ensemble(*SAME))


def test_a_refit_that_fails_without_a_clock_is_not_tried_again(tmp_path, monkeypatch):
    delivery = delivered(tmp_path, "folds")
    results = trials(delivery)
    monkeypatch.setattr(Refits, "train", lambda *a: {"t0001": [b"whole"], "t0002": []})
    rows, names = (None, np.zeros(9)), {i: i for i in results}
    delivery.refit(ensemble(*SAME), results, names, None, rows, Deadline.after(float("inf")), {}, {})
    assert delivery.is_complete(ensemble(*SAME))


def test_a_resumed_run_says_rightly_how_each_model_came_about(tmp_path, monkeypatch):
    delivery = delivered(tmp_path, "folds")
    results, seen = trials(delivery), []
    names = {i: i for i in results}

    def train(self, members, _results, _too_large, _most, _beside, others):
        seen.append(others)
        (first, *rest) = (m.trial_id for m in reversed(members))
        self.gone_on.add(first) if rest else None
        return {first: [b"whole"], **{i: [] for i in rest}}

    def refit(results):
        rows = (None, np.zeros(9))
        return delivery.refit(ensemble(*SAME), results, names, None, rows, Deadline.after(60), {}, {})

    monkeypatch.setattr(Refits, "train", train)
    alone = {i: r.model_copy(update={"models": r.models[-1:]}) for i, r in results.items()}
    for known, as_ in ((results, "the mean of the models of its validation folds"),
                       (alone, "the model of its last validation fold")):  # fmt: skip
        delivery.bag(ensemble(*SAME), results, names)
        assert refit(known) == f"t0001 (25%), trained further on all 9 rows; t0002 (75%), as {as_}."
    resumed = refit(alone)
    assert resumed == "t0002 (75%), trained again on all 9 rows; t0001 (25%), trained further on all 9 rows."
    assert seen == [{}, {}, {"t0001": 1}]
    assert "t0001 (25%), trained further on all rows" in delivery.first_of_each()


def test_what_a_run_put_together_is_told_from_a_model_of_its_search(tmp_path):
    delivery = delivered(tmp_path)
    assert delivery.is_concluded()
    one, two = delivery.manifest().members
    delivery.write([one], [[b"one"]], "", 0.5)
    assert delivery.is_concluded()
    alone = one.model_copy(update={"trained_on": "folds"})
    delivery.write([alone], [[b"one"]], "", 0.5)
    assert not delivery.is_concluded()
    delivery.write([alone, two.model_copy(update={"trained_on": "folds"})], [[b"one"], [b"two"]], "", 0.5)
    assert delivery.is_concluded()
    calibration = Calibration(kind="linear", coefficients=(0.0, 1.0))
    delivery.write([alone], [[b"one"]], "", 0.5, calibration=calibration)
    assert delivery.is_concluded()
    delivery.write([alone], [[b"one"]], "", 0.3)
    assert delivery.is_concluded(), "a cut of its own"
    delivery.write([alone], [[b"one"]], "", 0.5, factors=(1.0, 2.0, 0.5))
    assert delivery.is_concluded(), "factors of its own"


def test_a_member_that_is_not_trained_again_keeps_all_its_fold_models(tmp_path, monkeypatch):
    delivery = delivered(tmp_path, "folds")
    results = trials(delivery)
    monkeypatch.setattr(Refits, "train", lambda *a: {"t0001": [b"whole"], "t0002": []})
    names = {i: i for i in results}
    delivery.refit(ensemble(*SAME), results, names, None, (None, np.zeros(9)), Deadline.after(60), {}, {})
    kept = {m.trial_id: (m.trained_on, len(m.files)) for m in delivery.manifest().members}
    assert kept == {"t0001": ("all rows", 1), "t0002": ("folds", 7)}


def test_models_of_texts_that_an_older_version_prepared_are_not_the_end(tmp_path):
    plain = delivered(tmp_path)
    texts = TableSchema(columns=(ColumnInfo(name="note", kind=ColumnKind.TEXT, n=10, n_missing=0, n_unique=2),))
    delivery = dataclasses.replace(plain, features=texts)
    preparer = Preparer(Recipe(text="tfidf"), texts, Task.REGRESSION)
    preparer.fit_transform(pd.DataFrame({"note": ["one two", "two three"] * 5}), np.arange(10.0))
    broken = FittedModel(preparer=preparer, estimator=None, target=None, task=Task.REGRESSION)
    members = list(delivery.manifest().members)
    delivery.write(members, [[broken.to_bytes()]] * 2, "both", 0.5)
    assert delivery.has_all_rows(ensemble(*SAME))
    del vars(preparer.blocks[0])["_learnt"]
    delivery.write(members, [[broken.to_bytes()]] * 2, "both", 0.5)
    assert not delivery.has_all_rows(ensemble(*SAME))


def test_fold_models_are_not_the_end(tmp_path):
    assert not delivered(tmp_path, "folds").has_all_rows(ensemble(*SAME))


def test_of_many_members_the_heaviest_are_named():
    members = [
        DeliveredMember(trial_id=str(i), family="f", name=f"M{i}", weight=w, files=(), trained_on="folds")
        for i, w in enumerate((0.05, 0.3, 0.1, 0.2, 0.15, 0.12, 0.08))
    ]
    assert _listing(members) == "M1 (30%), M3 (20%), M4 (15%), M5 (12%), M2 (10%) and 2 more"
    assert _listing(members[1:]).endswith("M2 (10%) and M6 (8%)")
