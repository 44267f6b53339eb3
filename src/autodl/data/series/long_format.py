"""Long tables: a row for each step of each series, told apart by an ID and put in order by another column."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autodl.data.kinds import infer_schema
from autodl.data.parsing import canonical
from autodl.data.series.cells import series_cells
from autodl.data.series.names import SERIES
from autodl.errors import DataError, did_you_mean
from autodl.records import ColumnInfo, ColumnKind, ParseRule, SeriesRule
from autodl.records.column import ChannelRule, ValueRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN = 5
_NUMBERS = (ColumnKind.NUMERIC, ColumnKind.BOOLEAN)


@dataclass(frozen=True)
class LongTable:
    """A long table as one row for each series.

    Attributes:
        frame: A raw frame: what is constant within a series, and the series in a column of its own.
        name: Of that column. rule: How it came about.
        rows: (n,) the row of the long table in which each series begins.
        notes: What a user should know.
    """

    frame: pd.DataFrame
    name: str
    rule: SeriesRule
    rows: NDArray[np.int64]
    notes: tuple[str, ...]


def gather(
    frame: pd.DataFrame,
    id_column: str,
    order_column: str | None,
    constant: Collection[str] = (),
    drop: Collection[str] = (),
    known: SeriesRule | None = None,
) -> LongTable:
    """Make a row of each series.

    Args:
        frame: A raw frame, a row for each step.
        id_column: Tells the series apart. order_column: Orders their steps; the order of the rows if None.
        constant: Columns that must not change within a series, such as the target.
        drop: Columns that are to be no steps of a series.
        known: How an earlier version made the series, where its run goes on: they stay what they were.

    Raises:
        DataError: With what is wrong and what to do.
    """
    names = [str(c) for c in frame.columns]
    for name in (id_column, order_column):
        if name is not None and name not in names:
            raise DataError(f"column '{name}' is not in the table", did_you_mean(name, names))
    if id_column == order_column:
        raise DataError(
            f"'{id_column}' is named as the ID of the series and as the order of their steps", "Name two columns."
        )
    order_rule = None if known is None else known.order
    if order_rule is None and order_column is not None:
        order_rule = _order_rule(frame, order_column)
    codes, first, order = _steps(frame, id_column, order_column, order_rule)
    others = [n for n in names if n not in (id_column, order_column)]
    steady = [n for n in others if _steady(frame[n], codes, first, n in constant)]
    for name in constant:
        if name in others and name not in steady:
            raise DataError(
                f"'{name}' changes within a series of '{id_column}'",
                "Each series needs one value of it: name another column, or the ID to which it belongs.",
            )
    moving = [n for n in others if n not in steady and n not in drop]
    if known is None:
        channels = [info for info in infer_schema(frame[moving]).columns if info.kind in _NUMBERS] if moving else []
    else:
        channels = _channels(known)
    if not channels:
        raise DataError(
            f"no column of numbers changes within the series of '{id_column}', so there are no series",
            "Check --series-id: it must have the same value in all rows of one series, and another in each series.",
        )
    notes = [f"The {len(frame):,} rows are the steps of {len(first):,} series, one for each '{id_column}'."]
    taken = [info.name for info in channels]
    if left := [f"'{n}'" for n in moving if n not in taken]:
        more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        notes.append(f"Not used, since the steps of a series must be numbers: {', '.join(left[:SHOWN])}{more}.")
    rule = known or SeriesRule(
        channels=len(channels),
        id_column=id_column,
        order_column=order_column,
        columns=tuple(taken),
        rules=tuple(_rule_of(c) for c in channels),
        order=order_rule,
    )
    name = _free_name(names)
    made = _row_each(frame, [id_column, *steady], name, channels, (codes, first, order))
    return LongTable(made.drop(columns=id_column), name, rule, first, tuple(notes))


def gather_again(frame: pd.DataFrame, rule: SeriesRule, name: str, where: str) -> pd.DataFrame:
    """New rows as ``gather`` made the training's: a row for each series, in the order in which they begin.

    Args:
        frame: A raw frame, a row for each step. rule: Of the training. name: Of the column of series.
        where: Name of the data in errors.

    Returns:
        The ID, the first known value of all other columns, and the series.

    Raises:
        DataError: If columns are missing.
    """
    assert rule.id_column is not None
    names = [str(c) for c in frame.columns]
    needed = [c for c in (rule.id_column, rule.order_column, *rule.columns) if c is not None]
    if lacking := [c for c in needed if c not in names]:
        shown = ", ".join(f"'{c}'" for c in lacking[:SHOWN])
        raise DataError(
            f"{where} lacks {shown}", "It needs the columns that the series of the training data were made of."
        )
    steps = _steps(frame, rule.id_column, rule.order_column, rule.order)
    channels = _channels(rule)
    kept = [n for n in names if n not in rule.columns and n != rule.order_column]
    return _row_each(frame, kept, name, channels, steps)


def _channels(rule: SeriesRule) -> list[ColumnInfo]:
    """The columns that become channels, as the training's were read."""
    rules = rule.rules or tuple(ChannelRule(kind=ColumnKind.NUMERIC) for _ in rule.columns)
    return [
        ColumnInfo(name=name, kind=r.kind, n=0, n_missing=0, n_unique=0, parse=_parse_rule(r))
        for name, r in zip(rule.columns, rules, strict=True)
    ]


