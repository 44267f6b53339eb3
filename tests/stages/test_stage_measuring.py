"""When the delivered model is measured, and when there is no time for it."""

from __future__ import annotations

import time
from contextlib import nullcontext
from types import SimpleNamespace

import pandas as pd
import pytest

from autodl.records import Footprint, Limits
from autodl.search.budget import MOST_PACE, Budget, Pace
from autodl.search.feasibility import Feasibility
from autodl.stages import measuring


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
                data=SimpleNamespace(frame=pd.DataFrame({"a": [1.0]})),
            ),
            delivery=SimpleNamespace(
                described=lambda: None, fingerprint=lambda: "0", has_all_rows=lambda ensemble: False
            ),
            finish_s=lambda budget: budget.finish_s(1_000, 1),
            given_up=lambda results: [],
        )  # fmt: skip
        ensemble = SimpleNamespace(members=(SimpleNamespace(trial_id="t0001", family="linear"),) * 2, loss=1.0)
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
