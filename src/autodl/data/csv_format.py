"""Delimited text to a table of strings.

Everything is read as text first: a parser that guesses types would turn 007 into 7 and 1,5 into a date or a fault.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from autodl.data.dialect import BLANKS, Dialect, sniff
from autodl.data.encoding import decode, find_encoding
from autodl.errors import DataError

HEAD_BYTES = 1 << 18
CHECKED_BYTES = 1 << 27
"""Up to 128 MiB the whole text is checked for its encoding and for open quotes; above, its head."""
BAD_ROWS = 0.01
"""Share of rows with too many fields that is skipped with a note."""


@dataclass(frozen=True)
class Text:
    """A delimited file: ``table`` of strings with the columns ``0``, ``1``, ... and what was found out."""

    table: pa.Table
    dialect: Dialect
    encoding: str
    notes: tuple[str, ...] = ()
    by_line: bool = False
    """Whether line 1 is the header and each further line a row: none is blank, skipped, or part of a longer cell."""


def read_text(
    data: pa.Buffer,
    where: str,
    like: Dialect | None = None,
    *,
    every_row: bool = False,
    cut: bool = False,
    encoding: str | None = None,
    names: Collection[str] = (),
) -> Text:
    """Parse delimited text.

    Args:
        data: The bytes.
        where: File name for errors.
        like: Dialect of an earlier shard of the same table; settles whether there is a header.
        every_row: Refuse rows with too many fields rather than skip a few of them.
        cut: Whether ``data`` is only the start of a longer text; what stands after its last line end is left out.
        encoding: The encoding where it is known.
        names: Columns that the table should have, where they are known.

    Raises:
        DataError: If the bytes are empty, no text, or do not form a table.
    """
    if data.size == 0:
        raise DataError(f"{where} is empty", "Give a file with a header line and rows.")
    whole = not cut and data.size <= CHECKED_BYTES
    head = (data if whole or cut else data.slice(0, HEAD_BYTES)).to_pybytes()
    encoding = encoding or find_encoding(head, where, whole=whole)
    if cut:
        text = head.decode(encoding, errors="ignore")
        data = pa.py_buffer((text[: text.rfind("\n") + 1] or text).encode("utf-8"))
    elif encoding not in ("utf-8", "utf-8-sig"):
        data = pa.py_buffer(decode(data.to_pybytes(), encoding, where).encode("utf-8"))
    elif encoding == "utf-8-sig":
        data = data.slice(3)
    start = data.slice(0, min(HEAD_BYTES, data.size)).to_pybytes().decode("utf-8", errors="ignore")
    if not start.strip():
        raise DataError(f"{where} is empty", "Give a file with a header line and rows.")
    dialect = sniff(start, whole=not cut and data.size <= HEAD_BYTES, suffix=Path(where).suffix.lower(), names=names)
    if like is not None:
        dialect = replace(dialect, header=like.header)
    if every_row and dialect.width == 1:
        dialect = replace(dialect, blank_rows=True)
        data = pa.py_buffer(data.to_pybytes().rstrip(b"\r\n"))  # the empty lines at the end are no rows
    if whole and dialect.delimiter != BLANKS and (raw := data.to_pybytes()).count(dialect.quote.encode()) % 2:
        find_open_quote(io.StringIO(raw.decode("utf-8", errors="replace"), newline=""), dialect, where)
    notes: tuple[str, ...] = ()
    if cut:
        table = _head_table(data, dialect)
    else:
        table = None if dialect.delimiter == BLANKS else _fast(data, dialect)
    if table is None:
        table, notes = _careful(data.to_pybytes().decode("utf-8", errors="replace"), dialect, where, every_row)
    if table.num_rows == 0:
        raise DataError(f"{where} has a header line but no rows", "Give a file with data below the header.")
    by_line = not cut and dialect.header and table.num_rows + 1 == _lines(data)
    return Text(table, dialect, encoding, notes, by_line)


def _lines(data: pa.Buffer) -> int:
    """Lines of a text up to the last that is not blank."""
    ends = int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")))
    tail: bytes = data.slice(max(0, data.size - 4096)).to_pybytes()
    return ends - tail[len(tail.rstrip()) :].count(b"\n") + 1


def find_open_quote(lines: Iterable[str], dialect: Dialect, where: str, longest: int | None = None) -> None:
    """Whether text of an odd number of quotes ends inside a quoted cell.

    Args:
        lines: The text.
        dialect: How it is written.
        where: File name for the error.
        longest: Characters after which a quoted cell counts as never closed; None for no limit.

    Raises:
        DataError: Naming the line on which the cell opens.
    """
    before = csv.field_size_limit()
    csv.field_size_limit(longest or before)
    reader = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        doublequote=dialect.escape is None,
        strict=True,
    )
    line = 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error as error:
        if "end of data" in str(error) or "field limit" in str(error):
            raise DataError(
                f"{where} ends inside a quoted cell that opens on line {line:,}",
                f"The file is cut off or a closing {dialect.quote} is missing there.",
            ) from error
    finally:
        csv.field_size_limit(before)


def parse_options(
    dialect: Dialect, on_odd_row: Callable[[pa_csv.InvalidRow], str] | None = None
) -> pa_csv.ParseOptions:
    """A dialect in pyarrow's terms; ``on_odd_row`` is asked about rows with another number of fields."""
    return pa_csv.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char=dialect.quote,
        double_quote=dialect.escape is None,
        escape_char=dialect.escape or False,
        newlines_in_values=True,
        ignore_empty_lines=not dialect.blank_rows,
        invalid_row_handler=on_odd_row,
    )


