from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from autodl.clock import Deadline
from autodl.evaluate.base import metrics
from autodl.evaluate.where_wrong import (
    _groups,
    confident_mistakes,
    residuals,
    segment_metric,
    sure_mistakes,
    weak_segments,
)
from autodl.records import ColumnInfo, ColumnKind, TableSchema


def table(rng, n):
    return pd.DataFrame(
        {
            "city": rng.choice(["a", "b", "c"], n).astype(object),
            "age": rng.normal(40, 10, n),
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "flag": rng.integers(0, 2, n).astype(float),
            "key": [f"k{i}" for i in range(n)],
        }
    )


SCHEMA = TableSchema(
    columns=tuple(
        ColumnInfo(name=name, kind=kind, n=1, n_missing=0, n_unique=1)
        for name, kind in {
            "city": ColumnKind.CATEGORICAL, "age": ColumnKind.NUMERIC, "when": ColumnKind.DATETIME,
            "flag": ColumnKind.BOOLEAN, "key": ColumnKind.ID,
        }.items()
    )
)  # fmt: skip


@pytest.mark.parametrize("column", ["city", "age", "when", "flag"])
def test_the_group_where_errors_were_planted_is_found(column):
    rng = np.random.default_rng(0)
    frame = table(rng, 1200)
    planted = {
        "city": frame.city == "b", "age": frame.age > 48, "when": frame.when > "2021-12-01", "flag": frame.flag == 1,
    }[column].to_numpy()  # fmt: skip
    y = rng.normal(size=1200)
    prediction = y + rng.normal(size=1200) * np.where(planted, 2.0, 1.0)
    found, tested = weak_segments(metrics["rmse"], y, prediction, frame, schema=SCHEMA, seed=0)
    assert found[0].column == column
    assert found[0].metric == "rmse"
    assert found[0].score.value > found[0].rest
    assert found[0].p_holm >= found[0].p_value and found[0].p_holm < 0.05
    assert {s.column for s in found} == {column}
    assert tested >= 10
    words = {"city": "b", "flag": "yes"}
    assert found[0].value == words.get(column, found[0].value)
    assert found[0].n >= 30


def test_missing_values_make_a_group():
    rng = np.random.default_rng(0)
    frame = table(rng, 600)
    frame.loc[:99, "city"] = None
    y = (rng.random(600) < 0.5).astype(int)
    right = rng.random(600) < np.where(frame.city.isna(), 0.5, 0.95)
    p = np.eye(2)[np.where(right, y, 1 - y)] * 0.8 + 0.1
    found, _ = weak_segments(metrics["accuracy"], y, p, frame, n_classes=2, schema=SCHEMA, seed=0)
    assert (found[0].column, found[0].value, found[0].n) == ("city", "missing", 100)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["roc_auc", "accuracy", "rmse"])
def test_without_weak_groups_false_alarms_keep_to_five_percent(key):
    alarms = 0
    for r in range(150):
        rng = np.random.default_rng(r)
        frame = table(rng, 400)
        if key == "rmse":
            y = rng.normal(size=400)
            found, _ = weak_segments(metrics[key], y, y + rng.normal(size=400), frame, schema=SCHEMA, seed=0)
        else:
            z = rng.normal(size=400)
            y, q = (rng.random(400) < 1 / (1 + np.exp(-2 * z))).astype(int), 1 / (1 + np.exp(-2 * z))
            p = np.column_stack([1 - q, q])
            found, _ = weak_segments(metrics[key], y, p, frame, n_classes=2, schema=SCHEMA, seed=0)
        alarms += bool(found)
    assert alarms <= 14


def test_the_metric_of_groups_does_not_depend_on_their_mix():
    assert segment_metric(metrics["r2"], 0).key == "rmse"
    assert segment_metric(metrics["f1"], 2).key == "accuracy"
    assert segment_metric(metrics["roc_auc"], 2).key == "roc_auc"
    assert segment_metric(metrics["roc_auc"], 5).key == "accuracy"
    assert segment_metric(metrics["mae"], 0).key == "mae"


