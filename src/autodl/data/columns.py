"""Names and dtypes of raw frames from any source."""

from __future__ import annotations

import decimal
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from autodl.data.arrow_blocks import WHOLE
from autodl.data.plain_columns import PRECISE
from autodl.data.series.cells import objects_to_cells
from autodl.errors import DataError
from autodl.media.array import MediaDtype

INDEX_NAME = "Unnamed: 0"
"""The name given to a nameless first column, which row names of pandas and R leave."""
_NUMBERS = (int, float, np.integer, np.floating, decimal.Decimal)


def clean_names(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Stripped names; nameless columns get one.

    Returns:
        (names, notes).
    """
    out, notes = [], []
    for i, raw in enumerate(names):
        name = " ".join(raw.encode("utf-8", errors="replace").decode().replace("\ufeff", "").split())
        if not name:
            name = INDEX_NAME if i == 0 else f"column_{i + 1}"
            notes.append(f"Column {i + 1} has no name; it is called '{name}' here.")
        elif "\n" in raw.strip():
            notes.append(f"The name of column {i + 1} goes over several lines; it is '{name}' here.")
        out.append(name)
    return out, tuple(notes)


def check_names(names: Sequence[str], where: str) -> None:
    """Raise ``DataError`` if two columns share a name."""
    twice = [n for n, count in Counter(names).items() if count > 1]
    if twice:
        places = " and ".join(str(i + 1) for i, n in enumerate(names) if n == twice[0])
        raise DataError(f"{where}: columns {places} are both named '{twice[0]}'", "Rename or remove one of them.")


def raw_names(frame: pd.DataFrame) -> list[str]:
    """A frame's column names as text; those of several levels joined."""
    if isinstance(frame.columns, pd.MultiIndex):
        return ["_".join(str(p) for p in c if str(p)) for c in frame.columns]
    return [str(c) for c in frame.columns]


def normalise(frame: pd.DataFrame, where: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A frame with clean names, a fresh index and plain dtypes.

    Returns:
        (frame of int64, float64, bool, datetime64[ns] and object columns with ``str`` or ``None``; notes).

    Raises:
        DataError: If names are not unique, or a column holds values that are no table cells.
    """
    notes: list[str] = []
    names, repaired = clean_names(raw_names(frame))
    check_names(names, where)
    columns = {name: _plain(frame.iloc[:, i], name, notes) for i, name in enumerate(names)}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), copy=False), (*repaired, *notes)


def _plain(column: pd.Series, name: str, notes: list[str]) -> pd.Series:
    column = column.reset_index(drop=True)
    if isinstance(column.dtype, MediaDtype):
        return column
    if isinstance(column.dtype, pd.ArrowDtype):  # pandas offers for these only a part of what it does for its own
        column = pa.array(column.array).to_pandas(types_mapper=WHOLE.get)
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(np.asarray(column))
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype if not column.hasnans else object)
    kind = column.dtype
    if pd.api.types.is_bool_dtype(kind):
        return column.astype(bool) if not column.hasnans else _objects(column.astype(object), name, notes)
    if pd.api.types.is_integer_dtype(kind):
        if column.hasnans:
            return _gapped(column, column.isna().to_numpy())
        small = str(kind).lower() != "uint64" or not len(column) or column.max() < 1 << 63
        return column.astype(np.int64) if small else column.astype(str).astype(object)
    if pd.api.types.is_float_dtype(kind):
        return pd.Series(column.to_numpy(np.float64, na_value=np.nan))
    if pd.api.types.is_datetime64_any_dtype(kind):
        return _instants(column)
    if isinstance(kind, pd.PeriodDtype):
        return _instants(column.dt.to_timestamp())
    if pd.api.types.is_timedelta64_dtype(kind):
        notes.append(f"Durations in '{name}' are counted in seconds.")
        return pd.Series(column.dt.total_seconds().to_numpy(np.float64))
    if pd.api.types.is_complex_dtype(kind):
        raise DataError(f"column '{name}' holds complex numbers", "Split it into real and imaginary parts.")
    return _objects(column.astype(object), name, notes)


def _instants(column: pd.Series) -> pd.Series:
    if column.dt.tz is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    low, high = pd.Timestamp.min, pd.Timestamp.max
    return column.where((column > low) & (column < high)).astype("datetime64[ns]")


def _objects(column: pd.Series, name: str, notes: list[str]) -> pd.Series:
    missing = column.isna().to_numpy()
    present = column[~missing]
    kinds = {type(v) for v in present}
    if not kinds or kinds == {str}:
        return _encodable(column.where(~missing, None))
    if all(issubclass(k, bool | np.bool_) for k in kinds):
        words = present.map(str)
    elif all(issubclass(k, _NUMBERS) and not issubclass(k, np.timedelta64) for k in kinds):
        if all(issubclass(k, int | np.integer) for k in kinds):
            return _gapped(column, missing) if missing.any() else _integers(column)
        numbers = np.full(len(column), np.nan)
        numbers[~missing] = [_float(v) for v in present]
        return pd.Series(numbers)
    elif all(hasattr(v, "isoformat") and hasattr(v, "year") for v in present):
        return _instants(pd.to_datetime(column, errors="coerce", utc=True))
    elif (cells := objects_to_cells(column)) is not None:
        return pd.Series(cells)
    else:
        words = present.map(_word)
        if any(issubclass(k, list | tuple | dict | set | np.ndarray) for k in kinds):
            notes.append(f"Lists or mappings in '{name}' are read as text.")
        elif len(kinds) > 1:
            shown = ", ".join(sorted(k.__name__ for k in kinds))
            notes.append(f"'{name}' mixes kinds of values ({shown}); they are read as text.")
    out = pd.Series(np.full(len(column), None, dtype=object), dtype=object)
    out[~missing] = words.to_numpy(object)
    return _encodable(out)


def _encodable(texts: pd.Series) -> pd.Series:
    """Text of ``str`` and ``None`` that UTF-8 can hold: halves of surrogate pairs (JSON allows them) become ``?``."""
    try:
        pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return texts.map(lambda t: t.encode("utf-8", errors="replace").decode(), na_action="ignore")
    return texts


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return float("inf") if value > 0 else float("-inf")


def _integers(column: pd.Series) -> pd.Series:
    try:
        return column.astype(np.int64)
    except OverflowError:
        return column.map(str).astype(object)


def _gapped(column: pd.Series, missing: NDArray[np.bool_]) -> pd.Series:
    """Whole numbers beside gaps as float64; as text, as from a text file, where it does not hold all of them."""
    present = column[~missing]
    if not len(present) or max(int(present.max()), -int(present.min())) < PRECISE:
        numbers = np.full(len(column), np.nan)
        numbers[~missing] = present.to_numpy(np.float64)
        return pd.Series(numbers)
    words = np.full(len(column), None, dtype=object)
    words[~missing] = [str(v) for v in present]
    return pd.Series(words, dtype=object)


def as_given(given: pd.Series, plain: pd.Series) -> pd.Series:
    """A column to copy: as it was given where its ``plain`` form, by ``normalise``, loses something of it.

    Those are whole numbers beside gaps, times with a zone, and durations.
    """
    given, kind = given.reset_index(drop=True), given.dtype
    if isinstance(kind, pd.DatetimeTZDtype) or pd.api.types.is_timedelta64_dtype(kind):
        return given
    if pd.api.types.is_integer_dtype(kind) and given.hasnans:
        return given
    if kind.kind == "O" and plain.dtype == np.float64 and all(isinstance(v, int) for v in given.dropna()):
        return given.astype("Int64")
    return plain


def _word(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, set):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple | dict):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except (TypeError, ValueError):  # keys that JSON has not, or a list that holds itself
            return str(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
