"""Loading: a resumed run has the same rows; large tables are sampled and say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.data import reading
from autodl.data.allowance import CELLS_PER_CORE_SECOND, Allowance
from autodl.dataset import load, load_test
from autodl.options import FitOptions
from autodl.pipeline import run_plan


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
