"""Where series come in on the road from a raw table to canonical rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from autodl.data.series.long_format import LongTable, gather, gather_again, with_rule
from autodl.data.series.names import NPZ
from autodl.data.series.npz_format import target_as
from autodl.data.series.wide import find_wide, learn_wide, named_runs, with_wide
from autodl.records import SeriesRule, TableSchema

if TYPE_CHECKING:
    import pandas as pd

    from autodl.data.reading import TableRead
    from autodl.media.place import MediaPlace
    from autodl.options import FitOptions


def long_table(
    table: TableRead, options: FitOptions, columns: TableSchema | None = None
) -> tuple[TableRead, LongTable | None]:
    """The table with a row for each series, if the user named the column that tells them apart.

    ``columns``: those of a run that is resumed, whose series are made as they were then.

    Raises:
        DataError: As ``gather``.
    """
    if options.series_id is None:
        return table, None
    named = (options.target, options.weight_column, options.group_column, options.time_column)
    names = [str(c) for c in table.frame.columns]
    before = None if columns is None else long_rule(columns)
    known = before[1] if before is not None and set(before[1].columns) <= set(names) else None
    long = gather(
        table.frame, options.series_id, options.order_column, [n for n in named if n is not None], options.drop, known
    )
    unread = tuple(n for n in names if n in options.drop and n not in long.frame.columns)
    info = table.info.model_copy(
        update={"notes": (*table.info.notes, *long.notes), "unread": (*table.info.unread, *unread)}
    )
    return replace(table, frame=long.frame, info=info, rows=table.rows[long.rows]), long


def learnt_series(
    schema: TableSchema,
    frame: pd.DataFrame,
    long: LongTable | None,
    leave_out: Collection[str | None],
    place: MediaPlace,
    steps: Sequence[str] = (),
) -> tuple[TableSchema, pd.DataFrame]:
    """The learnt columns and the canonical rows with the series that wide columns make, and the rule of a long table.

    Args:
        schema: All columns. frame: Canonical rows. long: The long table that they come from, if they do.
        leave_out: Columns that are no steps, such as the target. place: Where series are stored.
        steps: What the user said are the steps of series.

    Raises:
        DataError: If that is not so.
    """
    if long is not None:
        return TableSchema(columns=with_rule(schema.columns, long)), frame
    names = {name for name in leave_out if name is not None}
    named = named_runs(schema, steps, names)
    taken = {c for run in named for c in run.columns}
    return learn_wide(schema, frame, [*named, *find_wide(schema, frame, names | taken)], place)


def long_rule(schema: TableSchema) -> tuple[str, SeriesRule] | None:
    """The column of series that comes from a long table, and how; None if there is none."""
    for column in schema.columns:
        rule = column.parse.series
        if rule is not None and rule.id_column is not None:
            return column.name, rule
    return None


def raw_as_trained(
    raw: pd.DataFrame, schema: TableSchema, where: str, *, allow_missing: bool = False
) -> pd.DataFrame:
    """New raw rows with the columns of series that the training's rows had; a long table becomes a row a series.

    Args:
        raw: As read. schema: Of the training data. where: Name of the data in errors.
        allow_missing: Whether columns may be missing in wide tables.

    Raises:
        DataError: If columns are missing.
    """
    found = long_rule(schema)
    if found is not None and found[0] not in raw.columns:
        raw = gather_again(raw, found[1], found[0], where)
    return with_wide(raw, schema, where, allow_missing=allow_missing)


def table_as_trained(table: TableRead, schema: TableSchema, where: str) -> TableRead:
    """``raw_as_trained`` of a table that was read, with the place of each row and the target's name in training."""
    if table.info.format == NPZ:
        table = replace(table, frame=target_as(schema.names, table.frame))
    frame = raw_as_trained(table.frame, schema, where)
    if len(frame) == len(table.rows):
        return replace(table, frame=frame)
    found = long_rule(schema)
    assert found is not None and found[1].id_column is not None
    first = ~table.frame[found[1].id_column].duplicated().to_numpy()
    return replace(table, frame=frame, rows=table.rows[first])
