"""When the last training on all rows must end, on clocks that stand still."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

from autodl.records import Ensemble
from autodl.search.budget import AFTER_REFITS, MOST_PACE, Budget, Pace
from autodl.search.feasibility import Feasibility
from autodl.stages import concluding
from autodl.stages.concluding import LEAST_REFITS


@pytest.fixture
def now(monkeypatch):
    moment, steady = time.time(), time.monotonic()
    monkeypatch.setattr(time, "time", lambda: moment)
    monkeypatch.setattr(time, "monotonic", lambda: steady)
    return moment


def test_refits_end_where_the_rest_of_the_run_begins_and_quick_ones_have_a_part_in_any_case(now):
    budget = Budget(60.0, now - 50.0)
    assert concluding._until(budget, 4.0).left() == pytest.approx(6.0)
    assert concluding._until(budget, 9.9).left() == pytest.approx(LEAST_REFITS * 10.0)
    assert concluding._until(budget, 30.0).left() == pytest.approx(LEAST_REFITS * 10.0)
    assert concluding._until(Budget(60.0, now - 70.0), 4.0).left() == 0.0
    assert concluding._until(Budget(float("inf"), 0.0), 4.0).left() == float("inf")


def test_models_of_the_oldest_rows_are_not_delivered_beside_those_of_all():
    def beside(by_time):
        data = SimpleNamespace(folds=((), (), ()), by_time=by_time)
        setup = SimpleNamespace(data=data, plan=SimpleNamespace(classes=("a", "b")), feasibility=Feasibility())
        return concluding._beside(SimpleNamespace(setup=setup))

    assert (beside(False), beside(True)) == (3, 0)


class Columns:
    """Any columns of a frame."""

    def __getitem__(self, names):
        return names


@pytest.mark.parametrize(
    ("refit_s", "slowdown", "done"), [(0.5, 1.0, True), (0.5, MOST_PACE, True), (8.0, 1.0, False)]
)
def test_no_time_is_lost_where_no_refit_fits(now, monkeypatch, refit_s, slowdown, done):
    """With 10 s left of 60: a quick refit is begun on a busy machine too; for one that is late nothing is timed."""
    timed, deadlines = [], []
    ensemble = Ensemble.model_validate(
        {
            "members": [{"trial_id": "t0001", "family": "linear", "weight": 1.0}],
            "method": "single", "loss": 0.1, "single_loss": 0.1,
        }
    )  # fmt: skip
    kept = AFTER_REFITS * Budget(60.0, now, Pace(slowdown)).finish_s(1_000, 1)

    def kept_for_the_end(*_):
        timed.append(1)
        return kept

    monkeypatch.setattr(concluding, "kept_for_the_end", kept_for_the_end)
    monkeypatch.setattr(concluding, "refit_seconds", lambda *_: {"t0001": refit_s})
    monkeypatch.setattr(concluding, "further_seconds", lambda *_: {})
    monkeypatch.setattr(concluding, "nearly_all_rows", lambda *_: [])
    monkeypatch.setattr(concluding, "_too_large", lambda *_: [])
    monkeypatch.setattr(concluding, "most_copies", lambda *_: None)
    monkeypatch.setattr(concluding, "_beside", lambda *_: 0)
    monkeypatch.setattr(concluding, "_folds_kept", lambda *_: False)
    monkeypatch.setattr(concluding, "trial_names", lambda specs: {})
    monkeypatch.setattr(concluding, "replace", lambda data, **more: more)

    def refit(*args):
        deadlines.append(args[5].left())
        assert args[3]["blocks"] == "groups of all rows"
        assert args[-1] is ctx.stop.is_set  # Ctrl-C is heard between two trainings, too
        return "trained"

    problem = SimpleNamespace(
        setup=SimpleNamespace(data=SimpleNamespace(threads=1), plan=SimpleNamespace(features=())),
        dataset=SimpleNamespace(weight=None, frame=Columns(), y=np.zeros(2)),
        delivery=SimpleNamespace(is_complete=lambda ensemble: False, refit=refit),
        groups="groups of all rows",
        n_refit=1_000,
        finish_s=lambda budget: budget.finish_s(1_000, 1),
    )
    ctx = SimpleNamespace(
        budget=Budget(60.0, now - 50.0, Pace(slowdown, time.monotonic())), stop=SimpleNamespace(is_set=lambda: False)
    )
    assert concluding.deliver_refit(ctx, problem, ensemble, []) == ("trained" if done else None)
    assert timed == ([1] if done else [])
    if done:
        assert deadlines == [pytest.approx(max(10.0 - kept, LEAST_REFITS * 10.0))]
