"""Files made to harm: they are refused in one line, cost little, and run and write nothing."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from autodl.data import read_table
from autodl.errors import ConfigError, DataError
from autodl.search.space import parse_space

SHEET = "xl/worksheets/sheet1.xml"


def workbook(change: dict[str, bytes] | None = None) -> bytes:
    """A small workbook with some of its parts replaced."""
    plain = io.BytesIO()
    pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_excel(plain, index=False)
    out = io.BytesIO()
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, (change or {}).get(name, source.read(name)))
    return out.getvalue()


def part(name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(workbook())) as archive:
        return archive.read(name)


def test_the_workbook_is_sound_without_a_change(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(workbook())
    assert read_table(tmp_path / "t.xlsx")[0]["b"].tolist() == ["x", "y"]


def test_xml_entities_do_not_multiply(tmp_path: Path) -> None:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10) for i in range(1, 10))
    head = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "lol">' + laughs + b"]>"
    sheet = part(SHEET)
    body = sheet[sheet.index(b"<worksheet") :]
    assert b"<v>1</v>" in body
    text = b"<is><t>&l9;</t></is>"
    evil = head + body.replace(b"<v>1</v>", text).replace(b't="n"', b't="inlineStr"', 1)
    (tmp_path / "t.xlsx").write_bytes(workbook({SHEET: evil}))
    with pytest.raises(DataError, match="Excel file"):
        read_table(tmp_path / "t.xlsx")


def test_xml_entities_read_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret")
    head = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY s SYSTEM "{(tmp_path / "secret").as_uri()}">]>'.encode()
    sheet = part(SHEET)
    body = sheet[sheet.index(b"<worksheet") :].replace(b"<v>1</v>", b"<is><t>&s;</t></is>")
    (tmp_path / "t.xlsx").write_bytes(workbook({SHEET: head + body}))
    with pytest.raises(DataError, match="Excel file"):
        read_table(tmp_path / "t.xlsx")


def test_a_workbook_that_grows_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autodl.data import compression

    monkeypatch.setattr(compression, "FREE_BYTES", 1 << 20)
    sheet = part(SHEET)
    bomb = sheet.replace(b"</sheetData>", b"<row></row>" * 300_000 + b"</sheetData>")
    (tmp_path / "t.xlsx").write_bytes(workbook({SHEET: bomb}))
    with pytest.raises(DataError, match="grows"):
        read_table(tmp_path / "t.xlsx")


@pytest.mark.parametrize("pack", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_archive_that_grows_beyond_measure_by_many_members_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: int, streamed: bool
) -> None:
    from autodl.data import compression, reading

    monkeypatch.setattr(compression, "FREE_BYTES", 1 << 18)
    if streamed:
        monkeypatch.setattr(reading, "PACKED_BYTES", 1)
    with zipfile.ZipFile(tmp_path / "t.zip", "w", pack) as archive:
        for i in range(20):
            archive.writestr(f"{i}.csv", "a,b\n" + "1,2\n" * 50_000)  # each alone would pass
    with pytest.raises(DataError, match=r"t\.zip grows from"):
        read_table(tmp_path / "t.zip")


@pytest.mark.parametrize("pack", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_that_lies_about_its_size_gives_no_more_than_it_states(tmp_path: Path, pack: int) -> None:
    path = tmp_path / "t.zip"
    n = 64 << 20
    with zipfile.ZipFile(path, "w", pack) as archive:
        archive.writestr("t.csv", b"a,b\n" + b"1,2\n" * (n // 4))
    raw = path.read_bytes()
    stated = struct.pack("<I", n + 4)
    assert raw.count(stated) == 2
    path.write_bytes(raw.replace(stated, struct.pack("<I", 4000)))
    with pytest.raises(DataError, match="damaged or cut off"):
        read_table(path)


def test_a_large_workbook_under_another_suffix_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autodl.data import reading

    monkeypatch.setattr(reading, "PACKED_BYTES", 1)
    frame = pd.DataFrame({"a": range(30), "b": [f"w{i}" for i in range(30)]})
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    (tmp_path / "t.xlsx").rename(tmp_path / "t.zip")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.zip")[0], frame)


def test_members_of_archives_are_never_written_to_the_disk(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    names = ("../escaped.csv", "/absolute.csv", "..\\escaped2.csv", "a/../../escaped3.csv")
    with zipfile.ZipFile(inside / "t.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "a,b\n1,2\n3,4\n")
    before = set(tmp_path.rglob("*"))
    assert len(read_table(inside / "t.zip")[0]) >= 2  # names that begin with a dot count as hidden
    assert set(tmp_path.rglob("*")) == before
    assert not Path("/absolute.csv").exists()


@pytest.mark.parametrize("depth", [50_000])
@pytest.mark.parametrize("shape", ["[{}]", '[{{"a": {}}}]', '{{"a": {}}}'])
def test_json_nested_without_end_is_told(tmp_path: Path, depth: int, shape: str) -> None:
    (tmp_path / "t.json").write_text(shape.format("[" * depth + "]" * depth))
    with pytest.raises(DataError, match="nested"):
        read_table(tmp_path / "t.json")


@pytest.mark.parametrize("cut", [5, 40, -30, -8, -1])
def test_parquet_and_feather_cut_anywhere_are_told(tmp_path: Path, cut: int) -> None:
    frame = pd.DataFrame({"a": range(100), "b": ["x"] * 100})
    for name in ("t.parquet", "t.feather"):
        getattr(frame, f"to_{name[2:]}")(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[:cut])
        with pytest.raises(DataError):
            read_table(tmp_path / name)


def test_yaml_makes_plain_values_only(tmp_path: Path) -> None:
    made = tmp_path / "made"
    (tmp_path / "space.yaml").write_text(f"params: !!python/object/apply:os.mkdir ['{made}']")
    with pytest.raises(ConfigError, match="YAML"):
        parse_space(tmp_path / "space.yaml")
    assert not made.exists()
