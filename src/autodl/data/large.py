"""Tables too large to hold as text: streamed block by block, kept in compact columns, sampled where they do not fit.

A pass over the files can turn up news that the head did not tell (another encoding, rows of another length, text in a
column of numbers). Then the pass is made again with what is now known, so that the result is the same as if it had
been known from the start.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from autodl.data.allowance import Allowance
from autodl.data.blocks import Again, Blocks, Known, LargeTable, open_blocks
from autodl.data.builders import Cells
from autodl.data.columns import clean_names, normalise, raw_names
from autodl.data.draw import Draw, group_keys, row_keys
from autodl.errors import DataError
from autodl.records import ReadInfo, RowSample

ENOUGH = 0.95
"""If the length of the first rows led to a sample smaller than this share of what it may be, it is drawn again."""


def read_large(
    table: LargeTable,
    *,
    as_text: Collection[str],
    marked: Collection[str] = (),
    skip: Collection[str],
    allowance: Allowance,
) -> tuple[pd.DataFrame, ReadInfo, NDArray[np.int64]]:
    """Read a large table.

    Args:
        table: The files.
        as_text: Columns whose cells stay text. marked: As for ``read_table``.
        skip: Columns that are not read at all.
        allowance: What may be kept.

    Returns:
        The raw frame (as ``read_table`` gives it, but text as a categorical), how it was read, and the 0-based
        places of the rows in the files.

    Raises:
        DataError: What is wrong with the files and what to do.
    """
    known = Known((None,) * len(table.parts), frozenset(as_text), marked=frozenset(marked))
    while True:
        try:
            return _collect(open_blocks(table, known), known, frozenset(skip), allowance)
        except Again as news:
            known = news.known


def _collect(
    blocks: Blocks, known: Known, skip: frozenset[str], allowance: Allowance
) -> tuple[pd.DataFrame, ReadInfo, NDArray[np.int64]]:
    names = [n for n in blocks.names if n not in skip] or blocks.names
    limit, why = allowance.limit(len(names), blocks.row_text())
    group = None if known.by_rows or allowance.group_column not in names else allowance.group_column
    builders = {name: blocks.builder(name) for name in names}
    expected = known.n_rows or (blocks.expected() if group is None else None)
    draw = Draw(limit, expected)

    def cut() -> None:
        stay = draw.cut()
        for builder in builders.values():
            builder.keep(stay)

    for block, places in blocks(names):
        if group is None:
            keys = row_keys(places, allowance.seed)
        else:
            keys = group_keys(block[group], places, allowance.seed)
        mask = draw.offer(places, keys)
        kept = block if mask is None else block.filter(pa.array(mask))
        for name, builder in builders.items():
            builder.add(kept[name])
        if draw.crowded():
            cut()
    if draw.crowded(last=True):
        cut()
    if expected is not None and known.n_rows is None and draw.kept < ENOUGH * min(limit or 0, draw.seen):
        raise Again(replace(known, n_rows=draw.seen))
    if draw.seen == 0:
        raise DataError(f"{blocks.info.path} has columns but no rows", "Give a table with rows.")
    if group is not None and draw.few_groups and not allowance.whole:
        raise Again(replace(known, by_rows=True))
    columns: dict[str, Any] = {}
    defied = set()
    for name in names:
        builder = builders.pop(name)
        columns[name] = builder.finish()
        if isinstance(builder, Cells) and builder.defied:
            defied.add(name)
    if defied:
        raise Again(replace(known, text=known.text | defied))
    frame, notes = _plain_types(columns, draw.kept, blocks.info.path)
    sample = None
    if draw.thinned:
        sample = row_sample(draw.seen, draw.kept, limit or 0, why, group, allowance.seed)
        notes = (*notes, sample.note)
    unread = tuple(n for n in blocks.names if n not in names)
    info = blocks.info.model_copy(
        update={"notes": (*blocks.info.notes, *blocks.notes, *notes), "sample": sample, "unread": unread}
    )
    return frame, info, draw.positions()


def sample_rows(frame: pd.DataFrame, allowance: Allowance) -> tuple[NDArray[np.int64], RowSample | None]:
    """The (m,) rows of a frame in memory that the allowance has room for, ascending; None where those are all."""
    rows = np.arange(len(frame))
    limit, why = allowance.limit(frame.shape[1], 0.0)
    if limit is None or len(rows) <= limit:
        return rows, None
    groups = _groups(frame, allowance.group_column)
    if groups is not None:
        draw = _drawn(limit, rows, group_keys(groups, rows, allowance.seed))
    if groups is None or (draw.few_groups and not allowance.whole):
        groups, draw = None, _drawn(limit, rows, row_keys(rows, allowance.seed))
    group = None if groups is None else allowance.group_column
    return draw.positions(), row_sample(len(rows), draw.kept, limit, why, group, allowance.seed)


def _groups(frame: pd.DataFrame, name: str | None) -> pa.ChunkedArray | None:
    """The groups of a frame's rows; None where it has no such column."""
    at = [i for i, n in enumerate(clean_names(raw_names(frame))[0]) if n == name]
    if not at:
        return None
    column = normalise(frame.iloc[:, at[:1]], "the DataFrame")[0].iloc[:, 0]
    return pa.chunked_array([pa.array(column, from_pandas=True)])


