"""A path, a folder or a glob stands for files; a wrong one is told with the nearest name, loading no library."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from autodl.data.files import source_files
from autodl.errors import DataError


def test_what_a_path_stands_for(tmp_path: Path) -> None:
    for name in ("part10.csv", "part9.csv", "notes.md", ".hidden.csv"):
        (tmp_path / name).write_text("a\n1\n")
    parts = [tmp_path / "part9.csv", tmp_path / "part10.csv"]
    assert source_files(parts[0]) == parts[:1]
    assert source_files(tmp_path) == source_files(str(tmp_path / "*.csv"))[-2:] == parts


def test_missing_paths_are_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("a\n1\n")
    (tmp_path / "link.csv").symlink_to("gone.csv")
    for name, said in {
        "sale.csv": "Did you mean 'sales.csv'?",
        "no/sales.csv": "Check the path",
        "link.csv": "a link that leads nowhere",
        "*.parquet": "no file matches",
        "x" * 300: "the name is too long",
    }.items():
        with pytest.raises(DataError, match=re.escape(said)):
            source_files(tmp_path / name)


def test_no_library_is_loaded() -> None:
    code = "import sys, autodl.data.files; print({'pandas', 'pyarrow', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
