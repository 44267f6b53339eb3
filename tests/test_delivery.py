"""What a run delivers, and how a resumed run knows that it has delivered it already."""

from __future__ import annotations

import pytest

from autodl.delivery import Delivery
from autodl.model import DeliveredMember
from autodl.records import Ensemble, TableSchema, Task
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


def test_fold_models_are_not_the_end(tmp_path):
    assert not delivered(tmp_path, "folds").has_all_rows(ensemble(*SAME))
