"""A table of one or more files as a stream of blocks under its final column names, whatever its format."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from autodl.data.allowance import WORD_BYTES
from autodl.data.arrow_blocks import ArrowFile
from autodl.data.builders import Builder, Cells, builder_for, text_bytes
from autodl.data.columns import check_names, clean_names
from autodl.data.delimited import Delimited, Ragged
from autodl.data.headers import column_names, decimal_notes, dialect_notes, same_columns, shown_delimiter
from autodl.data.streams import Part, WrongEncoding
from autodl.errors import DataError
from autodl.records import ReadInfo


@dataclass(frozen=True)
class LargeTable:
    """Files of one large table of one format."""

    source: str
    kind: str
    parts: tuple[Part, ...]
    n_bytes: int
    every_row: bool = False
    """Refuse rows that cannot be read rather than skip a few of them."""
    names: Collection[str] = ()
    """Columns that it should have, where they are known."""


@dataclass(frozen=True)
class Known:
    """What earlier passes over the files have turned up."""

    encodings: tuple[str | None, ...]
    text: frozenset[str]
    mend: bool = False
    by_rows: bool = False
    nameless: bool = False
    """Whether columns without a name hold values after all."""
    n_rows: int | None = None
    """Rows of the table, where the head promised many more."""
    marked: frozenset[str] = frozenset()
    """Columns in which a point may part thousands, unless commas part the cells."""


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


def open_blocks(table: LargeTable, known: Known) -> Blocks:
    """The stream of a table's blocks."""
    return _DelimitedBlocks(table, known) if table.kind == "csv" else _ArrowBlocks(table)


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
            file = Delimited.of(part, where, like, encoding, table.every_row, table.names)
            file = replace(file, mend=known.mend)
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
            notes=(
                *notes,
                *decimal_notes([(name, f.dialect) for (name, _), f in zip(headers, self._files, strict=True)]),
                *dialect_notes(first),
            ),
        )

    def builder(self, name: str) -> Builder:
        """Numbers or words, as the cells turn out."""
        dialect, known = self._files[0].dialect, self._known
        return Cells(dialect.decimal, text=name in known.text or (name in known.marked and dialect.delimiter != ","))

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
        self._kinds = pa.schema([pa.field(name, self._kind(name)) for name in self.names])
        self.info = ReadInfo(
            path=table.source, format=table.kind, n_files=len(table.parts), n_bytes=table.n_bytes, notes=notes
        )

    def _kind(self, name: str) -> pa.DataType:
        """The type of a column in which the values of all files fit: fractions, where one file has whole numbers."""
        kinds = [file.schema.field(raw[name]).type for file, raw in zip(self._files, self._raw, strict=True)]
        if len(set(kinds)) == 1:
            return kinds[0]
        plain = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
        whole = plain[0]
        for kind, file in zip(plain, self._files, strict=True):
            try:
                whole = _common(whole, kind)
            except pa.ArrowTypeError as error:
                raise DataError(
                    f"{file.path} has another type of column '{name}' ({kind}) than {self._files[0].path} ({whole})",
                    "Write both files with the same types.",
                ) from error
        return whole

    def builder(self, name: str) -> Builder:
        """By the type of the column."""
        return builder_for(self._kinds.field(name).type)

    def row_text(self) -> float:
        """By the first block of the first file."""
        first = next(self._files[0].blocks(self._files[0].names), None)
        return 0.0 if first is None else text_bytes(first.columns, WORD_BYTES)

    def expected(self) -> float | None:
        """By the footers of Parquet files."""
        rows = [file.n_rows for file in self._files]
        return None if None in rows else float(sum(n for n in rows if n is not None))

    def __call__(self, names: Sequence[str]) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        """Blocks of typed columns."""
        start = 0
        kinds = pa.schema([self._kinds.field(n) for n in names])
        for file, raw in zip(self._files, self._raw, strict=True):
            for block in file.blocks([raw[n] for n in names]):
                # Whole numbers beyond 2^53 lose digits beside fractions, as they do in a small table.
                table = block.rename_columns(list(names)).cast(kinds, safe=False)
                yield table, np.arange(start, start + len(table), dtype=np.int64)
                start += len(table)


def _common(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """The narrowest type that both fit in. Raises ``pa.ArrowTypeError`` if there is none."""
    schemas = [pa.schema([("", kind)]) for kind in (a, b)]
    return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
