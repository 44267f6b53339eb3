"""The weights of a dataset's rows: which rows count by them, and what the user is told of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodl.data import mean_one, read_weights
from autodl.effective_rows import effective_rows
from autodl.errors import DataError, did_you_mean
from autodl.profiling.task import check_weighed
from autodl.records import TableSchema

FEW_ROWS = 30
"""Effective rows of uneven weights below which a note says so."""


def row_weights(
    frame: pd.DataFrame,
    present: NDArray[Any],
    rows: NDArray[Any],
    schema: TableSchema,
    column: str | None,
    name: str,
    raw: pd.DataFrame | None,
) -> tuple[NDArray[np.float64] | None, NDArray[Any]]:
    """Weights of the rows that count, mean 1, and which rows these are; None and ``present`` without weights.

    Args:
        frame: All rows. present: Which have a target. rows: Their numbers in the file.
        schema: Of the columns. column: The weight column. name: Of the data.
        raw: All rows as they were read, if they are still there.
    """
    if column is None:
        return None, present
    if column not in schema.names:
        raise DataError(f"the weight column '{column}' is not in {name}", did_you_mean(column, schema.names))
    if not present.any():
        return None, present
    written = None if raw is None or column not in raw.columns else raw.loc[present, column]
    weight = read_weights(frame.loc[present, column], schema[column], rows[present], name, written)
    keep = present.copy()
    keep[present] = weight > 0
    return mean_one(weight[weight > 0]), keep


def weight_notes(
    weight: NDArray[np.float64],
    n_zero: int,
    column: str,
    target: str,
    classes: tuple[str, ...],
    counts: tuple[int, ...],
    y: NDArray[Any],
) -> list[str]:
    """Notes on the weights (n,) of the rows that count; ``n_zero`` others are left out.

    Raises:
        DataError: If the weights leave nothing to learn from.
    """
    worth, n = effective_rows(weight) if len(weight) else 0.0, len(weight)
    n_values = len(np.unique(y))
    check_weighed(column, target, classes, counts, n=n, n_zero=n_zero, n_values=n_values, worth=worth)
    notes = []
    if n_zero:
        notes.append(f"{n_zero:,} row{'s are' if n_zero > 1 else ' is'} left out, since the weight is 0.")
    if np.ptp(weight) == 0:
        notes.append(f"All weights in '{column}' are equal, so they have no effect.")
    elif worth < FEW_ROWS:
        notes.append(
            f"The weights in '{column}' are so uneven that {n:,} rows tell about as much as {worth:.0f} rows of "
            "equal weight: every score is uncertain."
        )
    return notes
