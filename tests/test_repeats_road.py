"""Leaders on further splits, down the whole road: search, ensemble, delivery, run.json, report, resume."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.pipeline import rebuild_report
from autodl.records import Ensemble, Plan
from autodl.search.repeats import merged
from autodl.store import RunFolder

N_TRIALS = 26


def make_table(n=150, seed=0):
    rng = np.random.default_rng(seed)
    size, depth = rng.normal(size=n), rng.normal(size=n)
    return pd.DataFrame({"size": size, "depth": depth, "price": 3 * size + np.sin(2 * depth) + rng.normal(size=n)})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("repeats") / "run"
    return autodl.fit(
        make_table(), "price", out=out, max_trials=N_TRIALS, families=("linear", "neighbors"), workers=1
    )  # fmt: skip


def test_leaders_are_repeated_and_shown_as_one_model(run):
    folder = RunFolder(run.folder)
    raw = folder.trials()
    assert len(raw) == N_TRIALS
    repeats = [r for r in raw if r.spec.repeats is not None]
    assert repeats
    assert run.record.n_again == sum(r.ok for r in repeats)
    assert run.record.n_trials == N_TRIALS - len(repeats)
    names = [row.name for row in run.record.leaderboard]
    assert len(set(names)) == len(names)
    assert not any("split" in name for name in names)
    assert folder.read("plan", Plan).validation.repeats == 5
    # A leading configuration is one of those that were checked again.
    best = min((r for r in merged(raw) if r.ok), key=lambda r: r.loss)
    assert best.n_splits > 1


def test_the_mean_over_splits_is_what_counts(run):
    folder = RunFolder(run.folder)
    raw = {r.spec.id: r for r in folder.trials()}
    one = next(r for r in merged(list(raw.values())) if r.n_splits > 1)
    parts = [r for r in raw.values() if one.spec.id in (r.spec.id, r.spec.repeats)]
    assert one.loss == pytest.approx(np.mean([p.loss for p in parts]))
    np.testing.assert_allclose(
        folder.read_array(one.oof), np.mean([folder.read_array(p.oof) for p in parts], axis=0), rtol=1e-5
    )
    np.testing.assert_allclose(
        folder.read_array(one.test), np.mean([folder.read_array(p.test) for p in parts], axis=0), rtol=1e-5
    )
    row = next((row for row in run.record.leaderboard if row.validation == pytest.approx(one.score)), None)
    assert row is not None


def test_the_report_says_on_how_many_folds_a_model_was_checked(run):
    text = " ".join(re.sub(r"<[^>]+>", " ", (run.folder / "report.html").read_text("utf-8")).split())
    assert re.search(r"In validation, .+ on \d × 8 folds", text)
    assert "again on further splits" in text


def test_resuming_changes_nothing_and_goes_on(run, tmp_path):
    before = RunFolder(run.folder).read("ensemble", Ensemble)
    rebuild_report(run.folder)
    more = autodl.fit(
        make_table(), "price", out=run.folder, max_trials=N_TRIALS + 4, families=("linear", "neighbors"), workers=1,
        resume=True,
    )  # fmt: skip
    assert len(RunFolder(more.folder).trials()) == N_TRIALS + 4
    assert before is not None
    assert np.isfinite(more.predict(make_table(20, seed=1).drop(columns="price"))).all()
