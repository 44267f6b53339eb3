"""Tables too large to hold as text: streamed block by block, kept in compact columns, sampled where they do not fit.

A pass over the files can turn up news that the head did not tell (another encoding, rows of another length, text in a
column of numbers). Then the pass is made again with what is now known, so that the result is the same as if it had
been known from the start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from autodl.data.allowance import WORD_BYTES, Allowance
from autodl.data.arrow_blocks import ArrowFile
from autodl.data.builders import Builder, Cells, builder_for, text_bytes
from autodl.data.columns import check_names, clean_names, normalise
from autodl.data.delimited import Delimited, Ragged
from autodl.data.draw import Draw, group_keys, row_keys
from autodl.data.headers import column_names, dialect_notes, same_columns, shown_delimiter
from autodl.data.streams import Part, WrongEncoding
from autodl.errors import DataError
from autodl.records import ReadInfo, RowSample

MIN_GROUPS = 50
"""With fewer groups than these in a sample of whole groups, rows are drawn instead."""


@dataclass(frozen=True)
class LargeTable:
    """Files of one large table of one format."""

    source: str
    kind: str
    parts: tuple[Part, ...]
    n_bytes: int
    every_row: bool = False
    """Refuse rows that cannot be read rather than skip a few of them."""


@dataclass(frozen=True)
class Known:
    """What earlier passes over the files have turned up."""

    encodings: tuple[str | None, ...]
    text: frozenset[str]
    mend: bool = False
    by_rows: bool = False
    nameless: bool = False
    """Whether columns without a name hold values after all."""


class Again(Exception):  # noqa: N818 - no fault, but news.
    """Another pass is needed, with what is ``known`` now."""

    def __init__(self, known: Known) -> None:
        super().__init__()
        self.known = known


class Blocks(Protocol):
    """A table as a stream of blocks under its final column names."""

    names: list[str]
    info: ReadInfo
    notes: list[str]

    def builder(self, name: str) -> Builder:
        """Collects a column."""

    def row_text(self) -> float:
        """Mean bytes a row of the texts in the head that do not repeat."""

    def expected(self) -> float | None:
        """About how many rows there are; None where nothing tells."""

    def __call__(self, names: Sequence[str]) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        """Blocks of these columns, and the places of their rows."""


def read_large(
    table: LargeTable, *, as_text: Collection[str], skip: Collection[str], allowance: Allowance
) -> tuple[pd.DataFrame, ReadInfo, NDArray[np.int64]]:
    """Read a large table.

    Args:
        table: The files.
        as_text: Columns whose cells stay text.
        skip: Columns that are not read at all.
        allowance: What may be kept.

    Returns:
        The raw frame (as ``read_table`` gives it, but text as a categorical), how it was read, and the 0-based
        places of the rows in the files.

    Raises:
        DataError: What is wrong with the files and what to do.
    """
    known = Known((None,) * len(table.parts), frozenset(as_text))
    while True:
        try:
            return _collect(open_blocks(table, known), known, frozenset(skip), allowance)
        except Again as news:
            known = news.known


def open_blocks(table: LargeTable, known: Known) -> Blocks:
    """The stream of a table's blocks."""
    return _DelimitedBlocks(table, known) if table.kind == "csv" else _ArrowBlocks(table)


def _collect(
    blocks: Blocks, known: Known, skip: frozenset[str], allowance: Allowance
) -> tuple[pd.DataFrame, ReadInfo, NDArray[np.int64]]:
    names = [n for n in blocks.names if n not in skip] or blocks.names
    limit, why = allowance.limit(len(names), blocks.row_text())
    group = None if known.by_rows or allowance.group_column not in names else allowance.group_column
    builders = {name: blocks.builder(name) for name in names}
    draw = Draw(limit, None if group is not None else blocks.expected())

    def cut() -> None:
        stay = draw.cut()
        for builder in builders.values():
            builder.keep(stay)

    for block, places in blocks(names):
        if group is None:
            keys = row_keys(places, allowance.seed)
        else:
            keys = group_keys(block[group].to_pandas().to_numpy(object), places, allowance.seed)
        mask = draw.offer(places, keys)
        kept = block if mask is None else block.filter(pa.array(mask))
        for name, builder in builders.items():
            builder.add(kept[name])
        if draw.crowded():
            cut()
    if draw.crowded(last=True):
        cut()
    if draw.seen == 0:
        raise DataError(f"{blocks.info.path} has columns but no rows", "Give a table with rows.")
    if group is not None and draw.thinned and draw.n_keys < MIN_GROUPS:
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


