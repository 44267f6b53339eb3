"""The verdict on a column of series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodl.data.series.cells import channels_of
from autodl.data.word_kinds import Verdict
from autodl.errors import DataError
from autodl.media.array import MediaArray
from autodl.records import ColumnKind, ParseRule, SeriesRule

if TYPE_CHECKING:
    import pandas as pd


def judge_series(name: str, column: pd.Series, is_target: bool) -> Verdict:
    """A column whose cells are series.

    Raises:
        DataError: If it is the target.
    """
    cells = column.array
    assert isinstance(cells, MediaArray)
    if is_target:
        raise DataError(
            f"the target '{name}' holds a series in each row, but one number or class is needed",
            "Name another column with --target.",
        )
    if cells.store.kind != "series":
        raise TypeError(f"'{name}' holds {cells.store.kind}s, which are read from files")
    channels = channels_of(cells)
    if not channels:
        return Verdict(ColumnKind.CONSTANT, "no values")
    many = f" of {channels} channels" if channels > 1 else ""
    return Verdict(ColumnKind.SERIES, f"a series{many} in each row", ParseRule(series=SeriesRule(channels=channels)))
