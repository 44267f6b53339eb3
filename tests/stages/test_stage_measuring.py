"""When the delivered model is measured, and when there is no time for it."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autodl.delivery import Delivery
from autodl.footprint import folder_bytes
from autodl.model import DeliveredMember
from autodl.records import (
    Cost,
    Ensemble,
    Footprint,
    Limits,
    Member,
    TableSchema,
    Task,
    TrialResult,
    TrialSpec,
    TrialStatus,
)  # fmt: skip
from autodl.search.budget import MOST_PACE, Budget, Pace
from autodl.search.feasibility import Feasibility
from autodl.stages import limiting, measuring
from autodl.store import RunFolder


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Measures with so many seconds left of 60, on a machine so much slower; the front and what the user is told."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(measuring, "DeliveredModel", lambda folder: None)
    monkeypatch.setattr(measuring, "handling_seconds", lambda *_: 0.001)
    monkeypatch.setattr(
        measuring, "measure_here", lambda *_, **__: Footprint(row_s=0.01, ms_per_1000=20.0)
    )  # fmt: skip
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "manifest.json").write_text("{}")

    def measured(left, slowdown=1.0, limits=None):
        monkeypatch.setattr("autodl.machine.slowness", lambda: slowdown)
        told, limits = [], limits or Limits()
        folder = SimpleNamespace(
            read=lambda *_: None, write=lambda *_: None, model_folder=lambda: tmp_path / "model"
        )  # fmt: skip
        ctx = SimpleNamespace(
            budget=Budget(60.0, now - 60.0 + left, Pace(slowdown, time.monotonic())), folder=folder, note=told.append,
            guard=lambda *_, **__: nullcontext(),
        )  # fmt: skip
        problem = SimpleNamespace(
            setup=SimpleNamespace(
                feasibility=Feasibility(limits), plan=SimpleNamespace(metric="rmse"),
                data=SimpleNamespace(frame=pd.DataFrame({"a": [1.0]}), folds=((), (), ())),
            ),
            delivery=SimpleNamespace(
                described=lambda: None, fingerprint=lambda: "0", has_all_rows=lambda ensemble: False,
                manifest=lambda: None, folder=folder,
            ),
            y_test=(),
            finish_s=lambda budget: budget.finish_s(1_000, 1),
            given_up=lambda results: [],
        )  # fmt: skip
        ensemble = SimpleNamespace(
            members=(SimpleNamespace(trial_id="t0001", family="linear"),) * 2, loss=1.0, takes=None
        )
        return measuring.measure(ctx, problem, ensemble, [], None), told

    return measured


def test_with_time_the_delivered_model_is_measured(run):
    front, told = run(left=10.0)
    assert front.delivered.row_s == 0.01 and front.delivered.size_bytes == 2
    assert [p.kind for p in front.points] == ["delivered"] and not told


def test_a_busy_machine_needs_more_time_for_it(run):
    quiet = 60.0 * 0.02 + 1.0
    assert run(left=quiet + 1.0)[0].delivered is not None
    front, told = run(left=quiet + 1.0, slowdown=MOST_PACE)
    assert front.delivered is None and front.points == () and "no time was left" in told[0]


def test_once_the_budget_is_spent_nothing_is_measured_and_the_user_is_told(run, monkeypatch):
    def measure(*_, **__):
        raise AssertionError("something was measured")

    monkeypatch.setattr(measuring, "measure_here", measure)
    monkeypatch.setattr(measuring, "handling_seconds", measure)
    front, told = run(left=0.0)
    assert front.delivered is None and front.points == ()
    assert "no time was left" in told[0]


def test_what_is_limited_is_looked_at_even_then(run):
    front, _ = run(left=0.0, limits=Limits(size_bytes=1))
    assert front.delivered.size_bytes == 2 and front.kept is False


MEMBERS = tuple(Member(trial_id=i, family="neighbors", weight=0.5) for i in ("t0001", "t0002"))
TWO = Ensemble(members=MEMBERS, method="greedy", loss=0.1, single_loss=0.1)


def finished(size_bytes):
    """The trials of both, whose three fold models take so much together."""
    cost = Cost(fit_s=1.0, size_bytes=size_bytes)
    done = TrialStatus.OK
    return [
        TrialResult(
            spec=TrialSpec(id=m.trial_id, family=m.family), status=done, loss=0.1, fold_losses=(0.1,) * 3, cost=cost
        )
        for m in MEMBERS
    ]


@pytest.fixture
def within(tmp_path, monkeypatch):
    """Measures three models of each of two members in place against a limit of size; those of folds are larger."""
    monkeypatch.setattr(measuring, "handling_seconds", lambda *_: 0.001)
    monkeypatch.setattr(
        measuring, "_measured", lambda *a: (Footprint(size_bytes=folder_bytes(a[2].model_folder())), False)
    )  # fmt: skip
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    delivery = Delivery(run, Task.REGRESSION, "y", (), TableSchema(columns=()))
    results = [run.write_trial(r, None, None, [b"f" * 100_000] * 3) for r in finished(size_bytes=3_000)]

    def measured(limit, trained_on="all rows"):
        members = [
            DeliveredMember(
                trial_id=m.trial_id, family=m.family, name=m.trial_id, weight=0.5, files=(), trained_on=trained_on
            )
            for m in MEMBERS
        ]  # fmt: skip
        delivery.write(members, [[b"a" * 50_000] * 3] * 2, "six", 0.5)
        notes = []
        ctx = SimpleNamespace(
            budget=Budget(float("inf"), time.time()), folder=run, note=notes.append, delivered="six",
            guard=lambda *_, **__: nullcontext(),
        )  # fmt: skip
        data = SimpleNamespace(frame=None, folds=((), (), ()))
        feasibility = Feasibility(Limits(size_bytes=limit))
        problem = SimpleNamespace(
            setup=SimpleNamespace(feasibility=feasibility, plan=SimpleNamespace(metric="rmse"), data=data),
            delivery=delivery, given_up=lambda results: [], y_test=np.zeros(3),
        )  # fmt: skip
        front = measuring.measure(ctx, problem, TWO, results, None)
        (models,) = {len(m.files) for m in delivery.manifest().members}
        (trained,) = {m.trained_on for m in delivery.manifest().members}
        return front, models, trained, ctx.delivered, " ".join(notes)

    return measured


@pytest.mark.parametrize("trained_on", ["all rows", "folds"])
def test_several_models_that_exceed_the_limits_give_way_to_one_of_each(within, trained_on):
    front, models, trained, delivered, told = within(110_000, trained_on)
    assert (models, trained, front.kept, front.kept_folds) == (1, trained_on, True, False)
    assert "would exceed the limits" in delivered
    assert "one of each is delivered" in told and "is of several models" in told


def test_one_of_each_is_nearer_to_limits_that_nothing_keeps(within):
    front, models, trained, *_ = within(1_000)
    assert (models, trained, front.kept) == (1, "all rows", False)


def test_what_keeps_the_limits_stays(within):
    front, models, trained, delivered, told = within(400_000)
    assert (models, trained, front.kept, delivered, told) == (3, "all rows", True, "six", "")


def test_what_was_measured_together_says_how_many_models_fit():
    """Of a trial 10 bytes were expected, of the chosen model 30 found: all models may take three times as much."""
    results = finished(size_bytes=30)
    problem = SimpleNamespace(setup=SimpleNamespace(feasibility=Feasibility(Limits(size_bytes=100))))
    alone = TWO.model_copy(update={"members": MEMBERS[:1]})
    found = alone.model_copy(update={"takes": Footprint(size_bytes=30)})
    assert limiting.most_copies(problem, alone, results, 5) == 5
    assert limiting.most_copies(problem, found, results, 5) == 3
    assert limiting.copies(problem, found, ["t0002"], results, 5) == 3