def _drawn(limit: int, rows: NDArray[np.int64], keys: NDArray[np.uint64]) -> Draw:
    draw = Draw(limit)
    draw.offer(rows, keys)
    draw.cut()
    return draw


def row_sample(n: int, kept: int, limit: int, why: str, group: str | None, seed: int) -> RowSample:
    """The record of a sample, with its sentence for people."""
    how = f"whole groups of '{group}' drawn at random" if group else "drawn at random over all rows"
    note = f"{kept:,} of the {n:,} rows are used, {how}: {why}."
    return RowSample(rows_in_data=n, rows_used=kept, max_rows=limit, why=why, group=group, seed=seed, note=note)


def _plain_types(columns: dict[str, Any], n: int, where: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The frame with dates, decimals, lists and the like as ``normalise`` wants them; numbers and words stay."""
    odd = {
        name: column
        for name, column in columns.items()
        if not (isinstance(column.dtype, pd.CategoricalDtype) or column.dtype in (np.int64, np.float64))
    }
    notes: tuple[str, ...] = ()
    if odd:
        plain, notes = normalise(pd.DataFrame(odd, index=pd.RangeIndex(n), copy=False), where)
        columns = columns | {name: plain[name] for name in odd}
    return pd.DataFrame(columns, index=pd.RangeIndex(n), copy=False), notes


def read_blocks(
    table: LargeTable, as_text: Collection[str], marked: Collection[str] = ()
) -> Generator[tuple[pd.DataFrame, ReadInfo, dict[str, Any]], None, ReadInfo]:
    """The whole of a large table as raw frames of some ten thousand rows each, in order, how they were read, and the
    columns as they came; at last how all was."""
    known = Known((None,) * len(table.parts), frozenset(as_text), marked=frozenset(marked))
    given = 0
    notes: list[str] = []
    while True:
        seen = 0
        try:
            blocks = open_blocks(table, known)
            for block, _ in blocks(blocks.names):
                fresh = block.slice(max(0, given - seen))
                seen += len(block)
                if len(fresh):
                    given += len(fresh)
                    frame, found, columns = _frame(blocks, fresh)
                    notes += (note for note in found if note not in notes)
                    yield frame, blocks.info, columns
        except Again as news:
            known = news.known
        else:
            return blocks.info.model_copy(update={"notes": (*blocks.info.notes, *blocks.notes, *notes)})


def _frame(blocks: Blocks, block: pa.Table) -> tuple[pd.DataFrame, tuple[str, ...], dict[str, Any]]:
    columns: dict[str, Any] = {}
    for name in blocks.names:
        builder = blocks.builder(name)
        builder.add(block[name])
        columns[name] = builder.finish()
        if isinstance(builder, Cells) and builder.defied:
            builder = Cells(".", text=True)
            builder.add(block[name])
            columns[name] = builder.finish()
    return *_plain_types(columns, len(block), blocks.info.path), columns
