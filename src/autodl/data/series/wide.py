"""Wide tables: columns of numbers that are the steps of one series, which the data must show beyond doubt.

Notation: n rows, t columns that may be steps.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from autodl.data.parsing import canonical
from autodl.data.series.cells import series_cells, store_series
from autodl.data.series.stats import describe_series
from autodl.errors import DataError
from autodl.records import ColumnInfo, ColumnKind, ParseRule, SeriesRule, TableSchema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.media.place import MediaPlace

FEWEST = 24
"""Columns that a series has at least."""
MOST_ROWS = 1000
"""Rows whose correlations are looked at."""
LEAST_ROWS = 12
NEAR = 0.7
"""Mean correlation of neighbouring columns, at least."""
NEARLY_ALL, SOME = 0.9, 0.3
"""Share of the neighbouring pairs that correlate at least so much."""
DROP = 0.2
"""By so much the correlation of columns a third of the series apart is lower than that of neighbours."""
REVIVAL = 0.15
"""By so much the correlation may rise again with the distance: it does in the rows of an image."""
STRANGE = 0.02
"""Share of the cells that may be missing."""
_NUMBERED = re.compile(r"^(.*?)(\d+)$")


@dataclass(frozen=True)
class Run:
    """Columns that may be steps: one stem, and numbers that run on evenly.

    Attributes:
        columns: t names in the order of the numbers. near: mean correlation of neighbours. far: of columns a third
            of the series apart.
        named: Whether the user said so: then nothing has to show it.
    """

    columns: tuple[str, ...]
    near: float = 0.0
    far: float = 0.0
    named: bool = False

    @property
    def name(self) -> str:
        """Of the series."""
        return f"{self.columns[0]} to {self.columns[-1]}"


def find_wide(schema: TableSchema, frame: pd.DataFrame, leave_out: Collection[str] = ()) -> list[Run]:
    """Runs of columns that are the steps of a series beyond doubt.

    Args:
        schema: All columns. frame: (n,) canonical rows. leave_out: Columns that cannot be steps, such as the target.
    """
    found: list[Run] = []
    for columns in numbered_runs(schema, leave_out):
        if any(c in run.columns for run in found for c in columns):
            continue
        rows = np.unique(np.linspace(0, len(frame) - 1, min(MOST_ROWS, len(frame))).astype(int))
        near, far = evidence(frame[list(columns)].iloc[rows].to_numpy(np.float64))
        if near > 0:
            found.append(Run(columns, near, far))
    return found


def named_runs(schema: TableSchema, asked: Sequence[str], leave_out: Collection[str] = ()) -> list[Run]:
    """The columns that the user named as steps, in file order.

    Args:
        schema: All columns. asked: ``FIRST to LAST``, or a pattern with ``*`` and ``?``; one for each series.
        leave_out: Columns that cannot be steps, such as the target; a pattern passes over them.

    Raises:
        DataError: If fewer than two columns are meant, or one holds no numbers.
    """
    found = []
    for text in asked:
        names = tuple(n for n in _meant(schema.names, text) if n not in leave_out)
        if len(names) < 2:
            known = "no column" if not names else f"only '{names[0]}'"
            raise DataError(
                f"--series-steps '{text}' names {known}, but a series has several steps",
                "Write the first and the last column, like 't1 to t96', or a pattern, like 't*'.",
            )
        for name in names:
            column = schema[name]
            if not _may_be_step(column):
                raise DataError(
                    f"--series-steps '{text}' names '{name}', which holds no plain numbers ({column.why})",
                    "The steps of a series are numbers, written in one way in all columns.",
                )
        found.append(Run(names, named=True))
    return found


def _may_be_step(column: ColumnInfo) -> bool:
    """Whether a column holds plain numbers, be it the same in every row or none at all."""
    if column.parse != ParseRule():
        return False
    same = column.kind is ColumnKind.CONSTANT and all(_is_number(word) for word, _ in column.top)
    return same or column.kind is ColumnKind.NUMERIC


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _meant(names: Sequence[str], text: str) -> list[str]:
    first, _, last = text.partition(" to ")
    if first in names and last in names:
        places = sorted((names.index(first), names.index(last)))
        return list(names[places[0] : places[1] + 1])
    return [n for n in names if fnmatchcase(n, text)]


def numbered_runs(schema: TableSchema, leave_out: Collection[str] = ()) -> list[tuple[str, ...]]:
    """Groups of at least ``FEWEST`` neighbouring numeric columns with names like ``t1``, ``t2``, ...

    >>> info = [ColumnInfo(name=f"t{k}", kind=ColumnKind.NUMERIC, n=9, n_missing=0, n_unique=9) for k in range(30)]
    >>> [len(run) for run in numbered_runs(TableSchema(columns=tuple(info)))]
    [30]
    """
    groups: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for place, column in enumerate(schema.columns):
        match = _NUMBERED.match(column.name)
        if match is None or column.name in leave_out:
            continue
        if _may_be_step(column):
            groups[match[1]].append((place, int(match[2]), column.name))
    found = []
    for members in groups.values():
        places, numbers = [m[0] for m in members], [m[1] for m in members]
        if len(members) < FEWEST or any(c.kind is ColumnKind.CONSTANT for c in _infos(schema, members)[::7]):
            continue
        beside = places == list(range(places[0], places[0] + len(places)))
        even = len({b - a for a, b in pairwise(numbers)}) == 1 and numbers[1] > numbers[0]
        if beside and even:
            found.append(tuple(m[2] for m in members))
    return found


def _infos(schema: TableSchema, members: list[tuple[int, int, str]]) -> list[ColumnInfo]:
    return [schema.columns[place] for place, *_ in members]


def evidence(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean correlation of neighbouring columns and of those a third apart; zeros where it is doubtful.

    Args:
        values: (n, t) cells, NaN where missing.
    """
    n, t = values.shape
    if n < LEAST_ROWS or np.isnan(values).mean() > STRANGE:
        return 0.0, 0.0
    filled = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    # Ranks, so that a few extreme rows do not make all columns alike.
    ranks = pd.DataFrame(filled).rank().to_numpy(np.float32)  # thousands of columns have millions of pairs
    varies = np.ptp(ranks, axis=0) > 0
    if varies.mean() < NEARLY_ALL:
        return 0.0, 0.0
    centred = ranks - ranks.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    matrix = unit.T @ unit
    by_lag = np.array([np.diagonal(matrix, lag).mean() for lag in range(1, t // 2 + 1)])
    near, third = float(by_lag[0]), max(2, t // 3)
    far = float(np.diagonal(matrix, third).mean())
    lowest = np.minimum.accumulate(by_lag)
    certain = (
        near >= NEAR
        and float((np.diagonal(matrix, 1) >= SOME).mean()) >= NEARLY_ALL
        and near - far >= DROP
        and float((by_lag - lowest).max()) <= REVIVAL
    )
    return (near, far) if certain else (0.0, 0.0)


def learn_wide(
    schema: TableSchema, frame: pd.DataFrame, runs: list[Run], place: MediaPlace | None = None
) -> tuple[TableSchema, pd.DataFrame]:
    """The columns and the canonical rows with a column of series for each run, behind the others."""
    infos, added = list(schema.columns), {}
    for run in runs:
        rule = ParseRule(series=SeriesRule(channels=1, columns=run.columns))
        cells = store_series(_cells(frame, run.columns), 1, run.name, place)
        looks = (
            f"that look like the steps of a series: neighbours correlate by {run.near:.2f}, those a third of the way "
            f"apart by {run.far:.2f}"
        )
        why = f"{len(run.columns)} columns {'that you named as its steps' if run.named else looks}"
        infos.append(describe_series(run.name, why, cells, rule))
        added[run.name] = pd.Series(cells, index=frame.index)
    return TableSchema(columns=tuple(infos)), frame.assign(**added) if added else frame


def with_wide(
    frame: pd.DataFrame, schema: TableSchema, where: str = "data", *, allow_missing: bool = False
) -> pd.DataFrame:
    """A raw frame with the columns of series that a schema makes of other columns; the same if there are none.

    Args:
        frame: A raw frame. schema: Of the training data. where: Name of the data in errors.
        allow_missing: Leave a series out if columns of its steps are not there.

    Raises:
        DataError: If a step is not there.
    """
    names = {str(c) for c in frame.columns}
    added: dict[str, pd.Series] = {}
    for column in schema.columns:
        rule = column.parse.series
        if rule is None or rule.id_column is not None or not rule.columns or column.name in names:
            continue
        if lacking := [c for c in rule.columns if c not in names]:
            if allow_missing:
                continue
            raise DataError(
                f"{where} lacks '{lacking[0]}', a step of the series '{column.name}'",
                "Add it; predictions go without the series with --allow-missing.",
            )
        raw = {c: canonical(frame[c], ColumnKind.NUMERIC, ParseRule()) for c in rule.columns}
        added[column.name] = _cells(pd.DataFrame(raw), rule.columns)
    return frame.assign(**added) if added else frame


def _cells(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series:
    values = frame[list(columns)].to_numpy(np.float32)
    # A series is missing where nothing is given, not where a step is.
    return pd.Series(series_cells([one if not np.isnan(one).all() else None for one in values]))
