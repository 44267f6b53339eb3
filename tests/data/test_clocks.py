"""Times of day and durations: seconds, from text and from cells that hold times."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.data import apply_schema, infer_schema, learn_table, read_table
from autodl.data.clocks import learn_clock_rule
from autodl.data.words import is_clock_name
from autodl.errors import DataError
from autodl.options import FitOptions
from autodl.pipeline import run_plan
from autodl.records import ColumnKind, TableSchema

SECONDS = [3600 * (i % 24) + 60 * (i * 7 % 60) + i % 60 for i in range(60)]
TIMES = [datetime.time(s // 3600, s // 60 % 60, s % 60) for s in SECONDS]


def learnt(cells: Sequence[object], name: str = "t") -> TableSchema:
    frame = read_table(pd.DataFrame({name: cells, "y": np.arange(len(cells))}))[0]
    return infer_schema(frame, target="y").only([name])


def read_again(cells: Sequence[object], schema: TableSchema) -> list[float]:
    name = schema.names[0]
    return apply_schema(read_table(pd.DataFrame({name: cells}))[0], schema)[name].tolist()


@pytest.mark.parametrize(
    "cells",
    [
        [str(t) for t in TIMES],
        [str(pd.Timedelta(seconds=s)) for s in SECONDS],
        [str(datetime.timedelta(seconds=s)) for s in SECONDS],
        [f"{t:%I:%M:%S %p}" for t in TIMES],
        TIMES,
        pd.Series([datetime.timedelta(seconds=s) for s in SECONDS], dtype=object),
        [datetime.timedelta(seconds=s) for s in SECONDS],
    ],
)
def test_times_are_seconds(cells: list[object]) -> None:
    schema = learnt(cells)
    assert schema["t"].kind is ColumnKind.NUMERIC, schema["t"].why
    assert read_again(cells, schema) == SECONDS
    assert read_again([*TIMES[:5]], schema) == SECONDS[:5]
    assert read_again([str(t) for t in TIMES[:5]], schema) == SECONDS[:5]


@pytest.mark.parametrize("name", ["t.xlsx", "t.parquet"])
def test_cells_that_hold_times(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"t": [*TIMES[:-1], None], "y": np.arange(60)})
    path = tmp_path / name
    frame.to_excel(path, index=False) if name.endswith("xlsx") else frame.to_parquet(path)
    raw, _ = read_table(path)
    schema = infer_schema(raw, target="y")
    np.testing.assert_array_equal(apply_schema(raw, schema)["t"], [*SECONDS[:-1], np.nan])


@pytest.mark.parametrize(("name", "form"), [("start", "{}:{:02d}"), ("departure", "{:02d}:{:02d}")])
def test_hours_and_minutes(name: str, form: str) -> None:
    schema = learnt([form.format(i % 24, i) for i in range(60)], name)
    assert read_again(["14:03", "9:30 pm", "-0:30"], schema) == [50580.0, 77400.0, -1800.0]


@pytest.mark.parametrize(
    ("name", "form"),
    [("result", "2{1}:{0:02d}"), ("verse", "{1}:{0:02d}"), ("ratio", "1{1}:{0:02d}"), ("half_time", "{1}:{0:02d}")],
)
def test_scores_verses_and_ratios_are_words(name: str, form: str) -> None:
    schema = learnt([form.format(i % 30, i % 6) for i in range(60)], name)
    assert schema[name].kind in (ColumnKind.CATEGORICAL, ColumnKind.ID)


@pytest.mark.parametrize(("form", "odd"), [("%H:%M:%S", "12:30"), ("%H:%M", "1:12:30")])
def test_a_cell_that_may_be_minutes_and_seconds_is_missing_and_undoes_no_column(form: str, odd: str) -> None:
    cells = [t.strftime(form) for t in TIMES]
    schema = learnt([*cells, odd], "start")
    assert schema["start"].kind is ColumnKind.NUMERIC
    assert "1 cells" in schema["start"].why and repr(odd) in schema["start"].why
    found = read_again([*cells[:9], odd], schema)
    assert found[:9] == [s if form.endswith("S") else s // 60 * 60 for s in SECONDS[:9]]
    assert np.isnan(found[9])


@pytest.mark.parametrize(
    ("cells", "word", "expected"),
    [
        ([datetime.timedelta(seconds=s) for s in SECONDS], "12:30", 45000.0),
        ([str(t) for t in TIMES], "12:30", np.nan),
        ([f"{t:%H:%M}" for t in TIMES], "12:30", 45000.0),
        ([f"{t:%H:%M}" for t in TIMES], "12:30:00", 45000.0),
        ([f"{t:%H:%M}" for t in TIMES], "12:30:05", np.nan),
        ([f"{t:%H:%M}:00" for t in TIMES], "12:30", 45000.0),
        ([f"{t:%H:%M}:00" for t in TIMES], "12:30:05", 45005.0),
        ([datetime.timedelta(seconds=s) for s in SECONDS], "2700", 2700.0),
        ([datetime.timedelta(seconds=s) for s in SECONDS], "300:30:00", np.nan),
    ],
)
@pytest.mark.parametrize("others", [[], ["08:15"] * 3, ["08:15:01", "08:16:02"], ["09:00:00", "300:10:00", "?"]])
def test_a_time_is_read_alike_whatever_stands_beside_it(
    cells: list[object], word: str, expected: float, others: list[str]
) -> None:
    found = read_again([word, *others], learnt(cells, "start"))[0]
    np.testing.assert_equal(found, expected)


@pytest.mark.parametrize("name", ["departure", "Sunrise", "kick_off", "min_duration", "Ankunftszeit"])
def test_names_of_times(name: str) -> None:
    assert is_clock_name(name)


@pytest.mark.parametrize("name", ["Halbzeit", "min_ratio", "score_end", "aspect_start", "startOdds", "ratios_min"])
def test_names_of_scores_and_ratios_hold_words(name: str) -> None:
    assert not is_clock_name(name)
    schema = learnt([f"{i % 6}:{i % 30:02d}" for i in range(60)], name)
    assert schema[name].kind in (ColumnKind.CATEGORICAL, ColumnKind.ID)


def test_times_of_day_order_no_rows() -> None:
    raw = pd.DataFrame({"at": [str(t) for t in TIMES], "y": np.arange(60) * 0.5})
    raw["since"] = [str(pd.Timedelta(seconds=60 * s)) for s in SECONDS]
    for order, kind in (("at", ColumnKind.CATEGORICAL), ("since", ColumnKind.NUMERIC)):
        schema, _ = learn_table(read_table(raw)[0], target="y", order=order)
        assert schema[order].kind is kind
    options = FitOptions(target="y", time_column="at")
    with pytest.raises(DataError, match="'at' holds neither dates nor numbers"):
        run_plan(raw, options)


def test_negative_durations_and_fractions() -> None:
    cells = [str(pd.Timedelta(seconds=s)) for s in np.arange(-30, 30) * 1000.5]
    assert read_again(cells, learnt(cells)) == (np.arange(-30, 30) * 1000.5).tolist()


@pytest.mark.parametrize(
    "words",
    [["1:02:03", "12:30", "45:10"], ["2:1", "3:0", "1:1"], ["16:75", "4:90"], ["13:00 pm", "14:10 am"], ["?"]],
)
def test_what_is_no_time_or_may_be_minutes(words: list[str]) -> None:
    assert learn_clock_rule(words) is None


def test_times_are_not_taken_for_other_numbers() -> None:
    schema = learnt([i / 4 for i in range(60)])
    assert np.isnan(read_again(["10:30:00", "11:00:00"], schema)).all()


def test_classes_that_are_times_stay_words() -> None:
    frame = pd.DataFrame({"shift": ["06:00", "14:00", "22:00"] * 20, "x": np.arange(60) * 0.3})
    assert infer_schema(read_table(frame)[0], target="shift")["shift"].kind is ColumnKind.CATEGORICAL
