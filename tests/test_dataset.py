"""Loading: a resumed run has the same rows; large tables are sampled and say so."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.data import reading, write_table
from autodl.data.allowance import CELLS_PER_CORE_SECOND, Allowance
from autodl.dataset import load, load_test
from autodl.errors import ConfigError, DataError
from autodl.options import FitOptions
from autodl.pipeline import run_plan
from autodl.profiling.features import check_columns
from autodl.records import ColumnKind
from autodl.stages.preparing import read_test


def small_table() -> pd.DataFrame:
    """Sixty rows with a key that counts up, from numbers of three digits to some of four."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"key": np.arange(970, 1030), "x": rng.normal(size=60).round(6), "y": rng.choice(["yes", "no"], 60)}
    )


@pytest.fixture
def big(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file that counts as large; 20,000 rows, of which a budget has room for 10,000."""
    monkeypatch.setattr(reading, "LARGE_BYTES", 1)
    monkeypatch.setattr(reading, "PACKED_BYTES", 1)
    monkeypatch.setattr("autodl.data.allowance.TIMED_ROWS", 10_000)
    rng = np.random.default_rng(0)
    n = 20_000
    pd.DataFrame(
        {
            "day": np.arange(n) // 20,
            "x": rng.normal(size=n).round(3),
            "memo": rng.choice(["a b", "c d"], n),
            "y": np.where(rng.uniform(size=n) < 0.1, "", rng.choice(["yes", "no"], n)),
        }
    ).to_csv(tmp_path / "big.csv", index=False)
    return str(tmp_path / "big.csv")


def test_a_resumed_run_draws_the_same_rows(big: str) -> None:
    first = load(big, FitOptions(target="y", time_budget_s=1, seed=5))
    assert first.read.sample is not None
    assert first.read.sample.rows_used == 10_000
    more_time = FitOptions(target="y", time_budget_s=1e9, seed=5)
    assert load(big, more_time).read.sample is None
    again = load(big, more_time, earlier=first.read)
    assert again.fingerprint() == first.fingerprint()
    whole = load(big, more_time)
    little_time = load(big, FitOptions(target="y", time_budget_s=1, seed=5), earlier=whole.read)
    assert little_time.fingerprint() == whole.fingerprint()


def test_rows_keep_their_numbers_in_the_file(big: str) -> None:
    data = load(big, FitOptions(target="y", time_budget_s=1))
    raw = pd.read_csv(big)
    assert (raw["x"].to_numpy()[data.rows] == data.frame["x"].to_numpy()).all()
    assert raw["y"].iloc[data.rows].notna().all()
    assert (np.diff(data.rows) > 0).all()


def test_the_sample_is_told_and_dropped_columns_are_left_unread(big: str) -> None:
    profile, plan = run_plan(big, FitOptions(target="y", time_budget_s=1, drop=("memo",)))
    sample = profile.read.sample
    assert sample is not None
    assert sample.note == (
        "10,000 of the 20,000 rows are used, drawn at random over all rows: more could not be learnt from in 1 s."
    )
    assert sample.note in profile.read.notes
    assert profile.dropped["memo"] == "You asked to leave it out."
    assert "memo" not in profile.columns.names
    assert "memo" not in plan.features


def test_the_rule() -> None:
    assert Allowance().limit(10, 0.0) == (None, "")
    rows, why = Allowance(seconds=1000, cores=2).limit(12, 0.0)
    assert rows == CELLS_PER_CORE_SECOND * 2 * 1000 / 12
    assert "1000 s" in why
    less, why = Allowance(seconds=1e6, memory_bytes=1 << 30).limit(12, 500.0)
    assert less is not None
    assert less < (1 << 30) / 12 / 500
    assert "memory" in why
    assert Allowance(max_rows=7, seconds=1).limit(12, 0.0)[0] == 7


def test_a_test_file_is_sampled_where_it_does_not_fit_the_memory(big: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train = load(big, FitOptions(target="y", time_budget_s=1e9))
    whole = load_test(big, train, 5)
    assert whole.read.sample is None
    assert len(whole.y) == len(train.y)
    monkeypatch.setattr("autodl.machine.total_memory", lambda: 1)
    part = load_test(big, train, 5)
    assert part.read.sample is not None
    assert part.read.sample.rows_used == 10_000
    raw = pd.read_csv(big)
    assert (raw["x"].to_numpy()[part.rows] == part.frame["x"].to_numpy()).all()
    assert (train.frame["y"].to_numpy()[np.searchsorted(train.rows, part.rows)] == part.frame["y"].to_numpy()).all()


@pytest.mark.parametrize("named", ["row_id", "turn"])
@pytest.mark.parametrize("text", [False, True])
def test_a_time_column_that_looks_like_a_key_orders_by_its_numbers(tmp_path: Path, named: str, text: bool) -> None:
    frame = small_table().rename(columns={"key": named})
    if text:
        frame[named] = frame[named].map("{:,}".format)
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = FitOptions(target="y", time_column=named)
    data = load(str(tmp_path / "t.csv"), options)
    check_columns(data.schema, options, "y")
    assert data.frame[named].tolist() == small_table()["key"].tolist()
    asked = load(str(tmp_path / "t.csv"), FitOptions(target="y"))
    assert asked.schema[named].kind is ColumnKind.ID


def test_a_test_file_may_lack_columns_that_nothing_is_learnt_from(tmp_path: Path) -> None:
    frame = small_table().assign(same=1, memo=["a b", "c d"] * 30)
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame[["x", "y"]].to_csv(tmp_path / "test.csv", index=False)
    options = FitOptions(target="y", drop=("memo",), test=str(tmp_path / "test.csv"))
    data = load(str(tmp_path / "t.csv"), options)
    held_out = read_test(options, data)
    assert held_out is not None
    assert held_out.frame["x"].tolist() == frame["x"].tolist()
    assert held_out.frame[["key", "same", "memo"]].isna().all().all()
    assert held_out.read.notes == ()
    for change in ({"drop": ()}, {"group_column": "key"}, {"weight_column": "same"}):
        with pytest.raises(DataError, match=r"test\.csv lacks the column"):
            read_test(options.model_copy(update=change), data)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("large", [False, True])
def test_a_folder_with_a_table_for_the_test(
    tmp_path: Path, suffix: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        for limit in ("LARGE_BYTES", "PACKED_BYTES", "LARGE_CELLS"):
            monkeypatch.setattr(reading, limit, 1)
    table = small_table()
    write_table(table[:40], tmp_path / f"train.{suffix}")
    write_table(table[40:], tmp_path / f"test.{suffix}")
    options = FitOptions(target="y")
    data = load(str(tmp_path), options)
    assert data.frame["x"].tolist() == table["x"][:40].tolist()
    assert data.read.notes == (f"The rows in 'test.{suffix}' are the test data.",)
    held_out = read_test(options, data)
    assert held_out is not None
    assert held_out.frame["x"].tolist() == table["x"][40:].tolist()
    # Named as the test of other rows, it is the test that counts.
    elsewhere = load_test(str(tmp_path), data, 0)
    assert elsewhere.frame["x"].tolist() == table["x"][40:].tolist()
    with pytest.raises(ConfigError, match="test data came with them"):
        load(str(tmp_path), options.model_copy(update={"test_size": 0.2}))
    write_table(table[40:].drop(columns="y"), tmp_path / f"test.{suffix}")
    with pytest.raises(DataError, match=rf"test\.{suffix} lacks 'y', which train\.{suffix} has"):
        load(str(tmp_path), options)


def test_an_archive_with_a_table_for_the_test_says_that_it_is_learnt_from(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        for name in ("train.csv", "test.csv"):
            archive.writestr(name, small_table().to_csv(index=False))
    data = load(str(tmp_path / "shop.zip"), FitOptions(target="y"))
    assert len(data.y) == 120
    assert any("train.csv and test.csv are read as one table" in note for note in data.read.notes)
