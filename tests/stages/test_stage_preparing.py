"""What the search is told of the size of the problem."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autodl.data import dialect, number_kinds
from autodl.errors import RunError
from autodl.options import FitOptions
from autodl.preprocess import Preparer
from autodl.preprocess.dates import CYCLES, DATE_PARTS
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task
from autodl.search.memory import Rows, preparation_cost
from autodl.stages.preparing import _shape, profile, read


def dated(**kinds: ColumnKind) -> TableSchema:
    return TableSchema(
        columns=tuple(ColumnInfo(name=n, kind=k, n=400, n_missing=0, n_unique=400) for n, k in kinds.items())
    )


@pytest.mark.parametrize(("scale", "width"), [("none", DATE_PARTS), ("standard", DATE_PARTS + CYCLES)])
def test_a_date_counts_as_the_columns_that_it_becomes(scale: str, width: int) -> None:
    """In the size of the problem for all families alike, in the memory of a preparation by its recipe."""
    schema, recipe = dated(when=ColumnKind.DATETIME), Recipe(scale=scale)
    frame = pd.DataFrame({"when": pd.date_range("2020-01-01", periods=400, freq="77h")})
    assert Preparer(recipe, schema, Task.REGRESSION).fit_transform(frame, np.zeros(400)).n_numeric == width
    numbers = dated(**{f"n{j}": ColumnKind.NUMERIC for j in range(width)})
    rows = Rows(300, 50, 50)
    date, as_numbers = (preparation_cost(recipe, s.columns, rows, 0).bytes for s in (schema, numbers))
    own = 8.0 * rows.train  # of each column of the frame
    assert date - own == pytest.approx(as_numbers - width * own)


def test_the_search_counts_dates_as_the_planner_does() -> None:
    kinds = {"price": ColumnKind.NUMERIC, "new": ColumnKind.BOOLEAN, "from": ColumnKind.DATETIME}
    schema = dated(**kinds, until=ColumnKind.DATETIME)
    plan = SimpleNamespace(classes=(), quantiles=(), threads=1, families=())
    shape = _shape(schema, plan, [(np.arange(300), np.arange(300, 400))], 1.0)
    assert (shape.rows, shape.numeric) == (300, 2 + 2 * DATE_PARTS)


@pytest.mark.parametrize("target", [None, "y"])
def test_a_resumed_run_reads_columns_as_the_version_that_began_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str | None
) -> None:
    """Here one that knew no times and learnt nothing from lone columns that count up."""
    path = str(tmp_path / "shop.csv")
    options = FitOptions(target=target)
    words = [f"0{i % 9}:{i * 7 % 60:02d}:00" for i in range(60)]
    pd.DataFrame({"k": range(60), "at": words, "y": [i % 2 for i in range(60)]}).to_csv(path, index=False)
    with monkeypatch.context() as patch:
        patch.setattr(number_kinds, "learn_clock_rule", lambda *_: None)
        first = read(path, options)
    before = profile(first, None, options)
    assert read(path, options).fingerprint() != first.fingerprint()
    again = read(path, options, before)
    assert again.fingerprint() == first.fingerprint()
    assert again.schema == first.schema


def first_line_is(header: bool) -> object:
    """How an older version told whether the first record names the columns."""
    return lambda rows, *_: (tuple(cell.strip() for cell in rows[0]), header)


@pytest.mark.parametrize("target", [None, "4.5"])
def test_a_resumed_run_has_the_header_that_the_version_that_began_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str | None
) -> None:
    path, options = str(tmp_path / "numbers.csv"), FitOptions(target=target)
    Path(path).write_text("5.1,3,4.5\n" + "".join(f"{i % 7}.5,{i},{i % 3}.25\n" for i in range(60)))
    with monkeypatch.context() as patch:
        patch.setattr(dialect, "_header", first_line_is(True))
        first = read(path, options)
    assert read(path, FitOptions()).schema.names == ("column_1", "column_2", "column_3")
    again = read(path, options, profile(first, None, options))
    assert again.schema == first.schema and again.fingerprint() == first.fingerprint()


def test_a_file_that_this_version_reads_otherwise_is_not_taken_for_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one is told later, by what it holds."""
    path, options = tmp_path / "shop.csv", FitOptions()
    path.write_text("colour,size\n" + "".join(f"{'red' if i % 2 else 'blue'},{i % 7}\n" for i in range(60)))
    with monkeypatch.context() as patch:
        patch.setattr(dialect, "_header", first_line_is(False))
        before = profile(read(str(path), options), None, options)
    with pytest.raises(RunError, match=r"finds other columns in .*Finish the run with that version"):
        read(str(path), options, before)
    path.write_text(path.read_text() + "red,1\n")
    assert read(str(path), options, before).schema.names == ("colour", "size")
