"""Frames handed in directly: dtypes that files cannot hold, and objects that no table should."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from fuzz_cells import KINDS, NAMES, column
from hypothesis import strategies as st

Values = Callable[[int, random.Random], Any]


class _Colour(enum.Enum):
    RED = 1
    BLUE = 2


class _Opaque:
    """An object that knows nothing of tables."""


class _Unhashable:
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other


_OWN_PART: list[object] = []
_OWN_PART.append(_OWN_PART)


def _floats(n: int, rng: random.Random) -> list[float]:
    odd = (np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -0.0)
    return [rng.choice(odd) if rng.random() < 0.1 else rng.gauss(0, 1) for _ in range(n)]


def _some(n: int, rng: random.Random, *values: Any) -> pd.Series:
    return pd.Series([rng.choice(values) for _ in range(n)], dtype=object)


def _dates(n: int, rng: random.Random, unit: str = "ns") -> pd.Series:
    days = np.array([rng.randrange(-20_000, 60_000) for _ in range(n)], dtype="datetime64[D]")
    return pd.Series(days.astype(f"datetime64[{unit}]"))


def _arrays(n: int, rng: random.Random) -> pd.Series:
    out = np.empty(n, dtype=object)
    out[:] = [np.arange(rng.randrange(4)) for _ in range(n)]
    return pd.Series(out)


VALUES: dict[str, Values] = {
    **{name: (lambda n, r, d=name: pd.Series([r.randrange(100) for _ in range(n)]).astype(d))
       for name in ("int8", "uint8", "int16", "int32", "int64", "float16", "float32", "complex128")},
    "uint64": lambda n, r: pd.Series([r.choice((1, 2**64 - 1, 2**63)) for _ in range(n)], dtype="uint64"),
    "float64": lambda n, r: pd.Series(_floats(n, r), dtype=float),
    "Int64": lambda n, r: pd.Series([r.choice((1, 2, pd.NA)) for _ in range(n)], dtype="Int64"),
    "UInt64": lambda n, r: pd.Series([r.choice((1, 2**64 - 1, pd.NA)) for _ in range(n)], dtype="UInt64"),
    "Float64": lambda n, r: pd.Series([r.choice((1.5, 2.5, pd.NA)) for _ in range(n)], dtype="Float64"),
    "boolean": lambda n, r: pd.Series([r.choice((True, False, pd.NA)) for _ in range(n)], dtype="boolean"),
    "bool": lambda n, r: pd.Series([r.random() < 0.5 for _ in range(n)], dtype=bool),
    "string": lambda n, r: pd.Series([r.choice(("a", "b", pd.NA)) for _ in range(n)], dtype="string"),
    "arrow_string": lambda n, r: pd.Series([r.choice(("a", "b", None)) for _ in range(n)], dtype="string[pyarrow]"),
    "arrow_int": lambda n, r: pd.Series([r.choice((1, 2, None)) for _ in range(n)], dtype="int64[pyarrow]"),
    "arrow_bool": lambda n, r: pd.Series([r.choice((True, False, None)) for _ in range(n)], dtype="bool[pyarrow]"),
    "arrow_double": lambda n, r: pd.Series([r.choice((1.5, 2, None)) for _ in range(n)], dtype="double[pyarrow]"),
    "arrow_stamp": lambda n, r: _dates(n, r).astype("timestamp[ns][pyarrow]"),
    "arrow_day": lambda n, r: _dates(n, r).astype("date32[day][pyarrow]"),
    "category": lambda n, r: pd.Series([r.choice(("x", "y", None)) for _ in range(n)], dtype="category"),
    "category_int": lambda n, r: pd.Series([r.choice((1, 2, None)) for _ in range(n)], dtype="category"),
    "category_bool": lambda n, r: pd.Series([r.choice((True, False, None)) for _ in range(n)], dtype="category"),
    "category_unused": lambda n, r: pd.Series(pd.Categorical(["a"] * n, categories=["a", "b", "c"], ordered=True)),
    "category_cut": lambda n, r: pd.Series(pd.cut(pd.Series([r.gauss(0, 1) for _ in range(n)]), [-9, 0, 1])),
    "stamp_s": lambda n, r: _dates(n, r, "s"),
    "stamp_ns": _dates,
    "stamp_far": lambda n, r: pd.Series(np.array(["9999-12-31", "0001-01-01"] * n, dtype="datetime64[s]")[:n]),
    "stamp_tz": lambda n, r: _dates(n, r).dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata"),
    "period": lambda n, r: pd.Series(_dates(n, r).dt.to_period("M")),
    "duration": lambda n, r: pd.Series(pd.to_timedelta([r.randrange(10**6) for _ in range(n)], unit="s")),
    "interval": lambda n, r: pd.Series(pd.arrays.IntervalArray.from_breaks(np.arange(n + 1.0))),
    "sparse": lambda n, r: pd.Series(pd.arrays.SparseArray([r.choice((0.0, 1.0)) for _ in range(n)])),
    "sparse_int": lambda n, r: pd.Series(pd.arrays.SparseArray([r.choice((0, 1)) for _ in range(n)])),
    "decimal": lambda n, r: _some(n, r, *map(decimal.Decimal, ("1.5", "NaN", "1e999", "-3")), None),
    "fraction": lambda n, r: _some(n, r, fractions.Fraction(1, 3), fractions.Fraction(5), None),
    "py_date": lambda n, r: _some(n, r, dt.date(2020, 1, 1), dt.date(1, 1, 1), dt.date(9999, 12, 31), None),
    "py_datetime": lambda n, r: _some(n, r, dt.datetime(2020, 1, 1), dt.datetime(2020, 1, 1, tzinfo=dt.UTC), pd.NaT),
    "py_time": lambda n, r: _some(n, r, dt.time(1, 2), dt.time(3, 4)),
    "py_delta": lambda n, r: _some(n, r, dt.timedelta(1), dt.timedelta(days=999999999)),
    "huge": lambda n, r: _some(n, r, 10**30, -(10**30), 1, None),
    "huge_int": lambda n, r: _some(n, r, 10**30, -(10**400), 1),
    "py_complex": lambda n, r: _some(n, r, 1 + 2j, 3),
    "nones": lambda n, r: _some(n, r, None, np.nan, pd.NA, pd.NaT),
    "mixed": lambda n, r: _some(n, r, 1, "a", 2.5, None, True, dt.date(2020, 1, 1), b"x", (1, 2)),
    "bool_number": lambda n, r: _some(n, r, True, False, 2, 0.5),
    "numbers_words": lambda n, r: _some(n, r, 1, 2, 3, "x"),
    "list": lambda n, r: _some(n, r, [1], [2, 3], []),
    "dict": lambda n, r: _some(n, r, {"a": 1}, {}, {1: {2}}),
    "tuple_keys": lambda n, r: _some(n, r, {(1, 2): 3}, {}),
    "own_part": lambda n, r: _some(n, r, _OWN_PART, [1]),
    "numpy_complex": lambda n, r: _some(n, r, np.complex64(1j), np.complex128(2)),
    "numbers_na": lambda n, r: _some(n, r, 1, 2.5, pd.NA, None),
    "array": _arrays,
    "set": lambda n, r: _some(n, r, {1, "a"}, frozenset((1, 2)), set()),
    "bytes": lambda n, r: _some(n, r, b"abc", b"\xff\xfe", bytearray(b"x"), memoryview(b"y")),
    "uuid": lambda n, r: _some(n, r, uuid.UUID(int=1), uuid.UUID(int=2)),
    "path": lambda n, r: _some(n, r, PurePosixPath("a/b"), None),
    "enum": lambda n, r: _some(n, r, _Colour.RED, _Colour.BLUE),
    "opaque": lambda n, r: _some(n, r, _Opaque(), _Opaque, len, ...),
    "unhashable": lambda n, r: _some(n, r, _Unhashable(), None),
    "surrogate": lambda n, r: _some(n, r, "a\ud800", "b", "\udfff"),
    "numpy_scalars": lambda n, r: _some(n, r, np.float32(1), np.int8(2), np.bool_(True), np.str_("z")),
    "numpy_stamps": lambda n, r: _some(n, r, np.datetime64("2020-01-01"), np.timedelta64(1, "D")),
    **{f"text_{k}": (lambda n, r, k=k: pd.Series(column(k, n, r), dtype=object)) for k in sorted(KINDS)},
}  # fmt: skip
"""Kind of values to (n,) of them."""

FRAME_NAMES: tuple[Any, ...] = (*NAMES, 0, 1, 2.5, None, True, (1, 2), np.nan, pd.Timestamp("2020-01-01"), b"raw")
INDEXES = ("plain", "strings", "doubled", "dates", "multi", "named")


@dataclass(frozen=True)
class FrameSpec:
    """A frame to make: kinds of values, whether a share of each column is missing, odd names, an odd index."""

    kinds: tuple[str, ...]
    rows: int
    seed: int
    odd_names: bool
    index: str
    target: str | None

    def frame(self) -> pd.DataFrame:
        """The frame; always the same for the same specification."""
        rng = random.Random(self.seed)
        columns = [VALUES[k](self.rows, rng) for k in self.kinds]
        frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(self.rows))
        names: list[Any] = [f"c{i}" for i in range(len(columns))]
        if self.odd_names:
            names = [rng.choice(FRAME_NAMES) if rng.random() < 0.3 else n for n in names]
        if self.index == "multi" and names:
            frame.columns = pd.MultiIndex.from_tuples([("top", str(n)) for n in names])
        else:
            frame.columns = pd.Index(names, dtype=object)
        if self.index == "strings":
            frame.index = pd.Index([f"r{i}" for i in range(self.rows)])
        elif self.index == "doubled":
            frame.index = pd.Index([0] * self.rows)
        elif self.index == "dates":
            frame.index = pd.date_range("2020", periods=self.rows)
        elif self.index == "named":
            frame.index.name = "c0"
        return frame


def frame_specs() -> st.SearchStrategy[FrameSpec]:
    """Frames of up to eight columns of any kinds."""
    return st.builds(
        FrameSpec,
        kinds=st.lists(st.sampled_from(sorted(VALUES)), min_size=2, max_size=8).map(tuple)
        | st.lists(st.sampled_from(sorted(VALUES)), max_size=1).map(tuple),
        rows=st.sampled_from((25, 100, 10, 50, 0, 1, 2, 3)),
        seed=st.integers(0, 2**32 - 1),
        odd_names=st.sampled_from((False, False, True)),
        index=st.sampled_from(INDEXES),
        target=st.sampled_from((None, "c0", "c0", "c1", "c1", "nope", "top_c0")),
    )
