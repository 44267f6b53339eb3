"""Frames of other libraries read like the pandas frame of the same rows."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from autodl.data import read_table
from autodl.data.frames import as_pandas, is_frame
from autodl.errors import DataError

DAYS = [dt.datetime(2020, 1, 1 + i, 3) for i in range(4)]
PANDAS = pd.DataFrame(
    {
        "whole": [1, 2, 3, 4],
        "gaps": [1.5, np.nan, 2.0, 3.0],
        "words": ["a", None, "ü", "d"],
        "flag": [True, False, True, True],
        "when": DAYS,
        "level": pd.Categorical(["x", "y", "x", "y"]),
    }
)
POLARS = pl.DataFrame(
    {
        "whole": pl.Series([1, 2, 3, 4], dtype=pl.Int16),
        "gaps": [1.5, None, 2.0, 3.0],
        "words": ["a", None, "ü", "d"],
        "flag": [True, False, True, True],
        "when": DAYS,
        "level": pl.Series(["x", "y", "x", "y"], dtype=pl.Categorical),
    }
)


class Streamed:
    """Nothing but the Arrow C stream, like a relation of DuckDB."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


class Exchanged:
    """Nothing but the older interchange protocol."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:
        return self.table.__dataframe__(nan_as_null, allow_copy)


@pytest.mark.parametrize(
    "source",
    [POLARS, POLARS.lazy(), POLARS.to_arrow(), pa.Table.from_pandas(PANDAS), Streamed(POLARS), Exchanged(PANDAS)],
    ids=["polars", "lazy", "arrow", "arrow of pandas", "stream", "interchange"],
)
def test_every_kind_of_frame_reads_like_pandas(source: Any) -> None:
    assert is_frame(source)
    expected, _ = read_table(PANDAS)
    found, info = read_table(source)
    pd.testing.assert_frame_equal(found, expected)
    assert info.format == "frame"


def test_a_pandas_frame_is_not_copied() -> None:
    assert as_pandas(PANDAS) is PANDAS


def test_all_types_of_polars_can_be_read() -> None:
    frame = pl.DataFrame(
        {
            "no": [None] * 4,
            "flag": [True, None, False, True],
            "day": [d.date() for d in DAYS],
            "zoned": pl.Series(DAYS).dt.replace_time_zone("Europe/Berlin"),
            "span": [dt.timedelta(hours=i) for i in range(4)],
            "clock": [dt.time(i) for i in range(4)],
            "enum": pl.Series(["b", "a", "b", "a"], dtype=pl.Enum(["b", "a"])),
            "list": [["a", "b"]] * 4,
            "steps": [[1.5, 2.5]] * 3 + [[0.5]],
            "struct": [{"a": 1, "b": "x"}] * 4,
            "money": [decimal.Decimal("1.25")] * 4,
            "bytes": [b"ab"] * 4,
            "huge": pl.Series([2**63 + 1] * 4, dtype=pl.UInt64),
        }
    )
    found, info = read_table(frame)
    assert found["flag"].tolist() == ["True", None, "False", "True"]
    assert found["day"].tolist() == [pd.Timestamp(d.date()) for d in DAYS]
    assert found["zoned"].tolist() == [pd.Timestamp(d) - pd.Timedelta(hours=1) for d in DAYS]
    assert found["span"].tolist() == [0.0, 3600.0, 7200.0, 10800.0]
    assert found["clock"].tolist() == ["00:00:00", "01:00:00", "02:00:00", "03:00:00"]
    assert found["enum"].tolist() == ["b", "a", "b", "a"]
    assert found["list"].tolist() == ['["a", "b"]'] * 4
    assert [steps.ravel().tolist() for steps in found["steps"]] == [[1.5, 2.5]] * 3 + [[0.5]]
    assert found["struct"].tolist() == ['{"a": 1, "b": "x"}'] * 4
    assert found["money"].tolist() == [1.25] * 4
    assert found["huge"].tolist() == [str(2**63 + 1)] * 4
    assert sum("read as text" in note for note in info.notes) == 2


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.array([1, None, 3], dtype="Int64"), [1.0, None, 3.0]),
        (pd.array([2**60 + 1, None, -3], dtype="Int64"), [str(2**60 + 1), None, "-3"]),  # no float holds it
        (pd.array([2**60 + 1, None], dtype=pd.ArrowDtype(pa.int64())), [str(2**60 + 1), None]),
        (np.array([2**60 + 1, None], dtype=object), [str(2**60 + 1), None]),
        (np.array([7, None], dtype=object), [7.0, None]),
        (pd.array([1, 2, 3], dtype="UInt8"), [1, 2, 3]),
        (pd.array([True, None, False], dtype="boolean"), ["True", None, "False"]),
        (pd.array([True, True, False], dtype="boolean"), [True, True, False]),
        (pd.array(["a", None, "c"], dtype="string[pyarrow]"), ["a", None, "c"]),
        (pd.Categorical([2, 1, 2]), [2, 1, 2]),
        (pd.Categorical([True, False, True]), [True, False, True]),
        (pd.date_range("2020", periods=3, tz="UTC"), list(pd.date_range("2020", periods=3))),
        (pd.period_range("2020", periods=3, freq="M"), list(pd.date_range("2020", periods=3, freq="MS"))),
        (pd.to_timedelta([1, 2, None], unit="h"), [3600.0, 7200.0, None]),
        (pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.int64())), [1.0, None, 3.0]),
        (pd.array(DAYS[:3], dtype=pd.ArrowDtype(pa.timestamp("us"))), DAYS[:3]),
        (pd.arrays.SparseArray([0.0, 1.0, 0.0]), [0.0, 1.0, 0.0]),
        (pd.interval_range(0, 3), ["(0, 1]", "(1, 2]", "(2, 3]"]),
    ],
    ids=lambda v: str(getattr(v, "dtype", "")),
)
def test_dtypes_of_pandas(values: Any, expected: list[Any]) -> None:
    found = read_table(pd.DataFrame({"c": values}))[0]["c"]
    assert [None if pd.isna(v) else v for v in found] == expected


def test_odd_labels_of_rows_and_columns() -> None:
    frame = pd.DataFrame(np.eye(3), index=[7, 7, 7], columns=[0, 1.5, "c"])
    found, _ = read_table(frame)
    assert found.columns.tolist() == ["0", "1.5", "c"]
    assert found.index.tolist() == [0, 1, 2]
    nested = frame.set_axis(pd.MultiIndex.from_tuples([("a", "b"), ("a", "c"), ("d", "")]), axis=1)
    assert read_table(nested)[0].columns.tolist() == ["a_b", "a_c", "d"]
    with pytest.raises(DataError, match="columns 1 and 3 are both named '1'"):
        read_table(frame.set_axis([1, 2, "1"], axis=1))


@pytest.mark.parametrize("source", [pl.Series([1]), np.eye(2), {"a": [1]}, [{"a": 1}], 3, None, pd.Series([1])])
def test_what_is_no_table_is_refused_with_the_remedy(source: Any) -> None:
    with pytest.raises(DataError, match=r"a path or a DataFrame is needed, but got \w+. .*pandas.DataFrame"):
        read_table(source)
    assert not is_frame(np.eye(2))


def test_a_frame_that_breaks_when_it_is_read_is_told_in_one_line() -> None:
    class Broken:
        def to_pandas(self) -> pd.DataFrame:
            raise TypeError("no\nsuch type")

    with pytest.raises(DataError, match=r"the data \(Broken\) cannot be read as a table: no such type. Turn it"):
        as_pandas(Broken())
