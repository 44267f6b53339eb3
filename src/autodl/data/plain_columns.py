"""Columns of strings to raw columns: numbers where every cell is one."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from autodl.data.words import MISSING, MISSING_MARKS, NOTHING

PRECISE = 1 << 53
"""From here on float64 does not hold every whole number."""
_WORDS = sorted(MISSING | MISSING_MARKS | NOTHING)


def to_frame(table: pa.Table, decimal: str, as_text: Collection[str] = ()) -> pd.DataFrame:
    """Raw columns of a table of strings: int64 or float64 where every cell is a plain number, else object.

    Args:
        table: Columns already under their final names.
        decimal: The decimal mark of the file.
        as_text: Columns left as text.
    """
    columns = {name: _column(table[name], decimal, name in as_text).to_pandas() for name in table.column_names}
    return pd.DataFrame(columns, copy=False)


def typed(column: pd.Series[Any], decimal: str) -> pd.Series[Any]:
    """A column that was read as text as ``to_frame`` would have given it."""
    cells = pa.chunked_array([pa.array(column, pa.string(), from_pandas=True)])
    typed: pd.Series[Any] = _column(cells, decimal, False).to_pandas()
    return typed


def as_written(column: pd.Series[Any], decimal: str) -> pd.Series[Any]:
    """A column that was read as text as numbers, if these are written again as they stand in its cells; else as text.

    Whole numbers beside gaps are ``Int64``: as floats they would get a point. ``1.10`` may be a version.
    """
    numbers = typed(column, decimal)
    present = numbers.notna()
    if numbers.dtype == object or not present.any():
        return numbers
    words, values = column[present].str.strip(), numbers[present]
    if words.str.fullmatch(r"-?\d+").all():
        numbers, values = (numbers if present.all() else numbers.astype("Int64")), values.astype("int64")
    return numbers if (values.astype(str) == words).all() else column


def _column(cells: pa.ChunkedArray, decimal: str, keep: bool) -> pa.ChunkedArray:
    if keep or cells.null_count == len(cells) or not may_be_numbers(cells, decimal):
        return cells
    numbers = plain_numbers(cells, decimal)
    return cells if numbers is None else numbers


def may_be_numbers(cells: pa.ChunkedArray, decimal: str) -> bool:
    """Whether the first cells leave it open that the column holds plain numbers."""
    probe = [c for c in cells.slice(0, 2000).to_pylist() if c is not None]
    if probe and not any(re.search(r"\d", c) for c in probe):
        return False
    return not (decimal == "," and any("." in c for c in probe))


def plain_numbers(cells: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray | None:
    """The cells as int64 or float64, words for missing values as null; None where a cell is no plain number."""
    # With decimal commas a dot is a thousands mark, which the column's own rule will settle.
    if decimal == "," and pc.any(pc.match_substring(cells, ".")).as_py():
        return None
    numbers = _numbers(cells)
    if numbers is not None:
        return numbers
    cleaned = _filled(cells)
    return None if cleaned.null_count == len(cells) else _numbers(cleaned)


def no_values(cells: pa.ChunkedArray) -> bool:
    """Whether all that stands in the cells are words for missing values."""
    return bool(_filled(cells).null_count == len(cells))


def _filled(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells without blanks around them; words for missing values as null."""
    trimmed = pc.utf8_trim_whitespace(cells)
    words = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(_WORDS))
    return pc.if_else(words, pa.scalar(None, pa.string()), trimmed)


def _numbers(cells: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The cells as int64 or float64; None where a cell is no plain number or a number would lose digits."""
    try:
        numbers = pc.cast(cells, pa.int64())
    except pa.ArrowInvalid:
        try:
            numbers = pc.cast(cells, pa.float64())
        except pa.ArrowInvalid:
            return None
        long = r"^[+-]?(0\d|\d{16,}$)"
    else:
        long = r"^[+-]?0[0-9xX]"
        if numbers.null_count:
            top = pc.max(pc.abs_checked(pc.fill_null(numbers, 0))).as_py() if _safe(numbers) else PRECISE
            if top >= PRECISE:
                return None
            numbers = pc.cast(numbers, pa.float64())
    if pc.any(pc.match_substring_regex(cells, long)).as_py():
        return None
    return numbers


def _safe(numbers: pa.ChunkedArray) -> bool:
    return bool(pc.min(numbers).as_py() > -(1 << 63))
