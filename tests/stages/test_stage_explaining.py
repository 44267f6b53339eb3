"""How much time an explanation is expected to take, gets, and goes without, on clocks that stand still."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autodl.events import Note
from autodl.explain.explain import full_seconds
from autodl.explain.speed import Speed
from autodl.records import (
    ColumnInfo,
    ColumnKind,
    Cost,
    ParseRule,
    SeriesRule,
    TableSchema,
    TrialResult,
    TrialSpec,
    TrialStatus,
)
from autodl.search.budget import AFTER_EXPLANATION, AFTER_REFITS, MOST_PACE, Budget, Pace
from autodl.stages import explaining
from autodl.stages.explaining import EXPLAIN_SHARE, FULL_SHARE, LATE_SHARE, LEAST_S, MOST_S, REPEATS
from autodl.stages.shown_columns import shown_seconds

N_ROWS, COLUMNS = 200, ("a", "b", "c")


@pytest.fixture
def now(monkeypatch):
    """Clocks that stand still, on a machine as quick as the reference."""
    moment = time.time()
    monkeypatch.setattr(time, "time", lambda: moment)
    monkeypatch.setattr("autodl.machine.slowness", lambda: 1.0)
    return moment


def context(total, left, now, slowdown=1.0):
    """What the stage reads of a run with so many seconds left."""
    told = []
    budget = Budget(total, now - (total - left if np.isfinite(total) else 0.0), Pace(slowdown, time.monotonic()))
    options = SimpleNamespace(report=True)
    return SimpleNamespace(budget=budget, answers=None, options=options, note=told.append, told=told, guard=guard)


class guard:  # noqa: N801 - stands for a method
    """Lets failures through."""

    def __init__(self, what):
        pass

    def __enter__(self):
        return None

    def __exit__(self, *error):
        return False


def numbers():
    """A schema of numbers."""
    return TableSchema(
        columns=tuple(ColumnInfo(name=c, kind=ColumnKind.NUMERIC, n=9, n_missing=0, n_unique=9) for c in COLUMNS)
    )


def problem(n_test=N_ROWS):
    frame = pd.DataFrame({c: np.arange(float(n_test)) for c in COLUMNS})
    return SimpleNamespace(
        setup=SimpleNamespace(data=SimpleNamespace(test_frame=frame, schema=numbers()), plan=None),
        y_test=np.zeros(n_test),
        delivery=SimpleNamespace(folder=None),
        finish_s=lambda budget: budget.finish_s(1_000, len(COLUMNS)),
    )


def trial(ms, row_s):
    return TrialResult(
        spec=TrialSpec(id="t0001", family="lightgbm"), status=TrialStatus.OK, loss=0.1,
        cost=Cost(fit_s=1.0, predict_s=ms, n_predicted=1000, row_s=row_s),
    )  # fmt: skip


def test_a_full_explanation_is_expected_by_what_predictions_took():
    members = [trial(ms=0.2, row_s=0.004), trial(ms=0.3, row_s=0.001)]
    expected = full_seconds(Speed(0.005, 0.0005), N_ROWS, len(COLUMNS), REPEATS)
    assert explaining.expected_seconds(problem(), members) == pytest.approx(expected)
    assert explaining.expected_seconds(problem(0), members) == 0.0
    assert explaining.expected_seconds(problem(), []) == 0.0


def test_the_steps_of_a_series_are_no_columns_to_be_shuffled():
    given = problem()
    data = given.setup.data
    rule = ParseRule(series=SeriesRule(channels=1, columns=COLUMNS[:2]))
    series = ColumnInfo(name="s", kind=ColumnKind.SERIES, n=9, n_missing=0, n_unique=9, parse=rule)
    data.schema = TableSchema(columns=(*data.schema.columns, series))
    expected = full_seconds(Speed(0.004, 0.0002), N_ROWS, len(COLUMNS), REPEATS)
    assert explaining.expected_seconds(given, [trial(ms=0.2, row_s=0.004)]) == pytest.approx(expected)  # not in use
    data.test_frame["s"] = 0.0
    expected = full_seconds(Speed(0.004, 0.0002), N_ROWS, 2, REPEATS)
    found = explaining.expected_seconds(given, [trial(ms=0.2, row_s=0.004)])
    assert found == pytest.approx(expected + shown_seconds(given, Speed(0.004, 0.0002)))


@pytest.mark.parametrize(
    ("row_s", "share"),
    [(1e-6, None), (1e-4, None), (1e-3, FULL_SHARE), (1.0, EXPLAIN_SHARE)],
)
def test_refits_leave_time_for_a_full_explanation_where_it_is_cheap(monkeypatch, now, row_s, share):
    ctx, speed = context(60.0, 10.0, now), Speed(0.001, row_s)
    monkeypatch.setattr("autodl.scoring.one_fold_predictor", lambda *_: lambda frame: None)
    monkeypatch.setattr("autodl.explain.speed.measure_speed", lambda *_: speed)
    finish = ctx.budget.finish_s(1_000, len(COLUMNS))
    kept = explaining.kept_for_the_end(ctx, problem(), SimpleNamespace(members=()), [])
    own = full_seconds(speed, N_ROWS, len(COLUMNS), REPEATS) if share is None else share * 60.0
    assert kept == pytest.approx(max(AFTER_REFITS * finish, AFTER_EXPLANATION * finish + own))
    assert ctx.answers == speed  # not measured a second time


def test_without_a_clock_refits_leave_nothing(now):
    assert explaining.kept_for_the_end(context(float("inf"), 0.0, now), problem(), None, []) == 0.0


def test_an_explanation_gets_what_report_and_exit_do_not_need(now):
    spare = explaining.spare_seconds(context(60.0, 12.0, now), problem())
    assert spare == pytest.approx(12.0 - AFTER_EXPLANATION * context(60.0, 12.0, now).budget.finish_s(1_000, 3))
    assert explaining.spare_seconds(context(6_000.0, 500.0, now), problem()) == MOST_S
    assert explaining.spare_seconds(context(60.0, 1.0, now), problem()) == LEAST_S  # a little behind
    assert explaining.spare_seconds(context(60.0, 0.2, now), problem()) == pytest.approx(0.2)
    assert explaining.spare_seconds(context(float("inf"), 0.0, now), problem()) == MOST_S


def test_a_machine_that_has_become_busy_since_leaves_the_explanation_less(monkeypatch, now):
    monkeypatch.setattr("autodl.machine.slowness", lambda: MOST_PACE)
    quiet, busy = context(60.0, 12.0, now), context(60.0, 12.0, now)
    busy.budget.pace.looked -= 100.0
    assert explaining.spare_seconds(busy, problem()) < explaining.spare_seconds(quiet, problem()) - 1.0
    stuck = context(60.0, 8.0, now, slowdown=MOST_PACE)  # less is left than a whole report would take
    assert explaining.spare_seconds(stuck, problem()) == pytest.approx(LATE_SHARE * 8.0)


def test_once_the_budget_is_spent_no_model_is_loaded_and_the_user_is_told(monkeypatch, now):
    def load(*_):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("autodl.scoring.one_fold_predictor", load)
    ctx = context(60.0, 0.0, now)
    assert explaining.explain(ctx, problem(), SimpleNamespace(members=()), []) is None
    (told,) = ctx.told
    assert "no time was left" in Note(told, 0.0).text and "--time-budget" in told
