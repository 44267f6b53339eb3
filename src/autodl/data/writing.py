"""Frames to files: whole or not at all."""

from __future__ import annotations

import csv
import errno
import itertools
import os
import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from autodl.data.compression import file_errors, suffix_format
from autodl.errors import REFUSALS, DataError

KINDS = ".csv, .tsv, .parquet, .feather, .jsonl, .xlsx; text also with .gz, .bz2, .xz, .zst or .zip"

EXCEL_ROWS, EXCEL_COLUMNS = 1_048_575, 16_384
"""What a sheet holds, besides the header."""
_OTHER = "Write .csv or .parquet instead."

_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""First characters that make a spreadsheet take text for a formula, also in their full-width forms (OWASP)."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table with a ``'`` before column names and text cells that a spreadsheet would run as a formula.

    Numbers stay as they are, also those written as text, like ``-5``.
    Source: OWASP, CSV Injection.
    """
    out = frame.copy(deep=False)
    for j, kind in enumerate(frame.dtypes):
        if pd.api.types.is_object_dtype(kind) or isinstance(kind, pd.CategoricalDtype | pd.StringDtype):
            out.isetitem(j, frame.iloc[:, j].astype(object).map(_tamed).to_numpy())
    out.columns = pd.Index([_tamed(name) for name in frame.columns])
    return out


def _has_return(frame: pd.DataFrame) -> bool:
    """Whether a name or a text cell contains a carriage return."""
    texts = [frame.iloc[:, j] for j, kind in enumerate(frame.dtypes) if not pd.api.types.is_numeric_dtype(kind)]
    cells = itertools.chain(frame.columns, *texts)
    return any(isinstance(cell, str) and "\r" in cell for cell in cells)


def _tamed(cell: Any) -> Any:
    dangerous = isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell)
    return f"'{cell}" if dangerous else cell


def write_table(frame: pd.DataFrame, path: str | Path, *, raw_text: bool = False) -> None:
    """Write a frame in the format that the suffix names (``.csv``, ``.csv.gz``, ``.parquet``, ...), no index.

    The file appears when it is complete: a fault leaves an older file as it was. In formats that spreadsheets open,
    text that they would run as a formula gets a ``'`` in front; see ``without_formulas``.

    Args:
        frame: The rows.
        path: Where to.
        raw_text: Write such text as it is.

    Raises:
        DataError: If the suffix is unknown or the folder cannot be written to.
    """
    path = Path(path).expanduser()
    check_output(path)
    writer = _writer(path, raw_text)
    with file_errors(str(path), "written"):
        partial = path.with_name(f".{path.stem}-{secrets.token_hex(6)}{''.join(path.suffixes)}")
        partial.touch(exist_ok=False)  # with the permissions that the user's umask leaves
        try:
            writer(frame, partial)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            if path.exists():
                shutil.copymode(path, partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def check_output(path: Path) -> int | None:
    """Refuse a place that no table can be written to.

    Returns:
        The most rows that a file of this kind holds; None for no limit.

    Raises:
        DataError: If the suffix is unknown, the folder does not exist or may not be written to, or the place is a
            folder.
    """
    _writer(path, raw_text=True)
    if not path.parent.is_dir():
        raise DataError(f"the folder {path.parent} does not exist", "Create it first.")
    if path.is_dir():
        raise DataError(f"{path} is a folder", "Name a file in it.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        why, remedy = REFUSALS[errno.EACCES]
        raise DataError(f"{path} cannot be written: {why}", f"{remedy}.")
    return EXCEL_ROWS if suffix_format(path.name)[0] == "excel" else None


def _write_excel(frame: pd.DataFrame, partial: Path, path: Path) -> None:
    from openpyxl.utils.exceptions import IllegalCharacterError

    if len(frame) > EXCEL_ROWS or frame.shape[1] > EXCEL_COLUMNS:
        raise DataError(
            f"{len(frame):,} rows and {frame.shape[1]:,} columns are more than {path} can hold: a sheet ends at "
            f"{EXCEL_ROWS:,} rows and {EXCEL_COLUMNS:,} columns",
            _OTHER,
        )
    # A cell of a sheet has no zone, and a duration in it is a number of days.
    odd = [n for n, t in frame.dtypes.items() if isinstance(t, pd.DatetimeTZDtype) or t.kind == "m"]
    frame = frame.assign(**{str(n): frame[n].astype(object).map(str, na_action="ignore") for n in odd})
    try:
        frame.to_excel(partial, index=False, engine="openpyxl")
    except IllegalCharacterError as error:
        raise DataError(f"{path} cannot hold control characters, which stand in the text", _OTHER) from error


def _writer(path: Path, raw_text: bool) -> Callable[[pd.DataFrame, Path], None]:
    kind, compression = suffix_format(path.name)
    tame: Callable[[pd.DataFrame], pd.DataFrame] = (lambda frame: frame) if raw_text else without_formulas
    suffix = [s.lower() for s in path.suffixes][-2 if compression else -1 :][:1]
    # The archive's member must not be called after the temporary file.
    packed: Any = {"method": "zip", "archive_name": path.stem} if compression == "zip" else "infer"
    if kind == "csv":
        delimiter = {".tsv": "\t", ".tab": "\t", ".psv": "|"}.get(suffix[0], ",")

        def write_csv(frame: pd.DataFrame, p: Path) -> None:
            tamed = tame(frame)
            # Python quotes a line feed in a cell, but not a carriage return, which also ends a line for readers.
            quoting: Literal[0, 2] = csv.QUOTE_NONNUMERIC if _has_return(tamed) else csv.QUOTE_MINIMAL
            tamed.to_csv(p, index=False, sep=delimiter, compression=packed, quoting=quoting)

        return write_csv
    if kind == "jsonl":
        lines = suffix[0] != ".json"
        return lambda frame, p: frame.to_json(
            p, orient="records", lines=lines, date_format="iso", force_ascii=False, compression=packed,
            double_precision=15,
        )  # fmt: skip
    if compression is None and kind == "parquet":
        return lambda frame, p: frame.to_parquet(p, index=False)
    if compression is None and kind == "feather":
        return lambda frame, p: frame.reset_index(drop=True).to_feather(p)
    if compression is None and kind == "excel" and suffix != [".xls"]:
        return lambda frame, p: _write_excel(tame(frame), p, path)
    raise DataError(f"the suffix of {path.name} names no format that can be written", f"Use {KINDS}.")
