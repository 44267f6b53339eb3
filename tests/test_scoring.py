from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from autodl.records import ArtifactRef, Cost, Ensemble, Member, TrialResult, TrialSpec, TrialStatus
from autodl.scoring import candidates


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
    found, leader = candidates(results, ensemble, plan, np.zeros(4), folder, {i: i for i in "abc"})
    stopped = {c.name: c.early_stopped for c in found}
    assert stopped == {"a": True, "b": False, "c": False, leader: expected}