def _head_table(data: pa.Buffer, dialect: Dialect) -> pa.Table:
    """The rows of the right length in the start of a text."""
    if dialect.delimiter == BLANKS:
        data = pa.py_buffer(b"\n".join(b" ".join(line.split()) for line in data.to_pybytes().split(b"\n")))
    table = _fast(data, dialect, lambda row: "skip")
    return pa.table({str(i): pa.array([], pa.string()) for i in range(dialect.width)}) if table is None else table


def _fast(
    data: pa.Buffer, dialect: Dialect, on_odd_row: Callable[[pa_csv.InvalidRow], str] | None = None
) -> pa.Table | None:
    """The table by pyarrow; None where a row has another number of fields, unless ``on_odd_row`` settles that."""
    names = [str(i) for i in range(dialect.width)]
    try:
        return pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(
                column_names=names,
                skip_rows=dialect.skip,
                skip_rows_after_names=int(dialect.header),
                block_size=1 << 22,
            ),
            parse_options=parse_options(dialect, on_odd_row),
            convert_options=pa_csv.ConvertOptions(
                column_types={n: pa.string() for n in names},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return None


def _careful(text: str, dialect: Dialect, where: str, every_row: bool) -> tuple[pa.Table, tuple[str, ...]]:
    """The table row by row: short rows are filled, empty surplus cells dropped, a few long rows skipped."""
    body = "".join(text.splitlines(keepends=True)[dialect.skip :])
    width, rows, bad, short, n = dialect.width, [], [], 0, 0
    for number, row in enumerate(_rows(body, dialect), start=1):
        if number == 1 and dialect.header:
            continue
        n += 1
        while len(row) > width and not row[-1].strip():
            row.pop()
        if len(row) > width:
            bad.append((number + dialect.skip, len(row)))
            continue
        short += len(row) < width
        rows.append([c or None for c in row] + [None] * (width - len(row)))
    notes = odd_row_notes(bad, short, n, dialect, where, every_row=every_row)
    columns = list(zip(*rows, strict=True)) or [()] * width
    table = pa.table({str(i): pa.array(c, pa.string()) for i, c in enumerate(columns)})
    return table, notes


def odd_row_notes(
    long: list[tuple[int, int]], n_short: int, n: int, dialect: Dialect, where: str, *, every_row: bool = False
) -> tuple[str, ...]:
    """Sentences about rows of another length.

    Args:
        long: (record number, fields) of the rows with too many fields.
        n_short: Rows with too few.
        n: All rows.
        dialect: For the number of fields expected.
        where: File name for the error.
        every_row: No row may be skipped.

    Raises:
        DataError: If too many rows are too long to be skipped, or any where none may be.
    """
    if long and (every_row or len(long) > BAD_ROWS * n):
        line, got = long[0]
        raise DataError(
            f"{where}: row {line:,} has {got} cells, but {dialect.width} are expected"
            + (" (no row may be skipped here)" if every_row and len(long) <= BAD_ROWS * n else ""),
            "Quote cells that hold the delimiter, or check that one delimiter is used throughout.",
        )
    notes = []
    if long:
        verbs = ("has", "was") if len(long) == 1 else ("have", "were")
        notes.append(
            f"{len(long)} of {n:,} rows {verbs[0]} too many cells and {verbs[1]} skipped (first: row {long[0][0]:,})."
        )
    if n_short:
        notes.append(
            f"{n_short:,} of {n:,} rows {'has' if n_short == 1 else 'have'} too few cells; "
            "the missing ones were left empty."
        )
    return tuple(notes)


def _rows(text: str, dialect: Dialect) -> Any:
    if dialect.delimiter == BLANKS:
        return (line.split() for line in text.splitlines() if line.strip())
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        doublequote=dialect.escape is None,
    )
    return (row for row in reader if row or dialect.blank_rows)
