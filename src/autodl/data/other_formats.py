"""Parquet, Feather/Arrow, JSON lines, JSON arrays and Excel workbooks to frames."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
import pyarrow as pa

from autodl.data.arrow_blocks import WHOLE
from autodl.data.compression import check_growth
from autodl.data.encoding import decode, find_encoding
from autodl.errors import DataError


def read_parquet(data: pa.Buffer, where: str) -> pd.DataFrame:
    """A Parquet file. Raises ``DataError`` if it is damaged."""
    import pyarrow.parquet as pq

    try:
        return _from_arrow(pq.read_table(pa.BufferReader(data)))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{where} is damaged, cut off, or no Parquet file", "Copy or write it again.") from error


def read_feather(data: pa.Buffer, where: str) -> pd.DataFrame:
    """A Feather (Arrow IPC file) or an Arrow stream. Raises ``DataError`` if it is damaged."""
    import pyarrow.feather as feather

    try:
        try:
            return _from_arrow(feather.read_table(pa.BufferReader(data)))
        except pa.ArrowInvalid:
            return _from_arrow(pa.ipc.open_stream(pa.BufferReader(data)).read_all())
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{where} is damaged, cut off, or no Feather file", "Copy or write it again.") from error


def _from_arrow(table: pa.Table) -> pd.DataFrame:
    try:
        frame: pd.DataFrame = table.to_pandas(types_mapper=WHOLE.get)
    except (KeyError, TypeError, ValueError):  # what pandas once noted about the columns is damaged; they are not
        frame = table.replace_schema_metadata(None).to_pandas(types_mapper=WHOLE.get)
    return frame.reset_index() if frame.index.names != [None] else frame


def read_json(data: pa.Buffer, where: str) -> pd.DataFrame:
    """JSON lines, or one JSON document: an array of objects, an object of columns, or an object holding one array.

    Raises:
        DataError: Naming the line that is no JSON object.
    """
    raw = data.to_pybytes()
    if not raw.strip():
        raise DataError(f"{where} is empty", "Give one JSON object a line.")
    text = decode(raw, find_encoding(raw, where, whole=True), where)
    rows = _document(text, where) if text.lstrip()[:1] == "[" else _lines(text, where)
    if not rows:
        raise DataError(f"{where} has no rows", "Give one JSON object a line.")
    if any(isinstance(v, dict) for row in rows[:1000] for v in row.values()):
        return pd.json_normalize(rows, sep=".")
    try:
        return pd.DataFrame.from_records(rows)
    except OverflowError:  # numbers beside whole numbers of hundreds of digits
        names = list(dict.fromkeys(name for row in rows for name in row))
        return pd.DataFrame({n: pd.Series([row.get(n) for row in rows], dtype=object) for n in names})


def _lines(text: str, where: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            if not rows or number == 1:
                return _document(text, where)
            raise DataError(
                f"{where}: line {number:,} is no JSON: {_fault(error)}", "Put one JSON object a line."
            ) from error
        if not isinstance(row, dict):
            raise DataError(f"{where}: line {number:,} is no JSON object", "Put one JSON object a line.")
        rows.append(row)
    return _unwrap(rows[0], where) if len(rows) == 1 else rows


def _document(text: str, where: str) -> list[dict[str, Any]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno:,}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(f"{where} is no valid JSON{place}: {_fault(error)}", "Put one JSON object a line.") from error
    return _unwrap(value, where)


def _fault(error: Exception) -> str:
    """What is wrong with JSON; Python also gives up on deep nesting and on numbers of thousands of digits."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it holds a number of too many digits"


def _unwrap(value: Any, where: str) -> list[dict[str, Any]]:
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return value
    if isinstance(value, dict):
        if (split := _split(value)) is not None:
            return split
        lists = [v for v in value.values() if isinstance(v, list)]
        if len(lists) == 1 and lists[0] and all(isinstance(row, dict) for row in lists[0]):
            return list(lists[0])
        if value and len(lists) == len(value) and len({len(v) for v in lists}) == 1:
            return [dict(zip(value, row, strict=True)) for row in zip(*lists, strict=True)]
        columns = [v for v in value.values() if isinstance(v, dict)]
        if value and len(columns) == len(value):
            frame = pd.DataFrame(value)
            return [{str(k): v for k, v in row.items()} for row in frame.to_dict(orient="records")]
        return [value]
    raise DataError(f"{where} is no table: it holds a JSON {type(value).__name__}", "Give an array of JSON objects.")


def _split(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of names and cells that stand apart (pandas' ``orient="split"``); None for other objects."""
    names, cells = value.get("columns"), value.get("data")
    if not (
        isinstance(names, list) and isinstance(cells, list) and cells and set(value) <= {"columns", "index", "data"}
    ):
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in cells):
        return None
    return [dict(zip(map(str, names), row, strict=True)) for row in cells]


def _check_growth(workbook: pa.Buffer, where: str) -> None:
    """Refuse a workbook that a few bytes blow up: it is a zip archive, whose reader keeps to the sizes it states."""
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
            grown = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DataError(
            f"{where} is damaged, cut off, or no Excel file", "Copy it again, or save it as CSV."
        ) from error
    check_growth(grown, workbook.size, where)


def read_excel(data: pa.Buffer, where: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The first sheet of a workbook that has rows, and notes. Raises ``DataError`` if there is none."""
    if data.slice(0, min(8, data.size)).to_pybytes().startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(f"{where} is an old Excel file (.xls)", "Save it as .xlsx or CSV.")
    import warnings

    _check_growth(data, where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations, which do not matter here.
            sheets = pd.read_excel(
                io.BytesIO(data), sheet_name=None, header=None, dtype=object, engine="openpyxl",
                keep_default_na=False, na_values=[""],
            )  # fmt: skip
    except MemoryError:
        raise
    except Exception as error:  # a damaged workbook may break its library anywhere: zip, XML, missing parts
        raise DataError(
            f"{where} is damaged, cut off, or no Excel file", "Copy it again, or save it as CSV."
        ) from error
    for name, cells in sheets.items():
        filled = cells.dropna(how="all").dropna(how="all", axis=1)
        if len(filled) < 2:
            continue
        width = filled.notna().sum(axis=1).to_numpy()
        top = int((width > min(1, filled.shape[1] - 1)).argmax())
        body = filled.iloc[top + 1 :].reset_index(drop=True)
        body.columns = pd.Index(["" if pd.isna(c) else str(c) for c in filled.iloc[top]])
        other = len(sheets) - 1
        notes = (
            (f"Sheet '{name}' was read; {other} other sheet{' was' if other == 1 else 's were'} not.",)
            if other
            else ()
        )
        return body, notes
    raise DataError(f"{where} has no sheet with a header and rows", "Give a workbook with a table.")
