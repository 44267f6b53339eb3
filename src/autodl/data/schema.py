"""A learnt schema applied to new data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodl.data.numbers import file_uses_decimal_comma
from autodl.data.parsing import Levels, canonical, is_text
from autodl.data.series.wide import with_wide
from autodl.errors import DataError, did_you_mean
from autodl.records import ColumnInfo, ColumnKind, TableSchema

if TYPE_CHECKING:
    from autodl.media.place import MediaPlace


def apply_schema(
    frame: pd.DataFrame,
    schema: TableSchema,
    *,
    where: str = "data",
    place: MediaPlace | None = None,
    commas_part: bool = False,
    decimal: str | None = None,
) -> pd.DataFrame:
    """Canonical values of the schema's columns, in the schema's order, with a fresh index.

    Columns that the schema does not know are ignored. Values that do not fit a column's rule become missing; where
    most of a column does not fit (another decimal mark, another date form), the column is read by a rule of its own.

    Args:
        frame: A raw frame, as ``read_table`` gives it.
        schema: The columns to take; ``schema.only(names)`` for some of them.
        where: Name of the data for errors.
        place: Where images are decoded to; if not given, a folder that lasts as long as this process.
        commas_part: As for ``infer_schema``.
        decimal: The decimal mark of the file, where it is known: columns that the schema has not may have shown it.

    Raises:
        DataError: If columns are missing or named twice.
    """
    frame = with_wide(frame, schema, where)
    names = [str(c) for c in frame.columns]
    lacking = [n for n in schema.names if n not in names]
    if lacking:
        spare = [n for n in names if n not in schema.names]
        shown = ", ".join(f"'{n}'" for n in lacking[:5]) + (
            f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        )
        hint = did_you_mean(lacking[0], spare) if spare else ""
        remedy = hint if hint.startswith("Did") else "It needs the columns of the training data."
        raise DataError(f"{where} lacks the column{'s' if len(lacking) > 1 else ''} {shown}", remedy)
    twice = {n for n in schema.names if names.count(n) > 1}
    if twice:
        raise DataError(f"{where} has two columns named '{min(twice)}'", "Rename or remove one of them.")
    raw = {c.name: frame.iloc[:, names.index(c.name)] for c in schema.columns}
    numeric = schema.of_kind(ColumnKind.NUMERIC)
    levels = {n: Levels.of(raw[n]) for n in numeric if is_text(raw[n])}
    comma = None
    if not commas_part:
        comma = decimal == "," or file_uses_decimal_comma(level.words for level in levels.values())
    columns: dict[str, Any] = {}
    for c in schema.columns:
        span = None if c.numeric is None else (c.numeric.minimum, c.numeric.maximum)
        values = canonical(raw[c.name], c.kind, c.parse, levels.get(c.name), place, comma, span)
        columns[c.name] = pd.Series(values, copy=False)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)), columns=list(schema.names), copy=False)


def labels(values: NDArray[Any] | pd.Series, info: ColumnInfo) -> NDArray[np.object_]:
    """(n,) class names as they stand in the data, from canonical values of the target; None where missing.

    >>> from autodl.records import ParseRule
    >>> info = ColumnInfo(name="y", kind=ColumnKind.NUMERIC, n=3, n_missing=1, n_unique=2)
    >>> labels(np.array([1.0, np.nan, 0.0]), info).tolist()
    ['1', None, '0']
    """
    from autodl.data.number_words import number_word

    codes, levels = pd.factorize(np.asarray(values), use_na_sentinel=True)
    if info.kind is ColumnKind.BOOLEAN and info.parse.true_words and info.parse.false_words:
        words = [info.parse.true_words[0] if v == 1 else info.parse.false_words[0] for v in levels]
    elif info.kind in (ColumnKind.NUMERIC, ColumnKind.BOOLEAN, ColumnKind.DATETIME):
        words = [number_word(v) for v in levels]
    else:
        words = [str(v) for v in levels]
    return np.array([*words, None], dtype=object)[codes]
