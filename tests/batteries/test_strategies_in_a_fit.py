"""Every registered strategy carries a small real fit, or is refused in one line before any work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.errors import AutodlError
from autodl.options import FitOptions
from autodl.pipeline import run_fit
from autodl.search.strategies.base import strategies
from autodl.store import RunFolder

LISTED = {"baseline", "default", "portfolio"}
STEPPED = "neighbors: {n_neighbors: {type: int, low: 3, high: 30, default: 10}}"
"""A space that all strategies can search: one number with few values."""


def test_there_are_strategies() -> None:
    assert {"auto", "random", "grid", "tpe", "evolution", "bohb", "portfolio"} <= set(strategies)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(80, 3))
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=x[:, 0] * x[:, 1] + rng.normal(size=80))


def refusal(table: pd.DataFrame, options: FitOptions, run: Path) -> str:
    """What a fit is refused with; empty if it is carried out."""
    try:
        run_fit(table, options, run)
    except AutodlError as error:
        return str(error)
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("key", list(strategies))
def test_a_small_fit(key: str, table: pd.DataFrame, tmp_path: Path) -> None:
    options = FitOptions(
        target="y", time_budget_s=None, max_trials=6, families=("neighbors",), workers=1, report=False, search=key
    )
    if refused := refusal(table, options, tmp_path / "run"):
        assert f"'{key}'" in refused and ("'neighbors'" in refused or "nstall" in refused)
        assert len(refused.splitlines()) == 1
        assert not (tmp_path / "run").exists()
        (tmp_path / "own.yaml").write_text(STEPPED)
        options = options.model_copy(update={"space": str(tmp_path / "own.yaml")})
        assert refusal(table, options, tmp_path / "run") == "", "nothing in this space is beyond any strategy"
    trials = RunFolder(tmp_path / "run").trials()
    assert all(t.error is None for t in trials)
    tried = [(t.spec.split, t.spec.family, *sorted(t.spec.config.items())) for t in trials]
    assert len(set(tried)) == len(tried), "none twice on the same split"
    asked = [t.spec.origin for t in trials if t.spec.origin not in LISTED and t.spec.split == 0]
    assert bool(asked) == (key != "portfolio")
    assert key == "portfolio" or len(trials) == 6
