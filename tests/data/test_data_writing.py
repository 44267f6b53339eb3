"""Writing: what is written reads back; nothing half-written stays."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from autodl.data import check_output, read_table, write_table, writing
from autodl.errors import DataError

FRAME = pd.DataFrame({"name": ["Ann", 'B "x", y', None], "n": [1, 2, 3], "v": [0.1, 1 / 3, -2e10]})


@pytest.mark.parametrize(
    "name",
    ["t.csv", "t.csv.gz", "t.csv.zst", "t.csv.zip", "t.tsv", "t.parquet", "t.feather", "t.jsonl",
     "t.jsonl.gz", "t.json", "t.xlsx"],
)  # fmt: skip
def test_reads_back(tmp_path: Path, name: str) -> None:
    write_table(FRAME, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    pd.testing.assert_frame_equal(read_table(tmp_path / name)[0], FRAME, rtol=1e-9)


def test_a_fault_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(FRAME, path)
    before = path.read_bytes()
    with pytest.raises(Exception, match=r"[Cc]onver"):
        write_table(pd.DataFrame({"a": [1, "x", {}]}), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.parquet"]


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names no format"):
        write_table(FRAME, tmp_path / "t.doc")
    with pytest.raises(DataError, match="does not exist"):
        write_table(FRAME, tmp_path / "no" / "t.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        write_table(FRAME, tmp_path / "d.csv")


def test_what_a_sheet_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("a\x07b", "\x1b[2J"):
        with pytest.raises(DataError, match=r"t\.xlsx cannot hold control characters.* \.csv or \.parquet"):
            write_table(pd.DataFrame({"t": [text]}), tmp_path / "t.xlsx")
    monkeypatch.setattr(writing, "EXCEL_ROWS", 5)
    write_table(pd.DataFrame({"t": range(5)}), tmp_path / "t.xlsx")
    with pytest.raises(DataError, match=r"6 rows and 1 columns are more than .*t\.xlsx can hold"):
        write_table(pd.DataFrame({"t": range(6)}), tmp_path / "t.xlsx")
    with pytest.raises(DataError, match="16,385 columns"):
        write_table(pd.DataFrame([range(16_385)]), tmp_path / "t.xlsx")
    assert len(read_table(tmp_path / "t.xlsx")[0]) == 5
    assert [p.name for p in tmp_path.iterdir()] == ["t.xlsx"]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_permissions(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the umask for a new file, its own for one that is there; the umask is never set meanwhile."""
    path = tmp_path / name
    before = os.umask(0o027)
    try:
        with monkeypatch.context() as patch:
            patch.delattr(os, "umask")
            write_table(FRAME, path)
            assert path.stat().st_mode & 0o777 == 0o640
            path.chmod(0o604)
            write_table(FRAME, path)
            assert path.stat().st_mode & 0o777 == 0o604
    finally:
        os.umask(before)


FORMULAS = [
    "=1+1", "+49 170 123", "-x", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", '=HYPERLINK("http://x","y")',
    "=", "-",
]  # fmt: skip
HARMLESS = ["a=b", "-5", "+1.5e-3", ".5", "'=1", "", " =1", "1-2", "é"]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.xlsx"])
def test_text_that_a_spreadsheet_would_run_is_written_as_text(tmp_path: Path, name: str) -> None:
    texts = FORMULAS + HARMLESS
    frame = pd.DataFrame({"t": texts, "=n": [-1.5] * len(texts), "c": pd.Categorical(texts)})
    write_table(frame, tmp_path / name)
    got = _cells(tmp_path / name)
    assert list(got.columns) == ["t", "'=n", "c"]
    assert (got["'=n"].astype(float) == -1.5).all()
    for column in ("t", "c"):
        assert [c.startswith("'") for c in got[column][: len(FORMULAS)]] == [True] * len(FORMULAS)
        assert [c.lstrip("'").strip() for c in got[column]] == [t.lstrip("'").strip() for t in texts]
        assert list(got[column][len(FORMULAS) :]) == HARMLESS
    assert list(frame["t"]) == texts, "the frame was changed"


def test_text_is_written_as_it_is_on_request_and_where_no_spreadsheet_reads(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": ["=1+1", "-x", None]})
    write_table(frame, tmp_path / "raw.csv", raw_text=True)
    assert (tmp_path / "raw.csv").read_text("utf-8").splitlines() == ["t", "=1+1", "-x", '""']
    for name in ("t.parquet", "t.feather", "t.jsonl"):
        write_table(frame, tmp_path / name)
        pd.testing.assert_frame_equal(read_table(tmp_path / name)[0], frame)


def _cells(path: Path) -> pd.DataFrame:
    """The file as other programs see it."""
    if path.suffix == ".xlsx":
        from openpyxl import load_workbook

        sheet = load_workbook(path).worksheets[0]
        assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
        return pd.read_excel(path, dtype=str, keep_default_na=False)
    return pd.read_csv(path, dtype=str, keep_default_na=False, sep="\t" if ".tsv" in path.name else ",")


@pytest.mark.parametrize("name", ["t.jsonl", "t.json", "t.csv"])
def test_small_shares_keep_their_digits(tmp_path: Path, name: str) -> None:
    shares = [1e-9 / 3, 0.12345678901234]
    write_table(pd.DataFrame({"proba_yes": shares}), tmp_path / name)
    assert read_table(tmp_path / name)[0]["proba_yes"].tolist() == pytest.approx(shares, rel=1e-5, abs=1e-15)


def test_a_folder_that_may_not_be_written_to_is_told_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path or not mode & os.W_OK)
    with pytest.raises(DataError, match=r"out\.csv cannot be written: there is no permission\. Ask for access"):
        check_output(tmp_path / "out.csv")
