"""Writing: what is written reads back; nothing half-written stays."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from autodl.data import read_table, write_table
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