def test_a_passed_deadline_looks_at_no_group():
    frame = table(np.random.default_rng(0), 200)
    y = np.zeros(200)
    assert weak_segments(metrics["mae"], y, y + 1, frame, seed=0, deadline=Deadline(0.0)) == ([], 0)


def test_mistakes_are_the_surest_wrong_answers():
    y = np.array([0, 1, 1, 0])
    p = np.array([[0.9, 0.1], [0.95, 0.05], [0.6, 0.4], [0.2, 0.8]])
    frame = pd.DataFrame(
        {"x": [1.0, np.nan, 3.0, 4.0], "t": pd.to_datetime(["2020-01-01", None, "2021-05-06", "2022-01-01"])}
    )
    got = confident_mistakes(y, p, ("no", "yes"), frame=frame, rows=np.array([10, 11, 12, 13]))
    assert [(m.row, m.true, m.predicted) for m in got] == [(11, "yes", "no"), (13, "no", "yes"), (12, "yes", "no")]
    assert got[0].confidence == pytest.approx(0.95)
    assert got[0].values == {"x": None, "t": None}
    assert got[2].values == {"x": 3.0, "t": "2021-05-06T00:00:00"}
    json.dumps([m.values for m in got])


def test_mistakes_of_a_regression_are_the_largest_errors():
    y, p = np.arange(30.0), np.arange(30.0)
    p[[4, 20]] += [5, -9]
    got = confident_mistakes(y, p, ())
    assert [m.row for m in got] == [20, 4]
    assert (got[0].true, got[0].predicted, got[0].confidence) == ("20", "11", None)


def test_residuals_are_sampled_and_compared_with_the_training_median():
    rng = np.random.default_rng(0)
    y = rng.normal(size=5000)
    got = residuals(y, y + 0.1, np.array([0.0, 1.0, 5.0]), seed=0)
    assert len(got.true) == 1000
    assert np.subtract(got.predicted, got.true) == pytest.approx(np.full(1000, 0.1))
    assert got.typical.value == pytest.approx(0.1)
    assert got.typical_guess == pytest.approx(np.median(np.abs(y - 1.0)))
    assert got.quantiles["0.5"] == pytest.approx(0.1)


def test_the_typical_errors_count_whole_weights_as_repeated_rows():
    rng = np.random.default_rng(0)
    y, known = rng.normal(size=400), rng.exponential(size=300)
    w, v = rng.integers(1, 5, size=400), np.where(known > 1, 4, 1)
    got = residuals(y, 0.5 * y, known, seed=0, weight=w.astype(float), weight_train=v / 10)
    again = residuals(np.repeat(y, w), np.repeat(0.5 * y, w), np.repeat(known, v), seed=0)
    assert got.typical.value == pytest.approx(again.typical.value)
    assert got.typical_guess == pytest.approx(again.typical_guess)
    assert got.typical_guess != pytest.approx(residuals(y, 0.5 * y, known, seed=0).typical_guess, rel=0.01)


def test_sure_mistakes_are_all_counted():
    y, answers = np.array([0, 0, 0, 1]), np.array([1, 1, 0, 0])
    p = np.array([[0.02, 0.98], [0.1, 0.9], [0.99, 0.01], [0.96, 0.04]])
    assert sure_mistakes(y, p, answers) == 2


def test_moments_of_one_day_are_told_apart():
    frame = pd.DataFrame({"when": pd.date_range("2024-05-01", periods=400, freq="min")})
    words = [words for column, words, _ in _groups(frame, None)]
    assert len(set(words)) == len(words) > 1
    assert words[0] == "below 2024-05-01 01:20"


def test_large_values_are_named_in_full():
    got = confident_mistakes(np.array([1_234_567.0, 0.1234567]), np.array([2_345_678.4, 0.1]), ())
    assert (got[0].true, got[0].predicted) == ("1234567", "2345678")
    assert got[1].true == "0.123457"
    n = 200
    frame = pd.DataFrame({"code": np.repeat([1_234_567.0, 1_234_568.0], n)})
    assert {words for _, words, _ in _groups(frame, None)} == {"1234567", "1234568"}
