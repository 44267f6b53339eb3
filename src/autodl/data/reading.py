"""Files, folders, globs and frames to one raw table."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from autodl.data.columns import check_names, clean_names, normalise
from autodl.data.compression import COMPRESSED, FORMATS, file_errors, magic, read_bytes, suffix_format
from autodl.data.csv_format import Text, read_text, to_frame
from autodl.data.dialect import NO_DELIMITER
from autodl.data.other_formats import read_excel, read_feather, read_json, read_parquet
from autodl.errors import DataError, did_you_mean
from autodl.records import ReadInfo

_KINDS = ", ".join(sorted(set(FORMATS) - {".xls"}))  # old Excel files are known, but only to be refused


def read_table(source: str | Path | pd.DataFrame, *, as_text: Collection[str] = ()) -> tuple[pd.DataFrame, ReadInfo]:
    """Read a table.

    Args:
        source: A file (CSV and kin, Parquet, Feather, JSON lines, Excel; also ``.gz``, ``.zst``, ``.zip``, ``.bz2``,
            ``.xz``), a folder or a glob of shards of one table, a frame, or anything with ``to_pandas``.
        as_text: Columns whose cells stay text even if all of them are numbers (CSV only); for data that must agree
            with a schema in which they are categories.

    Returns:
        The raw frame with a fresh index, and how it was read. Columns are int64, float64, bool or datetime64 where
        the file plainly says so, else object with ``str`` or ``None``.

    Raises:
        DataError: What is wrong with the source and what to do.
    """
    if not isinstance(source, str | Path):
        return _from_frame(source)
    files = _files(source)
    parts = [(name, data, _format(name, data)) for file in files for name, data in read_bytes(file)]
    formats = {kind for *_, kind in parts}
    if len(formats) > 1:
        raise DataError(f"{source} holds files of several formats: {', '.join(sorted(formats))}", "Give one of them.")
    kind = formats.pop()
    n_bytes = sum(file.stat().st_size for file in files)
    if kind == "csv":
        return _read_csv([(n, d) for n, d, _ in parts], str(source), n_bytes, as_text)
    frames: list[pd.DataFrame] = []
    notes: list[str] = []
    for name, data, _ in parts:
        frame, found = _read_other(kind, data, name)
        frames.append(frame)
        notes += found
    _same_columns([(name, [str(c) for c in frame.columns]) for (name, *_), frame in zip(parts, frames, strict=True)])
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    frame, repaired = normalise(frame, str(source))
    info = ReadInfo(path=str(source), format=kind, n_files=len(parts), n_bytes=n_bytes, notes=(*notes, *repaired))
    return _not_empty(frame, str(source)), info


def _from_frame(source: Any) -> tuple[pd.DataFrame, ReadInfo]:
    if isinstance(source, pd.DataFrame):
        frame = source
    elif hasattr(source, "to_pandas"):
        frame = source.to_pandas()
    else:
        raise DataError(f"a path or a DataFrame is needed, but got {type(source).__name__}")
    frame, notes = normalise(frame, "the DataFrame")
    info = ReadInfo(path="<DataFrame>", format="frame", notes=notes)
    return _not_empty(frame, "the DataFrame"), info


def _not_empty(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    if frame.shape[1] == 0:
        raise DataError(f"{where} has no columns", "Give a table with a header and rows.")
    if len(frame) == 0:
        raise DataError(f"{where} has columns but no rows", "Give a table with rows.")
    return frame


def _files(source: str | Path) -> list[Path]:
    """The files that a path, a folder or a glob stands for, in natural order."""
    path = Path(source).expanduser()
    with file_errors(str(source)):
        if path.is_file():
            return [path]
        if path.is_dir():
            found = [p for p in path.iterdir() if _is_table(p)] or [p for p in path.rglob("*") if _is_table(p)]
            if not found:
                raise DataError(f"the folder {source} holds no table", f"Files ending in {_KINDS} are read.")
            return sorted(found, key=_natural)
        if any(c in str(source) for c in "*?["):
            root = Path(path.anchor) if path.is_absolute() else Path()
            found = [p for p in root.glob(str(path.relative_to(root) if path.is_absolute() else path)) if p.is_file()]
            if not found:
                raise DataError(f"no file matches {source}", "Check the pattern and the folder.")
            return sorted(found, key=_natural)
        if path.exists():
            return [path]
        near = ""
        if path.parent.is_dir():
            names = [p.name for p in path.parent.iterdir() if p.is_dir() or _is_table(p)]
            near = did_you_mean(path.name, names)
        raise DataError(f"{source} does not exist", near if near.startswith("Did") else "Check the path.")


def _is_table(path: Path) -> bool:
    if not path.is_file() or path.name.startswith((".", "_")):
        return False
    kind, compression = suffix_format(path.name)
    return kind is not None or (compression is not None and path.suffix.lower() in COMPRESSED)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    return [(0, int(t), "") if t.isdigit() else (1, 0, t) for t in re.split(r"(\d+)", str(path))]


def _format(name: str, data: pa.Buffer) -> str:
    """The format by content first, since suffixes lie; by suffix where the content is text."""
    kind = magic(data.slice(0, min(16, data.size)).to_pybytes())
    by_suffix = suffix_format(name)[0]
    if kind == "xls" or (kind == "zip" and by_suffix in ("excel", None)):
        return "excel"
    if kind in ("parquet", "feather"):
        return kind
    if kind is not None:
        article = "an" if kind[0] in "aeioHRS" else "a"
        raise DataError(f"{name} is {article} {kind} file, not a table", f"Files ending in {_KINDS} are read.")
    if by_suffix is None and data.slice(0, min(4096, data.size)).to_pybytes().lstrip()[:1] == b"{":
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
    parts: list[tuple[str, pa.Buffer]], source: str, n_bytes: int, as_text: Collection[str]
) -> tuple[pd.DataFrame, ReadInfo]:
    texts: list[tuple[str, Text]] = []
    for name, data in parts:
        like = texts[0][1].dialect if texts else None
        where = source if len(parts) == 1 and Path(source).name.startswith(Path(name).name) else name
        texts.append((where, read_text(data, where, like)))
    first = texts[0][1]
    tables, notes = [], [note for _, text in texts for note in text.notes]
    headers: list[tuple[str, list[str]]] = []
    for where, text in texts:
        names, keep, repaired = _names(text, where)
        headers.append((where, names))
        tables.append(text.table.select(keep).rename_columns(names))
        notes += repaired if text is first else ()
    _same_columns(headers)
    order = headers[0][1]
    table = pa.concat_tables([t.select(order) for t in tables])
    dialect = first.dialect
    notes += _dialect_notes(first)
    info = ReadInfo(
        path=source,
        format="csv",
        encoding=first.encoding,
        delimiter=None if dialect.delimiter == NO_DELIMITER else dialect.delimiter,
        decimal=dialect.decimal,
        header=dialect.header,
        n_files=len(parts),
        n_bytes=n_bytes,
        notes=tuple(notes),
    )
    return to_frame(table, dialect, as_text), info


def _names(text: Text, where: str) -> tuple[list[str], list[str], tuple[str, ...]]:
    """(column names, positions kept, notes) of a delimited file."""
    width = text.dialect.width
    positions = [str(i) for i in range(width)]
    if not text.dialect.header:
        return [f"column_{i + 1}" for i in range(width)], positions, ()
    given = [*text.dialect.names[:width], *[""] * (width - len(text.dialect.names))]
    if len(text.dialect.names) == width - 1:  # R writes row names without a header of their own.
        filled_last = text.table[str(width - 1)].null_count < text.table.num_rows
        given = ["", *text.dialect.names] if filled_last else given
    empty = {i for i, n in enumerate(given) if not n and text.table[str(i)].null_count == text.table.num_rows}
    kept = [i for i in range(width) if i not in empty]
    names, notes = clean_names([given[i] for i in kept])
    check_names(names, where)
    if empty:
        notes = (*notes, f"{len(empty)} columns without a name and without values were dropped.")
    return names, [positions[i] for i in kept], notes


def _dialect_notes(text: Text) -> list[str]:
    d, out = text.dialect, []
    if not d.header:
        out.append("The first line holds values, not names; columns were named column_1, column_2, ...")
    if d.skip:
        out.append(f"{d.skip} lines before the table were skipped.")
    if text.encoding not in ("utf-8", "utf-8-sig"):
        out.append(f"The text is encoded as {text.encoding}.")
    if d.decimal == ",":
        out.append("Numbers are written with a decimal comma.")
    return out


def _same_columns(headers: list[tuple[str, list[str]]]) -> None:
    first_file, first = headers[0]
    for file, names in headers[1:]:
        odd = sorted(set(first) ^ set(names))
        if odd:
            lacking = file if odd[0] in first else first_file
            raise DataError(
                f"the files differ in columns: {lacking} lacks '{odd[0]}'",
                "Give shards of one table, or only the file to learn from.",
            )
