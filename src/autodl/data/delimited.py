"""A delimited file as a stream of blocks of strings, whatever its size."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from autodl.data.compression import file_errors
from autodl.data.csv_format import (
    HEAD_BYTES,
    Text,
    find_open_quote,
    odd_row_notes,
    parse_options,
    read_text,
)
from autodl.data.dialect import BLANKS, Dialect
from autodl.data.streams import BLOCK_BYTES, ChunkReader, Part, head, single_blanks, utf8, without_empty_end
from autodl.errors import DataError

PARSED_BYTES = 1 << 23
"""Bytes of text that are parsed at once; no row may be longer."""
LONGEST_CELL = 1 << 24
"""Characters after which a quoted cell counts as never closed."""
FEW_LINES = 50
"""A head of fewer lines than these is too short to judge by."""


class Ragged(Exception):  # noqa: N818 - no fault, but news: reading starts again, row by row where it must.
    """Some row has another number of fields than the header."""


@dataclass(frozen=True)
class Delimited:
    """A delimited file of which the head is known.

    Attributes:
        sample: The head, parsed: its dialect, encoding, and rows.
        mend: Whether rows of another length are mended (slower), or raise ``Ragged``.
        every_row: Refuse rows with too many fields rather than skip a few of them.
        head_bytes: Length of the head.
    """

    part: Part
    where: str
    sample: Text
    mend: bool = False
    every_row: bool = False
    head_bytes: int = 0

    @classmethod
    def of(
        cls,
        part: Part,
        where: str,
        like: Dialect | None,
        encoding: str | None,
        every_row: bool = False,
        names: Collection[str] = (),
    ) -> Delimited:
        """Look at the head of a file.

        Args:
            part: The file.
            where: Its name for errors.
            like: Dialect of an earlier shard.
            encoding: Known from an earlier attempt; None finds it.
            every_row: As the attribute.
            names: As for ``read_text``.
        """
        raw = head(part, HEAD_BYTES)
        if raw.count(b"\n") < FEW_LINES:  # a very wide table
            raw = head(part, max(HEAD_BYTES, PARSED_BYTES))
        sample = read_text(
            pa.py_buffer(raw), where, like, every_row=every_row, cut=True, encoding=encoding, names=names
        )
        return cls(part, where, sample, every_row=every_row, head_bytes=len(raw))

    @property
    def row_bytes(self) -> float:
        """Mean bytes of a row in the head."""
        return self.head_bytes / max(1, len(self.sample.table))

    @property
    def dialect(self) -> Dialect:
        """How the file is written."""
        return self.sample.dialect

    def _reader(self) -> ChunkReader:
        chunks = utf8(self.part.chunks(), self.sample.encoding, self.where)
        if self.dialect.delimiter == BLANKS:
            chunks = single_blanks(chunks)
        if self.dialect.blank_rows:
            chunks = without_empty_end(chunks)
        return ChunkReader(chunks, self.dialect.quote)

    def blocks(
        self, columns: Sequence[str], tell: Callable[[str], None]
    ) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        """The rows of some columns ("0", "1", ...) as strings, with their 0-based places in the file, in order.

        Args:
            columns: Which ones.
            tell: Is given a sentence for each thing that was mended, at the end.

        Raises:
            Ragged: At the first row of another length, unless they are mended.
            WrongEncoding: Where the text is not in the encoding of its head.
            DataError: If the file is damaged or no table.
        """
        reader, rows = self._reader(), _OddRows(self)
        try:
            with file_errors(str(self.part.path)):
                yield from self._parse(reader, rows, columns)
        except (pa.ArrowException, csv.Error) as error:
            if reader.failure is not None:
                with file_errors(str(self.part.path)):
                    raise reader.failure from None
            if rows.stopped:
                raise Ragged from None
            if "straddl" in str(error):
                self._raise_open_quote()
                raise DataError(
                    f"{self.where} holds a row of more than {PARSED_BYTES:,} bytes",
                    "Check its quotes and line ends.",
                ) from error
            raise DataError(f"{self.where} cannot be read as a table: {str(error).splitlines()[0]}") from error
        if reader.quotes % 2:
            self._raise_open_quote()
        for note in rows.notes():
            tell(note)

    def _parse(
        self, reader: ChunkReader, rows: _OddRows, columns: Sequence[str]
    ) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        dialect = self.dialect
        stream = pa_csv.open_csv(
            pa.PythonFile(io.BufferedReader(reader, BLOCK_BYTES), mode="r"),
            read_options=pa_csv.ReadOptions(
                column_names=[str(i) for i in range(dialect.width)],
                skip_rows=dialect.skip,
                skip_rows_after_names=int(dialect.header),
                block_size=PARSED_BYTES,
                use_threads=not self.mend,
            ),
            parse_options=parse_options(dialect, rows.take if self.mend else rows.stop),
            convert_options=pa_csv.ConvertOptions(
                column_types={c: pa.string() for c in columns},
                include_columns=list(columns),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        start = 0
        for batch in stream:
            table = pa.Table.from_batches([batch])
            table, places = rows.insert(table, start, columns)
            if len(places):
                start = int(places[-1]) + 1
            rows.check(start)
            yield table, places
        table, places = rows.insert(None, start, columns)
        if len(places):
            yield table, places
        rows.n = start + len(places)

    def _raise_open_quote(self) -> None:
        """Raise ``DataError`` if the file ends inside a quoted cell."""
        if self.dialect.delimiter != BLANKS:
            stream = io.TextIOWrapper(io.BufferedReader(self._reader(), BLOCK_BYTES), "utf-8", newline="")
            find_open_quote(stream, self.dialect, self.where, longest=LONGEST_CELL)


class _OddRows:
    """Rows of another length than the header, mended by the rules for small files."""

    def __init__(self, file: Delimited) -> None:
        self._file, self._dialect = file, file.dialect
        self._waiting: dict[int, list[str | None] | None] = {}
        """Place -> cells of rows not yet given out; None for a row that is left out."""
        self._long: list[tuple[int, int]] = []
        self._n_short = 0
        self.stopped = False
        self.n = 0
        """Rows of the file, known at its end."""

    def stop(self, row: pa_csv.InvalidRow) -> str:
        """Give up: the file needs mending."""
        self.stopped = True
        return "error"

    def take(self, row: pa_csv.InvalidRow) -> str:
        """Mend a row: short ones are filled, empty surplus cells dropped; longer ones are left out."""
        d = self._dialect
        cells = next(
            csv.reader(
                io.StringIO(row.text, newline=""),
                delimiter=d.delimiter,
                quotechar=d.quote,
                escapechar=d.escape,
                doublequote=d.escape is None,
            )
        )
        while len(cells) > d.width and not cells[-1].strip():
            cells.pop()
        place = row.number - 1 - d.skip - int(d.header)
        if len(cells) > d.width:
            self._long.append((place + 1 + int(d.header) + d.skip, len(cells)))
            self._waiting[place] = None
        else:
            self._n_short += len(cells) < d.width
            self._waiting[place] = [c or None for c in cells] + [None] * (d.width - len(cells))
        return "skip"

    def insert(
        self, table: pa.Table | None, start: int, columns: Sequence[str]
    ) -> tuple[pa.Table, NDArray[np.int64]]:
        """A block with the mended rows at their places.

        Args:
            table: Rows of the right length; None at the end of the file, when only mended rows are left.
            start: Place of the block's first row.
            columns: Columns of the block.

        Returns:
            The block and the (b,) places of its rows, ascending.
        """
        m = 0 if table is None else len(table)
        if not self._waiting:
            empty = pa.table({c: pa.array([], pa.string()) for c in columns})
            return empty if table is None else table, np.arange(start, start + m, dtype=np.int64)
        odd = np.array(sorted(self._waiting), dtype=np.int64)
        span = np.arange(start, start + m + len(odd), dtype=np.int64)
        places = span[~np.isin(span, odd)][:m]
        due = odd if table is None else odd[odd <= (places[-1] if m else -1)]
        found = {int(p): self._waiting.pop(int(p)) for p in due}
        mended = {p: cells for p, cells in found.items() if cells is not None}
        rows = pa.table({c: pa.array([r[int(c)] for r in mended.values()], pa.string()) for c in columns})
        both = rows if table is None else pa.concat_tables([table, rows])
        where = np.concatenate([places, np.array(list(mended), dtype=np.int64)])
        order = np.argsort(where)
        return both.take(pa.array(order)), where[order]

    def check(self, n: int) -> None:
        """Raise ``DataError`` early where far too many rows are too long, after ``n`` rows."""
        if len(self._long) > 10_000:
            self._judge(n)

    def notes(self) -> tuple[str, ...]:
        """Sentences about what was mended. Raises ``DataError`` if too many rows had to be left out."""
        return self._judge(self.n)

    def _judge(self, n: int) -> tuple[str, ...]:
        return odd_row_notes(
            self._long, self._n_short, n, self._dialect, self._file.where, every_row=self._file.every_row
        )
