"""The order in which several processes take up the files of tests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from long_first import long_first


def test_files_with_many_long_tests_come_first_and_stay_together():
    files = {"a.py": ["", "", ""], "b.py": ["slow", "", "ray"], "c.py": ["", "browser"], "d.py": ["parametrize"]}
    items = [
        SimpleNamespace(path=Path(name), name=i, get_closest_marker=lambda mark, own=own: own == mark or None)
        for name, marks in files.items()
        for i, own in enumerate(marks)
    ]
    found = [(str(item.path), item.name) for item in long_first(items)]
    assert [name for name, _ in found] == ["b.py"] * 3 + ["c.py"] * 2 + ["a.py"] * 3 + ["d.py"]
    assert [i for _, i in found] == [0, 1, 2, 0, 1, 0, 1, 2, 0]