class _DelimitedBlocks:
    """Shards of delimited text."""

    def __init__(self, table: LargeTable, known: Known) -> None:
        self._known = known
        self._files: list[Delimited] = []
        self._names: list[dict[str, str]] = []  # column name -> position, of each file
        self._hidden: list[list[str]] = []  # positions of columns without a name and, it seems, without values
        self.notes: list[str] = []
        headers: list[tuple[str, list[str]]] = []
        notes: list[str] = []
        for part, encoding in zip(table.parts, known.encodings, strict=True):
            alone = len(table.parts) == 1 and Path(table.source).name.startswith(Path(part.name).name)
            where = table.source if alone else part.name
            like = self._files[0].dialect if self._files else None
            file = replace(Delimited.of(part, where, like, encoding), mend=known.mend, every_row=table.every_row)
            names, kept, repaired = column_names(file.sample, where, drop_empty=not known.nameless)
            notes += repaired if not self._files else ()
            self._files.append(file)
            self._names.append(dict(zip(names, kept, strict=True)))
            self._hidden.append([str(i) for i in range(file.dialect.width) if str(i) not in kept])
            headers.append((where, names))
        same_columns(headers)
        first = self._files[0].sample
        self.names = headers[0][1]
        self.info = ReadInfo(
            path=table.source,
            format="csv",
            encoding=first.encoding,
            delimiter=shown_delimiter(first.dialect),
            decimal=first.dialect.decimal,
            header=first.dialect.header,
            n_files=len(table.parts),
            n_bytes=table.n_bytes,
            notes=(*notes, *dialect_notes(first)),
        )

    def builder(self, name: str) -> Builder:
        """Numbers or words, as the cells turn out."""
        return Cells(self._files[0].dialect, text=name in self._known.text)

    def row_text(self) -> float:
        """By the head of the first file."""
        return text_bytes(self._files[0].sample.table.columns, WORD_BYTES)

    def expected(self) -> float | None:
        """By the length of the lines in the head of the first file."""
        first = self._files[0]
        if not all(file.part.plain for file in self._files):
            return None
        return sum(file.part.path.stat().st_size for file in self._files) / max(1.0, first.row_bytes)

    def __call__(self, names: Sequence[str]) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        """Blocks of strings."""
        start = 0
        for i, (file, positions, hidden) in enumerate(zip(self._files, self._names, self._hidden, strict=True)):
            wanted = [positions[n] for n in names]
            try:
                last = -1
                for block, places in file.blocks([*wanted, *hidden], self.notes.append):
                    if any(block[h].null_count < len(block) for h in hidden):
                        raise Again(replace(self._known, nameless=True))
                    last = int(places[-1]) if len(places) else last
                    yield block.select(wanted).rename_columns(list(names)), places + start
                start += last + 1
            except Ragged:
                raise Again(replace(self._known, mend=True)) from None
            except WrongEncoding as news:
                encodings = list(self._known.encodings)
                encodings[i] = news.encoding
                raise Again(replace(self._known, encodings=tuple(encodings))) from None


class _ArrowBlocks:
    """Shards in a format with types."""

    def __init__(self, table: LargeTable) -> None:
        self._files = [ArrowFile(p.path, table.kind) for p in table.parts]
        self.notes: list[str] = []
        headers: list[tuple[str, list[str]]] = []
        notes: tuple[str, ...] = ()
        self._raw: list[dict[str, str]] = []
        for part, file in zip(table.parts, self._files, strict=True):
            names, repaired = clean_names([file.shown(n) for n in file.names])
            check_names(names, part.name)
            notes = notes or repaired
            self._raw.append(dict(zip(names, file.names, strict=True)))
            headers.append((part.name, names))
        same_columns(headers)
        self.names = headers[0][1]
        self.info = ReadInfo(
            path=table.source, format=table.kind, n_files=len(table.parts), n_bytes=table.n_bytes, notes=notes
        )

    def builder(self, name: str) -> Builder:
        """By the type of the column in the first file."""
        return builder_for(self._files[0].schema.field(self._raw[0][name]).type)

    def row_text(self) -> float:
        """By the first block of the first file."""
        first = next(self._files[0].blocks(self._files[0].names), None)
        return 0.0 if first is None else text_bytes(first.columns, WORD_BYTES)

    def expected(self) -> float | None:
        """By the footers of Parquet files."""
        rows = [file.n_rows for file in self._files]
        return None if None in rows else float(sum(n for n in rows if n is not None))

    def __call__(self, names: Sequence[str]) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        """Blocks of typed columns; those of later files in the types of the first."""
        start = 0
        first = self._files[0].schema
        kinds = pa.schema([pa.field(n, first.field(self._raw[0][n]).type) for n in names])
        for file, raw in zip(self._files, self._raw, strict=True):
            for block in file.blocks([raw[n] for n in names]):
                try:
                    table = block.rename_columns(list(names)).cast(kinds)
                except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                    raise DataError(
                        f"{file.path} has other types of columns than {self._files[0].path}: {error}",
                        "Write both files with the same types.",
                    ) from error
                yield table, np.arange(start, start + len(table), dtype=np.int64)
                start += len(table)


def read_blocks(table: LargeTable, as_text: Collection[str]) -> Iterator[pd.DataFrame]:
    """The whole of a large table as raw frames of some ten thousand rows each, in order."""
    known = Known((None,) * len(table.parts), frozenset(as_text))
    given = 0
    while True:
        seen = 0
        try:
            blocks = open_blocks(table, known)
            for block, _ in blocks(blocks.names):
                fresh = block.slice(max(0, given - seen))
                seen += len(block)
                if len(fresh):
                    given += len(fresh)
                    yield _frame(blocks, fresh)
        except Again as news:
            known = news.known
        else:
            return


def _frame(blocks: Blocks, block: pa.Table) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in blocks.names:
        builder = blocks.builder(name)
        builder.add(block[name])
        columns[name] = builder.finish()
    return _plain_types(columns, len(block), blocks.info.path)[0]
