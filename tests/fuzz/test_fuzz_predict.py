"""A small model given odd data: one finite prediction a row in order, or one line of error."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fuzz_cells import KINDS, column
from fuzz_frames import VALUES
from fuzz_runs import Outcome, call, judge_call
from fuzz_tables import TEXT_FORMATS, TableSpec, render, sound_specs
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autodl.api import Run
from autodl.options import FitOptions
from autodl.pipeline import run_fit

STEADY = settings(
    derandomize=True, deadline=None, database=None, print_blob=False, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
KINDS_LEARNT = ("integer", "float", "money", "category", "truth", "date", "sentence", "grouped", "one_word", "epoch")


def rows(n: int, seed: int) -> pd.DataFrame:
    """(n,) rows of one column a kind, and a target that depends on the first."""
    rng = random.Random(seed)
    frame = pd.DataFrame({k: pd.Series(column(k, n, rng, missing=0.05), dtype=object) for k in KINDS_LEARNT})
    frame["outcome"] = np.where(np.arange(n) % 3 == 0, "high", "low")
    return frame


@pytest.fixture(scope="module", params=["linear", "lightgbm"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("run")
    rows(160, 0).to_csv(folder / "train.csv", index=False)
    options = FitOptions(
        target="outcome", time_budget_s=None, max_trials=2, families=("dummy", request.param), workers=1
    )
    run_fit(str(folder / "train.csv"), options, folder / "run")
    return Run(folder / "run")


def check(outcome: Outcome) -> None:
    assert outcome.good or outcome.what.startswith("UserWarning"), f"{outcome.kind}: {outcome.what}\n{outcome.detail}"


def is_sound(run: Run, data: pd.DataFrame | str, n: int | None) -> None:
    out = run.predict(data, proba=True)
    assert n is None or len(out) == n
    shares = out[["proba_high", "proba_low"]].to_numpy(float)
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert set(out["prediction"]) <= {"high", "low"}


@settings(STEADY, max_examples=20)
@given(
    changed=st.lists(st.tuples(st.sampled_from(KINDS_LEARNT), st.sampled_from(sorted(KINDS))), max_size=6),
    n=st.sampled_from((1, 2, 25, 60)),
    seed=st.integers(1, 10**6),
    shuffle=st.booleans(),
)
def test_rows_with_columns_of_other_kinds(
    run: Run, changed: list[tuple[str, str]], n: int, seed: int, shuffle: bool, tmp_path: Path
) -> None:
    data, rng = rows(n, seed), random.Random(seed)
    for name, kind in changed:
        data[name] = pd.Series(column(kind, n, rng, noise=0.1), dtype=object)
    if shuffle:
        data = data[rng.sample(list(data.columns), data.shape[1])].drop(columns="outcome")
    check(judge_call(lambda: is_sound(run, data, n)))


@pytest.mark.parametrize("kind", sorted(VALUES))
def test_frames_with_a_column_of_any_values(run: Run, kind: str) -> None:
    data = rows(20, 5)
    for name in ("float", "category"):
        data[name] = VALUES[kind](20, random.Random(1)).to_numpy(object)
    check(judge_call(lambda: is_sound(run, data, 20)))


@settings(STEADY, max_examples=15)
@given(spec=sound_specs((*TEXT_FORMATS, "parquet", "jsonl", "xlsx")), rename=st.booleans())
def test_foreign_files(run: Run, spec: TableSpec, rename: bool, tmp_path: Path) -> None:
    name, content = render(spec)
    if rename:
        for i, own in enumerate(KINDS_LEARNT):
            content = content.replace(f"c{i}".encode(), own.encode(), 1)
    (tmp_path / name).write_bytes(content)
    out = tmp_path / "out.csv"
    code, _, err, _ = call(["predict", str(run.folder), str(tmp_path / name), "--out", str(out)])
    (tmp_path / name).unlink()
    assert code in (0, 2), err
    if code == 2:
        assert len(err.splitlines()) == 1
        assert not out.exists()
    else:
        assert set(pd.read_csv(out)["prediction"]) <= {"high", "low"}
        out.unlink()


def test_order_is_kept(run: Run) -> None:
    data = rows(60, 9)
    order = np.random.default_rng(0).permutation(60)
    straight = run.predict(data, proba=True)
    moved = run.predict(data.iloc[order].reset_index(drop=True), proba=True)
    pd.testing.assert_frame_equal(moved, straight.iloc[order].reset_index(drop=True))
