"""What a delivered model takes is measured along the whole way that a row goes."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pytest

from autodl.delivery import Delivery
from autodl.footprint import handling_seconds
from autodl.records import ColumnInfo, ColumnKind, ReadInfo, TableSchema, Task
from autodl.store import RunFolder


def test_reading_a_row_is_part_of_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Run.predict`` reads what it is given before it checks the columns."""
    import autodl.data

    infos = (("size", ColumnKind.NUMERIC), ("colour", ColumnKind.CATEGORICAL))
    schema = TableSchema(columns=tuple(ColumnInfo(name=n, kind=k, n=9, n_missing=0, n_unique=2) for n, k in infos))
    manifest = Delivery(RunFolder(tmp_path), Task.REGRESSION, "y", (), schema).described()
    frame = pd.DataFrame({"size": [1.0, 2.0] * 5, "colour": ["red", "blue"] * 5})
    read = autodl.data.read_table
    rows: list[int] = []

    def watched(source: pd.DataFrame, *, as_text: Collection[str]) -> tuple[pd.DataFrame, ReadInfo]:
        assert as_text == schema.word_columns
        rows.append(len(source))
        return read(source, as_text=as_text)

    monkeypatch.setattr(autodl.data, "read_table", watched)
    assert handling_seconds(manifest, frame) > 0
    assert rows and set(rows) == {1}
