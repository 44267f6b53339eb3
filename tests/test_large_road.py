"""First passes on a part of the rows, down the whole road: plan, search, ensemble, delivery, report, resume."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.planning import scouting, validation
from autodl.records import Plan
from autodl.search.promotion import is_promotion, same_settings
from autodl.store import RunFolder

N, N_TRIALS = 3_000, 8


def make_table(n=N, seed=0):
    rng = np.random.default_rng(seed)
    size, depth = rng.normal(size=n), rng.normal(size=n)
    kind = rng.choice(["a", "b", "c"], n)
    price = 3 * size + np.sin(2 * depth) * (kind == "a") + 0.3 * rng.normal(size=n)
    return pd.DataFrame({"day": np.arange(n), "size": size, "depth": depth, "kind": kind, "price": price})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A few thousand rows by time, treated as if they were very many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "MANY_BY_TIME", 1_000)
        patch.setattr(scouting, "FROM_ROWS", 1_000)
        patch.setattr(scouting, "LEAST_ROWS", 500)
        patch.setattr(scouting, "CELLS_PER_SECOND", 0)
        # The clock plays no part but to be there: the number of trials ends the search.
        return autodl.fit(
            make_table(), "price", out=tmp_path_factory.mktemp("large") / "run", time_column="day", workers=1,
            families=("linear", "lightgbm"), time_budget=90, max_trials=N_TRIALS,
        )  # fmt: skip


def test_the_leaders_of_first_passes_go_on_to_all_rows(run):
    folder = RunFolder(run.folder)
    plan, trials = folder.read("plan", Plan), folder.trials()
    assert plan.validation.n_folds == 1
    assert plan.scout is not None
    first = [r for r in trials if not is_promotion(r.spec) and r.spec.family != "dummy"]
    whole = [r for r in trials if is_promotion(r.spec)]
    assert len(trials) == N_TRIALS
    assert {r.spec.fidelity for r in first} == {plan.scout}
    assert {r.spec.family for r in whole} == {"linear", "lightgbm"}
    assert all(r.spec.fidelity is None for r in whole)
    # Both are results of their own, on the same validation rows.
    known = [np.isfinite(folder.read_array(r.oof)) for r in (*first, *whole) if r.ok]
    assert len(known) > len(whole)
    assert all((k == known[0]).all() for k in known)
    boosted = [(f, w) for w in whole for f in first if same_settings(f.spec, w.spec) and f.spec.family == "lightgbm"]
    assert boosted
    assert all(w.loss < f.loss for f, w in boosted)  # more rows help


def test_the_leaderboard_and_the_model_name_them(run):
    names = [row.name for row in run.record.leaderboard]
    assert len(set(names)) == len(names)
    assert any(name.endswith(", all rows") for name in names)
    assert ", all rows" in run.record.delivered
    table = make_table(seed=1)
    error = np.sqrt(np.mean((run.predict(table)["prediction"] - table["price"]) ** 2))
    assert error < 0.2 * table["price"].std()


def test_the_report_tells_of_first_passes(run):
    html = run.report_path.read_text("utf-8")
    assert "First passes" in html
    assert "LightGBM #1, all rows" in html
    share = RunFolder(run.folder).read("plan", Plan).scout
    assert f"LightGBM #1 (on {100 * share:.0f} % of the rows)" in html
