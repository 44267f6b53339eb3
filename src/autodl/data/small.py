"""Files that are read whole: which format they have, and their tables as one raw frame."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pyarrow as pa

from autodl.data.columns import clean_names, normalise, raw_names
from autodl.data.compression import magic, suffix_format
from autodl.data.csv_format import Text, read_text
from autodl.data.foreign import HEAD_BYTES, refuse_foreign
from autodl.data.headers import column_names, decimal_notes, dialect_notes, same_columns, shown_delimiter
from autodl.data.other_formats import read_excel, read_feather, read_json, read_parquet
from autodl.data.plain_columns import to_frame
from autodl.data.streams import read_bytes
from autodl.errors import DataError
from autodl.records import ReadInfo

_READABLE = "Give a CSV, Excel (.xlsx), Parquet, Feather or JSON file."


def read_small(
    files: list[Path],
    source: str,
    as_text: Collection[str],
    marked: Collection[str],
    every_row: bool,
    names: Collection[str] = (),
) -> tuple[pd.DataFrame, ReadInfo, dict[str, pd.Series]]:
    """Read the files whole; also the columns as given, where the format has types of its own.

    Raises:
        DataError: What is wrong with the files and what to do.
    """
    parts = [(name, data, table_format(name, data)) for file in files for name, data in read_bytes(file)]
    formats = {kind for *_, kind in parts}
    if len(formats) > 1:
        raise DataError(f"{source} holds files of several formats: {', '.join(sorted(formats))}", "Give one of them.")
    kind = formats.pop()
    n_bytes = sum(file.stat().st_size for file in files)
    if kind == "csv":
        texts = [(n, d) for n, d, _ in parts]
        return *_read_csv(texts, str(source), n_bytes, as_text, marked, every_row, names), {}
    frames: list[pd.DataFrame] = []
    notes: list[str] = []
    for name, data, _ in parts:
        frame, found = _read_other(kind, data, name)
        frames.append(frame)
        notes += found
    same_columns([(name, [str(c) for c in frame.columns]) for (name, *_), frame in zip(parts, frames, strict=True)])
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    given = {name: frame.iloc[:, i] for i, name in enumerate(clean_names(raw_names(frame))[0])}
    frame, repaired = normalise(frame, str(source))
    info = ReadInfo(path=str(source), format=kind, n_files=len(parts), n_bytes=n_bytes, notes=(*notes, *repaired))
    return not_empty(frame, str(source)), info, given


def not_empty(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The same frame.

    Raises:
        DataError: If it has no columns or no rows.
    """
    if frame.shape[1] == 0:
        raise DataError(f"{where} has no columns", "Give a table with a header and rows.")
    if len(frame) == 0:
        raise DataError(f"{where} has columns but no rows", "Give a table with rows.")
    return frame


def table_format(name: str, data: pa.Buffer) -> str:
    """The format by content first, since suffixes lie; by suffix where the content is text.

    Raises:
        DataError: If the content is that of no table.
    """
    kind = magic(data.slice(0, min(16, data.size)).to_pybytes())
    by_suffix = suffix_format(name)[0]
    if kind in ("xls", "zip"):  # archives of tables have been unpacked by now
        return "excel"
    if kind in ("parquet", "feather"):
        return kind
    if kind is not None:
        raise DataError(f"{name} is no table but {kind}", _READABLE)
    start = data.slice(0, min(HEAD_BYTES, data.size)).to_pybytes()
    refuse_foreign(name, start, text=by_suffix in (None, "csv"))
    if by_suffix is None and start.lstrip()[:1] == b"{":
        return "jsonl"
    return by_suffix or "csv"


def _read_other(kind: str, data: pa.Buffer, where: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if data.size == 0:
        raise DataError(f"{where} is empty", "Give a file with rows.")
    if kind == "excel":
        return read_excel(data, where)
    readers = {"parquet": read_parquet, "feather": read_feather, "jsonl": read_json}
    return readers[kind](data, where), ()


def _read_csv(
    parts: list[tuple[str, pa.Buffer]],
    source: str,
    n_bytes: int,
    as_text: Collection[str],
    marked: Collection[str],
    every_row: bool,
    names: Collection[str],
) -> tuple[pd.DataFrame, ReadInfo]:
    texts: list[tuple[str, Text]] = []
    for name, data in parts:
        like = texts[0][1].dialect if texts else None
        where = source if len(parts) == 1 and Path(source).name.startswith(Path(name).name) else name
        texts.append((where, read_text(data, where, like, every_row=every_row, names=names)))
    first = texts[0][1]
    tables, notes = [], [note for _, text in texts for note in text.notes]
    headers: list[tuple[str, list[str]]] = []
    for where, text in texts:
        found, keep, repaired = column_names(text, where)
        headers.append((where, found))
        tables.append(text.table.select(keep).rename_columns(found))
        notes += repaired if text is first else ()
    same_columns(headers)
    order = headers[0][1]
    table = pa.concat_tables([t.select(order) for t in tables])
    dialect = first.dialect
    notes += [*decimal_notes([(where, text.dialect) for where, text in texts]), *dialect_notes(first)]
    info = ReadInfo(
        path=source,
        format="csv",
        encoding=first.encoding,
        delimiter=shown_delimiter(dialect),
        decimal=dialect.decimal,
        header=dialect.header,
        by_line=len(parts) == 1 and first.by_line,
        n_files=len(parts),
        n_bytes=n_bytes,
        notes=tuple(notes),
    )
    return to_frame(table, dialect.decimal, {*as_text, *(marked if dialect.delimiter != "," else ())}), info
