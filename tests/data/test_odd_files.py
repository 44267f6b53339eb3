"""Files as people have them: titles, mixed encodings, parts without rows, texts beside the data."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from autodl.data import Batches, read_table
from autodl.data import delimited as delimited_module
from autodl.data import reading as reading_module
from autodl.data.encoding import MIXED, find_encoding
from autodl.data.foreign import refuse_foreign
from autodl.errors import DataError

ROWS = "".join(f"{i},{'red' if i % 3 else 'blue'},{i * 1.5}\n" for i in range(60))
TABLE = "size,colour,price\n" + ROWS


def save(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "top", ["Report 2024\n\n", "Report 2024\r\n\r\n\r\n", "Report\nof 2024\n\n", "A\n   \n", "A\n,,\n"]
)
def test_blank_lines_between_title_and_header(tmp_path: Path, top: str) -> None:
    frame, _ = read_table(save(tmp_path, "t.csv", top + TABLE))
    pd.testing.assert_frame_equal(frame, read_table(save(tmp_path, "plain.csv", TABLE))[0])


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1250", ["Łódź", "Kraków", "Gdańsk", "Wrocław", "Żory", "Poznań", "Częstochowa", "Dąbrowa"]),
        ("cp1252", ["León", "A Coruña", "¿Qué?", "São Paulo", "12 m³", "area¹", "Málaga", "£5"]),
    ],
)
def test_polish_is_told_from_western(tmp_path: Path, encoding: str, words: list[str]) -> None:
    path = tmp_path / "towns.csv"
    path.write_bytes(("town,n\n" + "".join(f"{w},{i}\n" for i, w in enumerate(words * 8))).encode(encoding))
    table, info = read_table(str(path))
    assert info.encoding == encoding
    assert table["town"].tolist() == words * 8


@pytest.mark.parametrize(("encoding", "words"), [("gb18030", "男女是否"), ("euc-kr", "남여예아"), ("cp1252", "éüßñ")])
def test_single_letters_of_other_scripts(encoding: str, words: str) -> None:
    header = {"gb18030": "年龄,性别,子女,地区\n", "euc-kr": "나이,성별,흡연,지역\n", "cp1252": "âge,sexe,région\n"}[
        encoding
    ]
    text = header + "".join(f"{i},{words[i % 4]},{words[i % 3]},south\n" for i in range(200))
    assert text.encode(encoding).decode(find_encoding(text.encode(encoding), "t.csv", whole=True)) == text


@pytest.mark.parametrize("large", [False, True])
def test_two_encodings_in_one_file(tmp_path: Path, large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if large:
        monkeypatch.setattr(reading_module, "LARGE_BYTES", 1)
        monkeypatch.setattr(reading_module, "PACKED_BYTES", 1)
    lines = [f"{i},Köln,“{i}”\n" for i in range(200)]
    raw = b"a,town,note\n" + b"".join(x.encode("utf-8" if i < 120 else "cp1252") for i, x in enumerate(lines))
    frame, info = read_table(save(tmp_path, "t.csv", raw))
    assert set(frame["town"]) == {"Köln"}
    assert list(frame["note"].astype(str)) == [f"“{i}”" for i in range(200)]
    assert info.encoding == MIXED
    assert any("UTF-8" in note and "cp1252" in note for note in info.notes)


def test_parts_without_rows_and_texts_beside_the_data(tmp_path: Path) -> None:
    save(tmp_path, "data/region=a/part-0.csv", TABLE)
    save(tmp_path, "data/region=a/part-1.csv", "")
    save(tmp_path, "data/region=b/part-0.csv", TABLE)
    save(tmp_path, "data/region=b/README.txt", "Data of the shop, see our web page.\n")
    batches = Batches(tmp_path / "data")
    frame, info = read_table(tmp_path / "data")
    assert len(frame) == sum(map(len, batches)) == 120
    assert batches.info is not None
    for notes in (info.notes, batches.info.notes):
        assert any("part-1.csv" in note and "skipped" in note for note in notes)
        assert any("README.txt" in note for note in notes)
        assert any("region=a, region=b" in note and "'region'" in note for note in notes)


def test_only_empty_files_are_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        save(tmp_path, f"data/{name}", "")
    with pytest.raises(DataError, match="empty"):
        read_table(tmp_path / "data")


def test_all_differences_of_shards_are_told(tmp_path: Path) -> None:
    save(tmp_path, "data/1.csv", TABLE)
    save(tmp_path, "data/2.csv", TABLE.replace("size", "Size").replace("price", "cost"))
    save(tmp_path, "data/3.csv", TABLE.replace("colour", "color"))
    with pytest.raises(DataError) as error:
        read_table(tmp_path / "data")
    for part in ("2.csv lacks 'size', 'price'", "1.csv lacks 'Size', 'cost'", "3.csv differs too"):
        assert part in str(error.value)


@pytest.mark.parametrize("large", [False, True])
def test_shards_of_two_decimal_marks_are_told(tmp_path: Path, large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if large:
        monkeypatch.setattr(reading_module, "LARGE_BYTES", 1)
        monkeypatch.setattr(reading_module, "PACKED_BYTES", 1)
    rows = "".join(f"{i};{'red' if i % 3 else 'blue'};{i}.25\n" for i in range(60))
    save(tmp_path, "data/1.csv", "size;colour;price\n" + rows)
    save(tmp_path, "data/2.csv", "size;colour;price\n" + rows.replace(".", ","))
    _, info = read_table(tmp_path / "data")
    assert [n for n in info.notes if "2.csv" in n and "1.csv" in n and "decimal point" in n]


def test_a_name_over_several_lines_is_told(tmp_path: Path) -> None:
    frame, info = read_table(save(tmp_path, "t.csv", TABLE.replace("colour", '" colour\n(of it) "')))
    assert list(frame) == ["size", "colour (of it)", "price"]
    assert any("several lines" in note and "'colour (of it)'" in note for note in info.notes)


@pytest.mark.timeout(60)  # patterns that give back what they took needed hours for these
@pytest.mark.parametrize(
    "start", [b"\n" * 4096, b"--\n" * 1300, b"# \n \n" * 800, b"% \n\n" * 1000, b"@relation x\n" + b" \n\t" * 1300]
)
def test_starts_of_many_blank_lines_and_comments_are_no_foreign_files(start: bytes) -> None:
    refuse_foreign("t.csv", start, text=True)
    arff = b"@relation" in start or b"%" in start
    title = b"@relation x" if b"%" in start else b""
    last = b"\n@attribute a real\n" if arff else b"\nCREATE TABLE t (a int);\n"
    with pytest.raises(DataError, match="Weka" if arff else "database dump"):
        refuse_foreign("t.csv", start + title + last, text=True)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_empty_lines_of_one_column_have_their_answers(
    tmp_path: Path, large: bool, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(reading_module, "LARGE_BYTES", 1)
        monkeypatch.setattr(reading_module, "PACKED_BYTES", 1)
        monkeypatch.setattr(delimited_module, "PARSED_BYTES", 64)
    words = ["", "good", "", "", "bad, sad", *[f"word {i}" for i in range(40)], "", "fine", '""']
    path = save(tmp_path, "t.csv", end.join(["review", *words, "", "", ""]))
    cells = [cell for frame in Batches(path) for cell in frame["review"].tolist()]
    assert [None if pd.isna(c) else c for c in cells] == [None if w in ("", '""') else w for w in words]
    assert len(read_table(path)[0]) == len([w for w in words if w])  # learning skips them


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "gb18030"])
def test_the_encoding_is_found_where_the_letters_are(tmp_path: Path, encoding: str) -> None:
    word = {"cp1252": "Málaga", "cp1251": "Этот фильм мне очень понравился", "gb18030": "这部电影非常好看"}[encoding]
    text = "city,n\n" + "Rome,1\n" * 12_000 + f"{word},2\n" * 200
    frame, info = read_table(save(tmp_path, "t.csv", text.encode(encoding)))
    assert frame["city"].iloc[-1] == word
    assert info.encoding == encoding


@pytest.mark.parametrize("large", [False, True])
def test_one_western_letter_after_much_utf_8_changes_nothing_before_it(
    tmp_path: Path, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(reading_module, "LARGE_BYTES", 1)
        monkeypatch.setattr(reading_module, "PACKED_BYTES", 1)
    raw = b"city,n\n" + "Köln,1\n".encode() * 20_000 + b"Rome,1\n" * 20_000 + "Málaga,2\n".encode("cp1252")
    frame, info = read_table(save(tmp_path, "t.csv", raw))
    assert frame["city"].iloc[[0, -1]].tolist() == ["Köln", "Málaga"]
    assert info.encoding == MIXED