def _rule_of(column: ColumnInfo) -> ChannelRule:
    """How a column is read, as far as it holds single values."""
    return ChannelRule(kind=column.kind, **column.parse.model_dump(include=set(ValueRule.model_fields)))


def _parse_rule(rule: ChannelRule) -> ParseRule:
    return ParseRule(**rule.model_dump(include=set(ValueRule.model_fields)))


def with_rule(columns: tuple[ColumnInfo, ...], long: LongTable) -> tuple[ColumnInfo, ...]:
    """The learnt columns, with the rule by which new series are made."""
    told = f"the steps of each '{long.rule.id_column}': " + ", ".join(f"'{c}'" for c in long.rule.columns[:SHOWN])
    told += f" and {len(long.rule.columns) - SHOWN} more" if len(long.rule.columns) > SHOWN else ""
    return tuple(
        c.model_copy(update={"parse": ParseRule(series=long.rule), "why": told}) if c.name == long.name else c
        for c in columns
    )


def _steps(
    frame: pd.DataFrame, id_column: str, order_column: str | None, order_rule: ChannelRule | None
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.intp]]:
    """(rows,) series of each row, (n,) first row of each series, and the rows in the order of their steps.

    Raises:
        DataError: If a row has no ID, or no place in the order.
    """
    codes, _ = pd.factorize(frame[id_column], use_na_sentinel=True)
    if (codes < 0).any():
        raise DataError(
            f"{int((codes < 0).sum()):,} rows have no '{id_column}', so it is not known to which series they belong",
            "Fill it in, or leave these rows out.",
        )
    first = np.unique(codes, return_index=True)[1].astype(np.int64)
    if order_column is None:
        return codes, first, np.argsort(codes, kind="stable")
    rule = order_rule or _order_rule(frame, order_column)
    when = np.asarray(canonical(frame[order_column], rule.kind, _parse_rule(rule)))
    if pd.isna(when).any():
        # A file may count its steps in another way than the training's; what stays open then is missing.
        rule = _order_rule(frame, order_column)
        when = np.asarray(canonical(frame[order_column], rule.kind, _parse_rule(rule)))
    if pd.isna(when).any():
        raise DataError(
            f"{int(pd.isna(when).sum()):,} rows have no '{order_column}', so their place in the series is not known",
            "Fill it in, or leave these rows out.",
        )
    return codes, first, np.lexsort((when, codes))


def _order_rule(frame: pd.DataFrame, column: str) -> ChannelRule:
    """How a column is read whose values order the steps.

    Raises:
        DataError: If they have no order.
    """
    info = infer_schema(frame[[column]], target=column).columns[0]
    if info.kind not in (*_NUMBERS, ColumnKind.DATETIME):
        raise DataError(
            f"'{column}' holds neither numbers nor dates, so it gives the steps of the series no order",
            "Name a column of times or of running numbers with --order-column.",
        )
    return _rule_of(info)


def _steady(column: pd.Series, codes: NDArray[np.intp], first: NDArray[np.int64], anywhere: bool) -> bool:
    """Whether all rows of each series have the same value or none.

    Args:
        column: Cells of all rows. codes: Series of each row. first: First row of each series.
        anywhere: Whether it may stand in any row of a series, as an answer does; a value that comes up later is an
            event otherwise.
    """
    values = pd.factorize(column, use_na_sentinel=True)[0]
    told = values[_told(column, codes, first) if anywhere else first]
    return bool(((values == told[codes]) | (values < 0)).all())


def _told(column: pd.Series, codes: NDArray[np.intp], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n,) the first row of each series that has a value: an answer often stands in its last row only."""
    known = np.flatnonzero(column.notna().to_numpy())
    rows = first.copy()
    series, place = np.unique(codes[known], return_index=True)
    rows[series] = known[place]
    return rows


def _row_each(
    frame: pd.DataFrame,
    kept: list[str],
    name: str,
    channels: list[ColumnInfo],
    steps: tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.intp]],
) -> pd.DataFrame:
    codes, first, order = steps
    values = np.column_stack([np.asarray(canonical(frame[c.name], c.kind, c.parse), np.float64) for c in channels])
    bounds = np.cumsum(np.bincount(codes, minlength=len(first)))[:-1]
    out: dict[str, Any] = {c: frame[c].iloc[_told(frame[c], codes, first)].reset_index(drop=True) for c in kept}
    out[name] = pd.Series(series_cells(np.split(values[order], bounds)))
    return pd.DataFrame(out)


def _free_name(names: Collection[str]) -> str:
    """``series``, with a number behind it where a column is called so."""
    return next(n for k in range(1, len(names) + 2) if (n := SERIES if k == 1 else f"{SERIES} {k}") not in names)
