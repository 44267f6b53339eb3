"""What of new data a learnt schema cannot use."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autodl.data.words import NO_NUMBER
from autodl.records import ColumnInfo, ColumnKind, TableSchema

FULL_TOP = 10
"""``ColumnInfo.top`` lists at most so many values; with no more distinct ones it lists them all."""


def misfits(raw: pd.DataFrame, canonical: pd.DataFrame, schema: TableSchema) -> list[str]:
    """Sentences about values that count as missing because they do not fit what was learnt.

    Args:
        raw: (n,) rows as read.
        canonical: The same rows after ``apply_schema``.
        schema: The learnt columns.

    Returns:
        One sentence a column with such values: unreadable numbers, dates and yes-or-no words, and categories never
        seen in training (only of columns that had at most ten).
    """
    found = []
    for column in schema.columns:
        before = raw[column.name].astype(object)
        words = before.astype(str).str.strip()
        present = before.notna() & ~words.str.lower().isin(NO_NUMBER) & (words != "")
        bad, what = _bad(column, canonical[column.name], present)
        n = int(bad.sum())
        if n:
            examples = ", ".join(f"'{v}'" for v in pd.unique(words[bad])[:3])
            found.append(f"'{column.name}': {n:,} of {int(present.sum()):,} values {what} ({examples})")
    return found


def _bad(column: ColumnInfo, values: pd.Series, present: pd.Series) -> tuple[pd.Series, str]:
    kinds = {
        ColumnKind.NUMERIC: "are no numbers and count as missing",
        ColumnKind.DATETIME: "are no dates and count as missing",
        ColumnKind.BOOLEAN: "are neither yes nor no and count as missing",
    }
    if column.kind in kinds:
        return present & values.isna().to_numpy(), kinds[column.kind]
    if column.kind is ColumnKind.CATEGORICAL and column.n_unique <= FULL_TOP and column.top:
        seen = {value for value, _ in column.top}
        return present & values.notna().to_numpy() & ~values.isin(seen).to_numpy(), "were never seen in training"
    return pd.Series(np.zeros(len(values), dtype=bool), index=present.index), ""
