"""Reading: dialects, encodings, compressions, formats, shards, and the errors."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autodl.data import compression as compression_module
from autodl.data import read_table
from autodl.errors import DataError

TABLE = "name,age,city\nAnn,31,Rome\nBob,42,Oslo\nEve,53,Bonn\n"
FRAME = pd.DataFrame({"name": ["Ann", "Bob", "Eve"], "age": [31, 42, 53], "city": ["Rome", "Oslo", "Bonn"]})


def save(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_finds_the_delimiter(tmp_path: Path, delimiter: str, newline: str) -> None:
    text = TABLE.replace(",", delimiter).replace("\n", newline)
    frame, info = read_table(save(tmp_path, text))
    pd.testing.assert_frame_equal(frame, FRAME)
    assert info.delimiter == delimiter
    assert info.format == "csv"
    assert info.header


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_finds_the_encoding(tmp_path: Path, encoding: str) -> None:
    words = ["Zürich", "Málaga", "Besançon", "Århus", "Köln"]
    text = "city,n\n" + "".join(f"{w},{i}\n" for i, w in enumerate(words))
    frame, info = read_table(save(tmp_path, text.encode(encoding)))
    assert frame["city"].tolist() == words
    assert frame["n"].tolist() == [0, 1, 2, 3, 4]
    assert info.encoding


@pytest.mark.parametrize("encoding", ["gb18030", "cp1251"])
def test_finds_encodings_of_other_scripts(tmp_path: Path, encoding: str) -> None:
    sentence = {"gb18030": "这部电影非常好看,我们都很喜欢", "cp1251": "Этот фильм мне очень понравился,правда"}[
        encoding
    ]
    text = "a,b\n" + f"{sentence}\n" * 30
    frame, _ = read_table(save(tmp_path, text.encode(encoding)))
    assert frame.loc[0].tolist() == sentence.split(",")


def test_quotes_delimiters_and_newlines_in_cells(tmp_path: Path) -> None:
    rows = [["a", "b"], ['he said "hi", twice', "1"], ["two\nlines", "2"], ["plain", "3"]]
    path = tmp_path / "q.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    frame, _ = read_table(path)
    assert frame["a"].tolist() == [r[0] for r in rows[1:]]
    assert frame["b"].tolist() == [1, 2, 3]


def test_single_quotes_and_backslashes(tmp_path: Path) -> None:
    frame, _ = read_table(save(tmp_path, "a,b\n'x, y',1\n'z, w',2\n"))
    assert frame["a"].tolist() == ["x, y", "z, w"]
    frame, _ = read_table(save(tmp_path, 'a,b\n"say \\"hi, you\\"",1\n"b \\"c, d\\"",2\n', "e.csv"))
    assert frame["a"].tolist() == ['say "hi, you"', 'b "c, d"']


def test_text_of_one_column_with_commas(tmp_path: Path) -> None:
    lines = ["well, that was good", "bad", "so, so, to be honest", "fine", "no, thanks, really, no"]
    frame, info = read_table(save(tmp_path, "\n".join(["review", *lines]) + "\n"))
    assert frame["review"].tolist() == lines
    assert info.delimiter is None


def test_columns_set_apart_by_blanks(tmp_path: Path) -> None:
    frame, _ = read_table(save(tmp_path, "x   y  z\n1.0   2  3\n4.5   5  6\n", "old.dat"))
    assert frame.columns.tolist() == ["x", "y", "z"]
    assert frame["x"].tolist() == [1.0, 4.5]


def test_lines_before_the_table(tmp_path: Path) -> None:
    frame, info = read_table(save(tmp_path, "Report of 2024\n\n# note\nname,age,city\nAnn,31,Rome\nBob,42,Oslo\n"))
    assert frame.columns.tolist() == ["name", "age", "city"]
    assert len(frame) == 2
    assert any("before the table" in n for n in info.notes)
    frame, info = read_table(save(tmp_path, "sep=;\na;b\n1;2\n3;4\n", "s.csv"))
    assert frame.columns.tolist() == ["a", "b"]
    assert frame["b"].tolist() == [2, 4]


@pytest.mark.parametrize(
    ("content", "by_line"),
    [
        (TABLE, True),
        (TABLE.rstrip("\n"), True),
        (TABLE.replace("\n", "\r\n") + "\r\n", True),
        (TABLE.encode("utf-16"), True),
        ("sep=,\n" + TABLE, False),
        ("# of 2024\n" + TABLE, False),
        (TABLE.replace("Bob", '"Bob\nthe second"'), False),
        (TABLE.replace("Bob", "\nBob"), False),
        ("\n" + TABLE, False),
        ("1.5,2\n2.5,3\n3.5,4\n", False),
        (TABLE + "".join(f"Z,{i},Rome\n" for i in range(200)) + "Z,1,Rome,too,many\nZ,2,Rome\n", False),
    ],
)
def test_rows_are_told_as_lines_only_where_each_is_one(tmp_path: Path, content: str | bytes, by_line: bool) -> None:
    assert read_table(save(tmp_path, content))[1].by_line is by_line


def test_only_plain_numbers_become_numbers(tmp_path: Path) -> None:
    text = (
        "zip,comma,big,code,hex,num,miss,mixed,date,huge\n"
        '00501,"1,5",12345678901234567890,1e5x,0x10,-1.5e3,NA,1,2020-01-01,9007199254740993\n'
        '10001,"2,25",12345678901234567891,2,0x11,7,?,b,2020-01-02,9007199254740995\n'
        '20002,"3,75",12345678901234567892,3,0x12,,3,4,2020-01-03,9007199254740997\n'
    )
    frame, _ = read_table(save(tmp_path, text))
    assert frame["zip"].tolist() == ["00501", "10001", "20002"]
    assert frame["comma"].tolist() == ["1,5", "2,25", "3,75"]
    assert frame["big"].tolist()[0] == "12345678901234567890"
    assert frame["num"].tolist()[:2] == [-1500.0, 7.0]
    assert np.isnan(frame["num"][2])
    assert frame["miss"].dtype == np.float64
    assert frame["huge"].tolist() == [9007199254740993, 9007199254740995, 9007199254740997]
    for column in ("hex", "code", "mixed", "date"):
        assert frame[column].dtype == object


def test_big_integers_with_gaps_keep_their_digits(tmp_path: Path) -> None:
    frame, _ = read_table(save(tmp_path, "k,x\n9007199254740993,1\n,2\n9007199254740995,3\n"))
    assert frame["k"].tolist() == ["9007199254740993", None, "9007199254740995"]


def test_dots_in_a_file_with_decimal_commas_stay_text(tmp_path: Path) -> None:
    frame, info = read_table(save(tmp_path, "preis;menge\n1,5;1.234\n2,25;12.500\n3,75;999\n"))
    assert info.decimal == ","
    assert frame["menge"].tolist() == ["1.234", "12.500", "999"]


def test_columns_kept_as_text(tmp_path: Path) -> None:
    frame, _ = read_table(save(tmp_path, "code,x\n100,1\n200,2\n"), as_text=["code"])
    assert frame["code"].tolist() == ["100", "200"]
    assert frame["x"].tolist() == [1, 2]


COMPRESS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda b: zstandard.ZstdCompressor().compress(b),
}


@pytest.mark.parametrize("suffix", sorted(COMPRESS))
def test_compressed(tmp_path: Path, suffix: str) -> None:
    frame, _ = read_table(save(tmp_path, COMPRESS[suffix](TABLE.encode()), f"t.csv.{suffix}"))
    pd.testing.assert_frame_equal(frame, FRAME)


@pytest.mark.parametrize("suffix", sorted(COMPRESS))
def test_compressed_and_cut_off(tmp_path: Path, suffix: str) -> None:
    whole = COMPRESS[suffix](np.random.default_rng(0).bytes(5000).hex().encode())
    with pytest.raises(DataError, match="cut off"):
        read_table(save(tmp_path, whole[: len(whole) // 2], f"t.csv.{suffix}"))


def test_zip_of_shards(tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TABLE)
        archive.writestr("__MACOSX/._a.csv", b"\0\0")
        archive.writestr("b.csv", TABLE)
    frame, info = read_table(path)
    assert len(frame) == 6
    assert info.n_files == 2


def test_refuses_a_decompression_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression_module, "FREE_BYTES", 1 << 16)
    path = save(tmp_path, gzip.compress(b"0" * (1 << 22)), "bomb.csv.gz")
    with pytest.raises(DataError, match="grows from"):
        read_table(path)


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.jsonl", "t.json", "t.xlsx", "t.parquet.csv"])
def test_other_formats(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if ".parquet" in name:  # Also under a suffix that lies.
        FRAME.to_parquet(path)
    elif name.endswith("feather"):
        FRAME.to_feather(path)
    elif name.endswith("xlsx"):
        FRAME.to_excel(path, index=False)
    else:
        FRAME.to_json(path, orient="records", lines=name.endswith("l"))
    frame, info = read_table(path)
    pd.testing.assert_frame_equal(frame, FRAME)
    assert info.format in ("parquet", "feather", "jsonl", "excel")


def test_excel_with_a_title_and_text_codes(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Sales of 2024"])
    book.active.append([])
    for row in (["code", "amount", "day"], ["007", 1.5, pd.Timestamp("2024-01-02")], ["012", None, None]):
        book.active.append(row)
    book.create_sheet("other")
    path = tmp_path / "b.xlsx"
    book.save(path)
    frame, info = read_table(path)
    assert frame["code"].tolist() == ["007", "012"]
    assert frame["amount"].dtype == np.float64
    assert frame["day"].dtype == "datetime64[ns]"
    assert any("Sheet" in n for n in info.notes)


def test_json_shapes(tmp_path: Path) -> None:
    frame, _ = read_table(save(tmp_path, '{"a": {"b": 1}, "c": [1, 2]}\n{"a": {"b": 2}, "c": []}\n', "t.jsonl"))
    assert frame["a.b"].tolist() == [1, 2]
    assert frame["c"].tolist() == ["[1, 2]", "[]"]
    frame, _ = read_table(save(tmp_path, '{"data": [{"x": 1}, {"x": 2}]}', "d.json"))
    assert frame["x"].tolist() == [1, 2]
    frame, _ = read_table(save(tmp_path, '{"x": [1, 2], "y": ["a", null]}', "c.json"))
    assert frame["y"].tolist() == ["a", None]


def test_shards(tmp_path: Path) -> None:
    save(tmp_path, "a,b\n1,x\n", "part-2.csv")
    save(tmp_path, "b,a\ny,007\n", "part-10.csv")
    save(tmp_path, "ignored", "README.md")
    for source in (tmp_path, tmp_path / "*.csv", str(tmp_path / "part-*.csv")):
        frame, info = read_table(source)
        assert frame["b"].tolist() == ["x", "y"]
        assert frame["a"].tolist() == ["1", "007"]
        assert info.n_files == 2
    save(tmp_path, "a,c\n1,x\n", "part-3.csv")
    with pytest.raises(DataError, match=r"part-3.csv lacks 'b'"):
        read_table(tmp_path)


def test_short_and_long_rows(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i * 2},x\n" for i in range(300))
    frame, info = read_table(save(tmp_path, "a,b,c\n" + rows + "1,2\n1,2,3,4\n5,6,y,\n"))
    assert len(frame) == 302
    assert frame["c"].tolist()[-2:] == [None, "y"]
    assert any("too many" in n for n in info.notes) and any("too few" in n for n in info.notes)
    with pytest.raises(DataError, match="row 3 has 4 cells, but 3 are expected"):
        read_table(save(tmp_path, "a,b,c\n1,2,3\n1,2,3,4\n1,2,3\n4,5,6\n", "bad.csv"))


def test_names(tmp_path: Path) -> None:
    frame, info = read_table(save(tmp_path, ",a , b\n0,1,2\n1,3,4\n"))
    assert frame.columns.tolist() == ["Unnamed: 0", "a", "b"]
    assert info.notes
    frame, _ = read_table(save(tmp_path, "a,b,\n1,2,\n3,4,\n", "trail.csv"))
    assert frame.columns.tolist() == ["a", "b"]
    frame, _ = read_table(save(tmp_path, "a,b\n1,2,3\n2,3,4\n", "r.csv"))
    assert frame.columns.tolist() == ["Unnamed: 0", "a", "b"]
    with pytest.raises(DataError, match="columns 1 and 3 are both named 'a'"):
        read_table(save(tmp_path, "a,b,a\n1,2,3\n", "twice.csv"))


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "e.csv", "is empty"),
        (b"\n  \n", "e.csv", "is empty"),
        (b"\xef\xbb\xbf", "e.csv", "is empty"),
        (b"a,b,c\n", "h.csv", "no rows"),
        (bytes(range(256)) * 20, "b.csv", "binary"),
        (b'a,b\n1,"x\n2,y\n3,z\n', "q.csv", "inside a quoted cell that opens on line 2"),
        (b"%PDF-1.7 ...", "d.csv", "PDF"),
        (b"\xef\xbb\xbf<!DOCTYPE html>\n<html>a,b\n1,2\n</html>", "w.csv", "no table but a web page"),
        (b"PAR1 but not really", "p.parquet", "no Parquet"),
        (b"junk", "f.feather", "no Feather"),
        (b"junk", "x.xlsx", "no Excel"),
        (b'{"a": 1}\n{"a": \n', "j.jsonl", "line 2"),
        (b"{", "j.json", "no valid JSON"),
        (b"[]", "j.json", "no rows"),
        (b"[1, 2]", "j.json", "no table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "o.xls", "old Excel"),
    ],
)
def test_bad_files_give_one_line(tmp_path: Path, content: bytes, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(save(tmp_path, content, name))
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_formats_that_are_refused_are_not_offered(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Give a CSV, Excel \(\.xlsx\)") as caught:
        read_table(save(tmp_path, b"%PDF-1.7", "t.csv"))
    assert ".xls," not in str(caught.value)


def test_bad_paths(tmp_path: Path) -> None:
    save(tmp_path, TABLE, "sales.csv")
    with pytest.raises(DataError, match=r"Did you mean 'sales.csv'"):
        read_table(tmp_path / "sale.csv")
    with pytest.raises(DataError, match="no file matches"):
        read_table(tmp_path / "*.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no table"):
        read_table(tmp_path / "empty")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_unreadable(tmp_path: Path) -> None:
    path = save(tmp_path, TABLE)
    path.chmod(0)
    with pytest.raises(DataError, match="permission"):
        read_table(path)


def test_frames_of_any_dtype() -> None:
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None, 3], dtype="Int64"),
            "b": [True, False, True],
            "cat": pd.Categorical(["x", None, "y"]),
            "tz": pd.to_datetime(["2020-01-01 12:00", None, "2020-01-03 00:00"]).tz_localize("Europe/Berlin"),
            "lists": [[1], None, [2, 3]],
            "mixed": ["a", 1, 2.5],
            "numbers": np.array([1, 2.5, None], dtype=object),
            "string": pd.array(["u", None, "v"], dtype="string"),
            "delta": pd.to_timedelta([1, 2, 3], unit="s"),
        },
        index=[5, 5, 7],
    )
    raw, info = read_table(frame)
    assert raw.index.tolist() == [0, 1, 2]
    assert raw["i"].dtype == np.float64
    assert raw["b"].dtype == bool
    assert raw["cat"].tolist() == ["x", None, "y"]
    assert raw["tz"][0] == pd.Timestamp("2020-01-01 11:00")
    assert raw["lists"].tolist() == ["[1]", None, "[2, 3]"]
    assert raw["mixed"].tolist() == ["a", "1", "2.5"]
    assert raw["numbers"].dtype == np.float64
    assert raw["string"].tolist() == ["u", None, "v"]
    assert raw["delta"].tolist() == [1.0, 2.0, 3.0]
    assert any("'mixed'" in n for n in info.notes) and any("'lists'" in n for n in info.notes)
    for bad in (pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame([[1, 2]], columns=["a", "a"]), 3):
        with pytest.raises(DataError):
            read_table(bad)  # type: ignore[arg-type]


def test_adult_agrees_with_pandas(shared_data: Path) -> None:
    frame, _ = read_table(shared_data / "adult.csv")
    reference = pd.read_csv(shared_data / "adult.csv", keep_default_na=False, na_values=[""])
    for name in reference:
        ours = frame[name]
        assert len(ours) == len(reference)
        if ours.dtype == object:
            assert (
                ours.where(ours.notna(), None).tolist()
                == reference[name].astype(object).where(reference[name].notna(), None).tolist()
            )
        else:
            np.testing.assert_array_equal(ours, reference[name])


WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=8,
)
CELL = st.builds(
    lambda a, m, b: a + m + b, WORD, st.sampled_from(["", " ", ",", ";", "\t", "|", '"', "\n", '", "']), WORD
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(CELL.map(lambda c: "x" + c), st.integers(-(2**53), 2**53), st.floats(-1e9, 1e9)),
        min_size=6,
        max_size=25,
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
@example([("x\n", 0, 0.5)] * 6, ";", "\n", "utf-8", csv.QUOTE_ALL)
def test_round_trip_in_any_dialect(
    tmp_path: Path, rows: list[tuple[str, int, float]], delimiter: str, newline: str, encoding: str, quoting: int
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerow(["words", "whole", "real"])
    writer.writerows(rows)
    frame, info = read_table(save(tmp_path, buffer.getvalue().encode(encoding)))
    assert info.delimiter == delimiter
    assert frame.columns.tolist() == ["words", "whole", "real"]
    assert frame["words"].tolist() == [r[0] for r in rows]
    np.testing.assert_array_equal(frame["whole"], [r[1] for r in rows])
    np.testing.assert_array_equal(frame["real"], [r[2] for r in rows])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(st.binary(max_size=300), st.text(alphabet="ab1,;\n\r\t\"' .-é\0", max_size=120).map(str.encode))
)
def test_any_bytes_give_a_table_or_one_line(tmp_path: Path, content: bytes) -> None:
    path = save(tmp_path, content)
    message = None
    try:
        frame, _ = read_table(path)
    except DataError as error:
        message = str(error)
    if message is None:
        assert frame.shape[0] > 0 and frame.shape[1] > 0
    else:
        assert "\n" not in message
