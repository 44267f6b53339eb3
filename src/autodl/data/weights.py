"""How much each row counts: the weight column, read as non-negative numbers. Notation: n rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodl.data.numbers import parse_numbers
from autodl.errors import DataError
from autodl.records import ColumnInfo, ColumnKind, ParseRule

_ONE = frozenset({"1", "1.0", "1,0"})
_ENDLESS = frozenset(sign + word for sign in ("", "+", "-") for word in ("inf", "infinity"))
_REMEDY = "Give numbers from 0 on: how much a row counts, 0 to leave it out."


def read_weights(
    column: pd.Series, info: ColumnInfo, rows: NDArray[np.int_], where: str, written: pd.Series | None = None
) -> NDArray[np.float64]:
    """(n,) non-negative weights, some positive.

    Args:
        column: (n,) canonical values. info: What is known of the column.
        rows: (n,) 0-based numbers of the rows in the file, for errors.
        where: Name of the data for errors.
        written: (n,) values as they stand in the file, for errors; None if they are not known any more.

    Raises:
        DataError: If a weight is missing, no number or negative, or none is positive.
    """
    values = _numbers(column, info)
    told = f"the weight column '{info.name}' of {where}"
    if values is None:
        kind = "dates" if info.kind is ColumnKind.DATETIME else "words"
        raise DataError(f"{told} holds {kind}, not numbers", _REMEDY)
    endless = np.isinf(values)
    if written is not None:
        words = written.astype(str).str.strip().str.lower()
        endless |= words.isin(_ENDLESS).to_numpy()
    rules = ((endless, "a number that is not finite"), (np.isnan(values), "no number"))
    for bad, what in (*rules, (values < 0, "a negative number")):
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            n = int(bad.sum())
            more = f" and {n - 1:,} other row{'s' if n > 2 else ''}" if n > 1 else ""
            shown = f" ({values[first]:g})" if np.isfinite(values[first]) else ""
            raise DataError(f"{told} has {what} in row {int(rows[first]) + 1:,}{more}{shown}", _REMEDY)
    if not (values > 0).any():
        raise DataError(f"{told} is 0 in every row", "At least some rows must count.")
    return values


def mean_one(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) the weights scaled to mean 1, so that neither their unit nor their sum says anything.

    >>> mean_one(np.array([1.0, 3.0]))
    array([0.5, 1.5])
    """
    with np.errstate(over="ignore"):
        mean = weight.mean()
    if not np.isfinite(mean):
        return mean_one(weight / weight.max())
    return np.asarray(weight / mean, dtype=np.float64)


def _numbers(column: pd.Series, info: ColumnInfo) -> NDArray[np.float64] | None:
    """(n,) numbers, NaN where there is none; None for a column of words or dates."""
    if info.kind is ColumnKind.DATETIME:
        return None
    if info.kind is ColumnKind.BOOLEAN and not set(info.parse.true_words) & {*_ONE, "True"}:
        return None
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(np.float64)
    # Columns that look like keys or are the same in all rows are kept as words.
    words = column.to_numpy(object)
    present = np.array([isinstance(w, str) for w in words], dtype=bool)
    values = np.full(len(words), np.nan)
    values[present] = parse_numbers(words[present], ParseRule())
    open_ = present & np.isnan(values)
    values[open_] = parse_numbers(words[open_], info.parse)
    return None if present.any() and np.isnan(values[present]).all() else values
