"""Whether the first line of a file holds names: words, years, wavelengths, remarks, values."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from autodl.data import read_table
from autodl.errors import DataError
from autodl.records import ReadInfo


def read(folder: Path, text: str) -> tuple[pd.DataFrame, ReadInfo]:
    """A CSV file of this text as it is read."""
    path = folder / "t.csv"
    path.write_text(text)
    return read_table(path)


def test_header_found_missing(tmp_path: Path) -> None:
    frame, info = read(tmp_path, "5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n")
    assert not info.header
    assert frame.columns.tolist() == ["column_1", "column_2", "column_3"]
    assert len(frame) == 3
    words = "red,round\nblue,flat\nred,round\nblue,round\nred,flat\nred,round\n"
    frame, info = read(tmp_path, words)
    assert not info.header
    assert len(frame) == 6


@pytest.mark.parametrize("header", ["2019,2020,2021", "0,1,2", "a,b,3"])
def test_headers_with_numbers(tmp_path: Path, header: str) -> None:
    frame, info = read(tmp_path, header + "\n1.5,2.5,x\n3.5,4.5,y\n")
    assert info.header
    assert frame.columns.tolist() == header.split(",")


def _rows(*columns: str) -> str:
    """Twenty rows: ``n`` a number, ``i`` its place, ``w`` one of three words, ``k`` a word of its own."""
    cells = {
        "n": lambda i: f"{(i * 37 % 101) / 7:.3f}",
        "i": str,
        "w": lambda i: "abc"[i % 3],
        "k": lambda i: f"k{i}",
    }
    return "".join(",".join(cells[c](i + j) for j, c in enumerate(columns)) + "\n" for i in range(1, 21))


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("sample,protein,1100,1102,1104", _rows(*"knnnn")),
        ("sample,variety,1100,1102,1104,1106", _rows(*"kwnnnn")),
        ("country,1960,1970,target", _rows(*"knnn")),
        ("label," + ",".join(map(str, range(1, 30))), _rows("w", *"n" * 29)),
        (",".join(map(str, range(1, 30))), ",".join("0" * 29) + "\n" + _rows(*"n" * 29)),
    ],
)
def test_headers_with_numbers_above_numbers(tmp_path: Path, header: str, body: str) -> None:
    frame, info = read(tmp_path, f"{header}\n{body}")
    assert info.header
    assert frame.columns.tolist() == header.split(",")
    assert len(frame) == body.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3,4\n5,6,7,8\n9,10,11,12\n",
        "0,0,0,0\n0,7,0,1\n3,0,0,2\n",
        "x,3.5\nx,1.5\n" + _rows("n", "n"),  # a word for a missing value
        _rows(*"nnnw"),
    ],
)
def test_numbers_that_are_no_header(tmp_path: Path, text: str) -> None:
    frame, info = read(tmp_path, text)
    assert not info.header
    assert len(frame) == text.count("\n")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("#,Name,Type 1,HP", ["#", "Name", "Type 1", "HP"]),
        ("#place,name,kind,points", ["place", "name", "kind", "points"]),
        ("# a,b,c,d", ["a", "b", "c", "d"]),
    ],
)
@pytest.mark.parametrize("n", [20, 1])
def test_a_header_behind_a_hash(tmp_path: Path, line: str, names: list[str], n: int) -> None:
    body = "".join(_rows(*"ikwn").splitlines(keepends=True)[:n])
    frame, info = read(tmp_path, f"## by hand\n{line}\n{body}")
    assert frame.columns.tolist() == names
    assert len(frame) == n
    assert any("1 line before the table" in note for note in info.notes)


@pytest.mark.parametrize("remark", ["# one, two, three, four", "# by hand", "# 1, 2, 3"])
@pytest.mark.parametrize("header", ["", "a,b,c\n"])
def test_a_remark_behind_a_hash_is_no_header(tmp_path: Path, remark: str, header: str) -> None:
    frame, _ = read(tmp_path, f"{remark}\n{header}{_rows(*'nnn')}")
    assert frame.columns.tolist() == (["a", "b", "c"] if header else ["column_1", "column_2", "column_3"])
    assert len(frame) == 20


def test_rows_of_words_that_recur_have_no_header(tmp_path: Path) -> None:
    rows = [[("psx"[(i * k) % 3]) for k in range(1, 6)] for i in range(30)]
    frame, info = read(tmp_path, "".join(",".join(r) + "\n" for r in rows))
    assert not info.header
    assert len(frame) == 30
    with pytest.raises(DataError, match="both named 'a'"):
        read(tmp_path, "a,b,a\n" + _rows(*"wwk"))


def test_words_with_some_digits_are_no_header(tmp_path: Path) -> None:
    """As in UCI's car.data: a column of ``2``, ``3`` and ``5more`` is none of numbers."""
    rows = [
        f"{a},{a},{d},{p},{s}\n"
        for a in ("vhigh", "low")
        for d in ("2", "5more")
        for p in "24"
        for s in ("big", "small")
    ]
    frame, info = read(tmp_path, "".join(rows * 3).replace(",4,", ",more,"))
    assert not info.header
    assert len(frame) == 48
