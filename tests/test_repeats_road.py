"""Leaders on further splits, down the whole road: search, ensemble, delivery, run.json, report, resume."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.records import Limits, Plan
from autodl.search.feasibility import Feasibility
from autodl.search.repeats import merged
from autodl.stages import later, searching
from autodl.stages.views import views
from autodl.store import RunFolder

N_TRIALS = 40


def make_table(n=150, seed=0):
    rng = np.random.default_rng(seed)
    size, depth = rng.normal(size=n), rng.normal(size=n)
    return pd.DataFrame({"size": size, "depth": depth, "price": 3 * size + np.sin(2 * depth) + rng.normal(size=n)})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The run, and the problem that its search worked on."""
    out = tmp_path_factory.mktemp("repeats") / "run"
    problems = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "delivered_gain", lambda p: problems.append(p) or later.delivered_gain(p))
        run = autodl.fit(
            make_table(), "price", out=out, max_trials=N_TRIALS, families=("linear", "neighbors"), workers=1
        )  # fmt: skip
    return run, problems[0]


@pytest.fixture(scope="module")
def run(made):
    return made[0]


def test_leaders_are_repeated_and_shown_as_one_model(run):
    folder = RunFolder(run.folder)
    raw = folder.trials()
    repeats = [r for r in raw if r.spec.repeats is not None]
    assert len(raw) == N_TRIALS  # so many as were asked for, repeats among them
    assert repeats
    assert run.record.n_again == sum(r.ok for r in repeats)
    assert run.record.n_trials == N_TRIALS - len(repeats)
    assert run.record.more_time is None
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


@pytest.mark.parametrize("gain_of", [later.leaders_gain, later.delivered_gain])
def test_the_gain_is_that_of_the_loss_on_the_same_rows(made, gain_of):
    _, problem = made
    folder, y = problem.delivery.folder, problem.setup.data.y
    results = [r for r in merged(folder.trials()) if r.ok]
    compare = gain_of(problem)
    same = compare(results, results)
    assert same == (0.0, 0.0)
    worst = max((r for r in results if r.spec.family != "dummy"), key=lambda r: r.loss)
    found = compare([worst], results)
    assert found is not None
    assert found.value > 0
    assert found.error > 0
    assert compare([], results) is None
    if gain_of is later.leaders_gain:
        best = min(results, key=lambda r: r.loss)
        v = max(r.n_splits for r in (worst, best))
        squares = [np.mean([np.mean((p - y) ** 2) for p in cycled(folder, r, v)]) for r in (worst, best)]
        assert found.value == pytest.approx(np.sqrt(squares[0]) - np.sqrt(squares[1]), rel=1e-4)


def cycled(folder, result, v):
    """Out-of-fold predictions of each of v splits; who has fewer begins again."""
    refs = [result.oof.model_copy(update={"others": ()}), *result.oof.others]
    return [folder.read_array(refs[k % len(refs)]) for k in range(v)]


def test_ensembles_see_one_split_at_a_time(made):
    """The mean over splits has a lower loss than any model that could be delivered, the more so the noisier it is."""
    _, problem = made
    folder, y = problem.delivery.folder, problem.setup.data.y
    results = [r for r in merged(folder.trials()) if r.ok and r.spec.family != "dummy"]
    v = max(r.n_splits for r in results)
    assert v > 1
    seen = views(problem, results)
    assert len(seen.rows) == v * len(y)
    np.testing.assert_array_equal(seen.rows.y, np.tile(y, v))
    np.testing.assert_array_equal(seen.rows.block, np.tile(np.arange(len(y)), v))
    assert set(seen.predictions) == {r.spec.id for r in results}
    for r in results:
        np.testing.assert_array_equal(seen.predictions[r.spec.id], np.concatenate(cycled(folder, r, v)))
    noisy = max((r for r in results if r.n_splits > 1), key=lambda r: r.n_splits)
    honest = np.sqrt(np.mean((seen.predictions[noisy.spec.id] - seen.rows.y) ** 2))
    flattered = np.sqrt(np.mean((folder.read_array(noisy.oof) - y) ** 2))
    assert flattered < honest
    assert honest == pytest.approx(noisy.loss, rel=0.02)
    once = [r.model_copy(update={"oof": r.oof.model_copy(update={"others": ()})}) for r in results]
    assert views(problem, once).rows.block is None


def test_few_of_very_many_trials_are_seen_on_all_splits(made, monkeypatch):
    _, problem = made
    monkeypatch.setattr("autodl.stages.views.MOST", 2)
    results = [r for r in merged(problem.delivery.folder.trials()) if r.ok and r.spec.family != "dummy"]
    ranked = sorted(results, key=lambda r: r.loss)
    best = {family: next(r for r in ranked if r.spec.family == family) for family in ("linear", "neighbors")}
    expected = {r.spec.id for r in (*ranked[:2], *best.values())}
    assert set(views(problem, results).predictions) == expected


def test_the_gain_is_that_of_what_keeps_the_limits(made):
    _, problem = made
    results = [r for r in merged(problem.delivery.folder.trials()) if r.ok and r.spec.family != "dummy"]
    best, *_, worst = sorted(results, key=lambda r: r.loss)

    def of_size(result, size):
        return result.model_copy(update={"cost": result.cost.model_copy(update={"size_bytes": size})})

    small, large = of_size(worst, 10_000), of_size(best, 10_000_000)
    feasibility = Feasibility(Limits(size_bytes=100_000))
    limited = replace(problem, setup=replace(problem.setup, feasibility=feasibility))
    assert later.delivered_gain(problem)([small], [small, large]) != (0.0, 0.0)
    assert later.delivered_gain(limited)([small], [small, large]) == (0.0, 0.0)
    assert later.delivered_gain(limited)([large], [large]) == (0.0, 0.0)  # nothing keeps them: the nearest model


def test_the_gain_is_that_of_what_is_chosen_with_the_weights_of_rows(made, monkeypatch):
    _, problem = made
    weight = np.linspace(0.1, 1.9, len(problem.setup.data.y))
    weighted = replace(problem, setup=replace(problem.setup, data=replace(problem.setup.data, weight=weight)))
    given, select = [], later.select
    monkeypatch.setattr(later, "select", lambda *a, **k: given.append(k["weight"]) or select(*a, **k))
    results = [r for r in merged(problem.delivery.folder.trials()) if r.ok]
    later.delivered_gain(weighted)(results[:2], results)
    assert len(given) == 2
    for w in given:
        np.testing.assert_array_equal(w, np.tile(weight, len(w) // len(weight)))


def test_resuming_goes_on_from_the_repeats(run):
    more = autodl.fit(
        make_table(), "price", out=run.folder, max_trials=N_TRIALS + 4, families=("linear", "neighbors"), workers=1,
        resume=True,
    )  # fmt: skip
    assert len(RunFolder(run.folder).trials()) == N_TRIALS + 4
    new = make_table(20, seed=1).drop(columns="price")
    assert np.isfinite(more.predict(new).to_numpy()).all()
