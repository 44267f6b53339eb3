"""Predictions are timed on few rows, and as many are explained as that allows."""

import time

import numpy as np
import pandas as pd
import pytest

from autodl.clock import Deadline
from autodl.evaluate.base import metrics
from autodl.explain import explain
from autodl.explain.explain import FEWEST_ROWS, GOOD_ROWS, affordable_rows, full_seconds, short_seconds
from autodl.explain.speed import Speed, measure_speed
from autodl.records import ColumnInfo, ColumnKind, TableSchema

FRAME = pd.DataFrame({"a": np.arange(200.0)})


def test_seconds_and_rows_are_inverse():
    speed = Speed(call_s=0.2, row_s=0.01)
    assert speed.seconds(30, calls=2) == pytest.approx(0.7)
    assert speed.rows(0.7, calls=2) == pytest.approx(30)
    assert speed.rows(0.1) == 0.0


def test_sleep_is_told_apart_into_calls_and_rows():
    def predict(frame):
        time.sleep(0.05 + 0.002 * len(frame))
        return frame["a"].to_numpy()

    speed = measure_speed(predict, FRAME, most_s=10.0)
    # Sleeps may last longer, never shorter.
    assert speed.row_s == pytest.approx(0.002, rel=0.5)
    assert speed.seconds(100) > 0.2


def test_a_slow_model_is_asked_for_few_rows():
    asked = []

    def predict(frame):
        asked.append(len(frame))
        time.sleep(0.01 * len(frame))
        return frame["a"].to_numpy()

    assert measure_speed(predict, FRAME, most_s=0.05).row_s >= 0.01
    assert max(asked) <= 10


@pytest.mark.parametrize("columns", [1, 10, 300])
@pytest.mark.parametrize("row_s", [1e-6, 1e-4, 1e-2, 1.0])
def test_the_rows_fit_the_time(columns, row_s):
    speed, seconds = Speed(0.01, row_s), 4.0
    n = affordable_rows(speed, columns, seconds, most=2_000)
    assert n == 0 or FEWEST_ROWS <= n <= 2_000
    copies = 2 if n == FEWEST_ROWS else 1 + columns
    assert speed.seconds(n * copies) <= seconds


def test_a_quick_model_is_asked_all_rows_and_a_hopeless_one_none():
    assert affordable_rows(Speed(0.0, 1e-6), 10, 1.0, most=2_000) == 2_000
    assert affordable_rows(Speed(0.0, 1.0), 10, 1.0, most=2_000) == 0
    assert affordable_rows(Speed(0.0, 0.001), 10, 0.0, most=2_000) == 0


def test_a_short_explanation_takes_what_its_rows_take():
    speed = Speed(0.0, 0.001)
    assert short_seconds(speed, 10_000, 4) == pytest.approx(5 * GOOD_ROWS * 0.001 / 0.7)
    assert short_seconds(speed, 20, 4) < short_seconds(speed, 10_000, 4)


@pytest.mark.parametrize(("rows", "columns"), [(178, 10), (2_000, 3), (300, 40)])
def test_a_full_explanation_is_full_in_the_time_that_it_is_said_to_take(monkeypatch, rows, columns):
    """On a clock that predictions alone bring forward."""
    clock = {"now": 100.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])
    speed = Speed(call_s=0.01, row_s=1e-5)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{k}": rng.normal(size=rows) for k in range(columns)})

    def predict(part):
        clock["now"] += speed.seconds(len(part))
        return part.to_numpy().sum(axis=1)

    schema = TableSchema(
        columns=tuple(
            ColumnInfo(name=c, kind=ColumnKind.NUMERIC, n=rows, n_missing=0, n_unique=rows) for c in frame.columns
        )
    )
    seconds = full_seconds(speed, rows, columns, 5)
    found = explain(
        predict, frame, frame.sum(axis=1).to_numpy(), metric=metrics["rmse"], schema=schema, model_name="sum",
        seed=0, deadline=Deadline(clock["now"] + seconds),
    )  # fmt: skip
    assert found.n_repeats == 5 and len(found.importances) == columns and found.n_rows == rows
    assert "ran out" not in found.note and "allowed" not in found.note
    assert clock["now"] - 100.0 <= seconds
    # Not far more than it takes, so that the search is not robbed.
    assert clock["now"] - 100.0 >= 0.4 * seconds
    assert full_seconds(speed, rows, columns, 5) > short_seconds(speed, rows, columns)


def test_known_speed_is_not_measured_again():
    asked = []

    def predict(part):
        asked.append(len(part))
        return part["a"].to_numpy()

    schema = TableSchema(columns=(ColumnInfo(name="a", kind=ColumnKind.NUMERIC, n=200, n_missing=0, n_unique=200),))
    known = {"metric": metrics["rmse"], "schema": schema, "model_name": "a", "seed": 0}
    y = FRAME["a"].to_numpy()
    explain(predict, FRAME, y, deadline=Deadline.after(60.0), speed=Speed(0.0, 1e-6), **known)
    assert asked[0] == len(FRAME)  # no calls of one and of few rows before
