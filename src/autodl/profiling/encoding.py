"""Targets as arrays: class codes with their names, or numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.errors import DataError
from autodl.records import ColumnInfo, ColumnKind, Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

LARGEST_TARGET = 1e150
"""Errors are squared and summed over the rows, which must stay below 1.8e308."""


def encode_target(
    values: pd.Series[Any], column: ColumnInfo, task: Task, classes: tuple[str, ...] | None = None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The target as the models see it.

    Args:
        values: (n,) canonical values of the target, none missing.
        column: What is known of the column.
        task: Classification or regression.
        classes: Known class names, for rows of another table; None learns them from ``values``.

    Returns:
        For classification (n,) int64 codes and the class names as they stand in the data, in natural order (a value
        outside given ``classes`` has the code -1); for regression (n,) float64 values and no names.

    Raises:
        DataError: If a value is missing, or is no number, or too large a one, under regression.
    """
    import pandas as pd

    missing = int(values.isna().sum())
    if missing:
        raise DataError(f"the target '{column.name}' is missing in {missing:,} rows", "Leave these rows out first.")
    if task is Task.REGRESSION:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
        bad = ~np.isfinite(numbers)
        if bad.any():
            example = values.to_numpy()[bad][0]
            raise DataError(
                f"the target '{column.name}' holds {example!r}, which is no finite number",
                "Correct these rows or leave them out.",
            )
        far = np.abs(numbers).max(initial=0.0)
        if far > LARGEST_TARGET:
            raise DataError(
                f"the target '{column.name}' holds numbers up to {far:.1e}, whose squares no computer can hold",
                "Write it in another unit, or predict its logarithm.",
            )
        return numbers, ()
    codes, uniques = pd.factorize(values.to_numpy())
    names = [class_name(u, column) for u in uniques]
    ordered = tuple(sorted(set(names), key=_order(column))) if classes is None else classes
    place = {name: i for i, name in enumerate(ordered)}
    lookup = np.array([place.get(n, -1) for n in names], dtype=np.int64)
    return lookup[codes], ordered


def class_name(value: object, column: ColumnInfo) -> str:
    """A canonical value as it stands in the file: 0.0 of whole numbers is ``0``, 1.0 of yes and no is ``yes``."""
    if isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]
    if column.kind is ColumnKind.BOOLEAN:
        return _boolean_name(number != 0, column)
    return str(int(number)) if number.is_integer() else repr(number)


def _boolean_name(value: bool, column: ColumnInfo) -> str:
    words = column.parse.true_words if value else column.parse.false_words
    folded = {w.strip().casefold() for w in words}
    for text, _ in column.top:
        if text.strip().casefold() in folded:
            return text
    return words[0] if words else str(int(value))


def _order(column: ColumnInfo) -> Any:
    """Sort key: false before true, numbers by size, words with the numbers inside them by size."""
    if column.kind is ColumnKind.BOOLEAN:
        return lambda name: (name != _boolean_name(False, column), name)
    return natural_key


def natural_key(text: str) -> tuple[Any, ...]:
    """Key for natural order.

    >>> sorted(["10", "9", "a2", "a10", "-1"], key=natural_key)
    ['-1', '9', '10', 'a2', 'a10']
    """
    try:
        return (0, float(text), text)
    except ValueError:
        parts = re.split(r"(\d+)", text.casefold())
        return (1, tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p), text)
