"""Inputs that once broke the readers, found by ``benchmarks/fuzz.py``; the smallest form of each."""

from __future__ import annotations

import contextlib
import io
import json
import re
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from autodl.data import dates, dialect, infer_schema, kinds, numbers, read_table, words
from autodl.data.columns import normalise
from autodl.data.numbers import parse_number
from autodl.errors import DataError
from autodl.records import ParseRule


@contextlib.contextmanager
def limit(seconds: int = 30) -> Iterator[None]:
    """A hang ends as a failure; far above what any of these inputs needs."""

    def over(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def save(folder: Path, content: bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_thousands_mark_behind_the_decimal_mark_only_is_no_number() -> None:
    assert np.isnan(parse_number("1.5,3", ParseRule(thousands=",")))
    assert np.isnan(parse_number("1,5.3", ParseRule(thousands=".", decimal=",")))


def test_a_workbook_with_broken_xml_inside(tmp_path: Path) -> None:
    sound = io.BytesIO()
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_excel(sound, index=False)
    out = io.BytesIO()
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(out, "w") as target:
        for member in source.infolist():
            data = source.read(member)
            target.writestr(member, data[:-20] if member.filename.endswith("sheet1.xml") else data)
    with pytest.raises(DataError, match=r"t.xlsx.*Excel"):
        read_table(save(tmp_path, out.getvalue(), "t.xlsx"))


def test_a_zip_of_broken_deflate_data(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", "a,b\n" + "1,2\n" * 500)
    content = bytearray(out.getvalue())
    start = content.index(b"t.csv") + 5
    content[start : start + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(DataError, match="damaged"):
        read_table(save(tmp_path, bytes(content), "t.csv.zip"))


def test_broken_bzip2_data_is_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"damaged or cut off.* again"):
        read_table(save(tmp_path, b"BZh9" + b"\x17" * 60, "t.csv.bz2"))


@pytest.mark.parametrize(
    "content",
    [b'{"a": 1}\n{"a": 2}\n'.decode().encode("utf-16")[:-1], b'[{"a": "' + b"\xff\xfe" * 3 + b"\x81\x8d" + b'"}',
     b"[" * 100_000, b'{"a": ' + b"9" * 5_000 + b"}", b'{"a": 0.5, "b": 1}\n{"a": ' + b"9" * 400 + b'}{'],
    ids=["half a character", "no encoding", "nested without end", "a number without end", "cut off"],
)  # fmt: skip
def test_json_that_python_cannot_take(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.json"):
        read_table(save(tmp_path, content, "t.json"))


def test_half_surrogates_in_json_become_question_marks(tmp_path: Path) -> None:
    rows = [{"a\ud800": "x\udfff", "b": 1}, {"a\ud800": "y", "b": 2}]
    frame, _ = read_table(save(tmp_path, json.dumps(rows).encode(), "t.json"))
    assert frame.columns.tolist() == ["a?", "b"]
    assert frame["a?"].tolist() == ["x?", "y"]


def test_damaged_notes_of_pandas_in_a_feather_file_do_not_hide_its_columns(tmp_path: Path) -> None:
    table = pa.table({"a": [1, 2], "b": ["x", "y"]}).replace_schema_metadata({"pandas": '{"indxe_columns": []}'})
    pyarrow.feather.write_feather(table, tmp_path / "t.feather")
    frame, _ = read_table(tmp_path / "t.feather")
    assert frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}


def test_nameless_columns_without_a_value_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column with a name or a value"):
        read_table(save(tmp_path, b";\n;\n", "t.csv"))


@pytest.mark.parametrize("dtype", ["date32[day][pyarrow]", "timestamp[ns][pyarrow]"])
def test_arrow_dates_in_frames(dtype: str) -> None:
    frame = pd.DataFrame({"day": pd.Series(["2020-01-05", None, "2021-02-06"], dtype="datetime64[ns]").astype(dtype)})
    plain, _ = normalise(frame, "the frame")
    assert plain["day"].tolist() == [pd.Timestamp("2020-01-05"), pd.NaT, pd.Timestamp("2021-02-06")]


def test_arrow_numbers_and_words_in_frames() -> None:
    frame = pd.DataFrame({
        "whole": pd.Series([1, 2], dtype="int64[pyarrow]"), "yes": pd.Series([True, False], dtype="bool[pyarrow]"),
        "word": pd.Series(["a", None], dtype="string[pyarrow]"),
        "real": pd.Series([0.5, None], dtype="double[pyarrow]"),
    })  # fmt: skip
    plain, _ = normalise(frame, "the frame")
    assert [str(t) for t in plain.dtypes] == ["int64", "bool", "object", "float64"]
    assert plain["word"].tolist() == ["a", None]


def test_numpy_durations_in_an_object_column_are_no_whole_numbers() -> None:
    frame = pd.DataFrame({"d": pd.Series([np.timedelta64(1, "D"), np.timedelta64(2, "D")], dtype=object)})
    plain, _ = normalise(frame, "the frame")
    assert plain["d"].notna().all()


def test_infinite_numbers_beside_whole_ones_are_read_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    frame = pd.DataFrame({"id": [np.inf, 1.0, 2.0, 1.0] * 5, "y": [0, 1] * 10})
    infer_schema(normalise(frame, "the frame")[0], target="y")
    assert [str(w.message) for w in recwarn] == []


def test_numbers_beside_the_missing_value_of_pandas_and_beyond_any_float() -> None:
    frame = pd.DataFrame({"n": pd.Series([1, pd.NA, 2.5, 10**400, -(10**400)], dtype=object)})
    plain, _ = normalise(frame, "the frame")
    np.testing.assert_equal(plain["n"].to_numpy(float), [1, np.nan, 2.5, np.inf, -np.inf])


def test_mappings_that_json_cannot_write_are_read_as_text() -> None:
    loop: list[object] = []
    loop.append(loop)
    plain, notes = normalise(pd.DataFrame({"d": [{(1, 2): 3}, loop]}), "the frame")
    assert plain["d"].tolist() == ["{(1, 2): 3}", "[[...]]"]
    assert notes


def test_a_huge_whole_number_beside_fractions_in_json(tmp_path: Path) -> None:
    content = b'{"a": 0.5, "b": 1}\n{"a": ' + b"9" * 400 + b', "b": 2}'
    frame, _ = read_table(save(tmp_path, content, "t.jsonl"))
    assert frame.to_dict("list") == {"a": [0.5, np.inf], "b": [1, 2]}


def test_an_empty_column_of_unsigned_numbers() -> None:
    plain, _ = normalise(pd.DataFrame({"n": pd.Series([], dtype="UInt64")}), "the frame")
    assert plain["n"].dtype == np.int64


def patterns() -> list[tuple[str, re.Pattern[str]]]:
    modules = (dates, dialect, kinds, numbers, words)
    return [(f"{m.__name__}.{n}", p) for m in modules for n, p in vars(m).items() if isinstance(p, re.Pattern)]


@pytest.mark.parametrize("tail", ["", "!", "\n!"])
@pytest.mark.parametrize(("name", "pattern"), patterns(), ids=[n for n, _ in patterns()])
def test_no_pattern_takes_for_ever(name: str, pattern: re.Pattern[str], tail: str) -> None:
    """A pattern that tries all ways to cut such texts would need years (as one for hashes once did)."""
    for piece in ("1", "a", "1,", ".1", " 1", "ab ", "a.", "a@a.", "'", "1e", "0", "abcd-"):
        with limit():
            pattern.search(piece * (400 // len(piece)) + tail)


def test_a_cell_of_very_many_digits_is_read_at_once(tmp_path: Path) -> None:
    content = "a;b\n" + "".join(f"{i};x\n" for i in range(30)) + "9" * 300_000 + "!;y\n"
    with limit():
        frame, _ = read_table(save(tmp_path, content.encode(), "t.csv"))
        infer_schema(frame)
    assert frame.shape == (31, 2)
