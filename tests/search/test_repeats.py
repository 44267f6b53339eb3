"""Further splits of leading configurations: one result a configuration, no leaks, fair shares, resumable."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy_families import TOY, family_plan, numeric_schema

from autodl.data import make_splits
from autodl.events import silent
from autodl.models.base import Shape
from autodl.records import ArtifactRef, Cost, Recipe, Task, TrialResult, TrialSpec, TrialStatus, Validation
from autodl.search import patience
from autodl.search.allocation import Allocation
from autodl.search.budget import Budget
from autodl.search.costs import CostModel
from autodl.search.loop import SearchLoop, SearchState
from autodl.search.naming import trial_names
from autodl.search.patience import Gain, Patience
from autodl.search.prepared import PreparedFolds
from autodl.search.repeats import FIRST, LEADERS, SHARE, Repeats, again, leaders, merged
from autodl.search.runners.inline import InlineRunner
from autodl.search.space import parse_space
from autodl.search.strategies.base import strategies
from autodl.search.trial import Job, TrialData, run_trial
from autodl.store import RunFolder


def done(number, loss, *, family="toy", of=None, split=0, origin="auto", status=TrialStatus.OK, seconds=1.0):
    spec = TrialSpec(id=f"t{number:04d}", family=family, config={"x": number}, origin=origin)
    if of is not None:
        spec = again(of, split, spec.id)
    return TrialResult(
        spec=spec, status=status, loss=loss, score=-loss, fold_losses=(loss - 0.1, loss + 0.1),
        oof=ArtifactRef(path=f"trials/{spec.id}/oof.npy", sha256=""), models=(),
        cost=Cost(fit_s=seconds, size_bytes=10), refit={"n": number},
    )  # fmt: skip


def test_a_configuration_on_several_splits_is_one_result_with_means():
    first, other = done(1, 0.3), done(2, 0.2)
    second, third = done(3, 0.5, of=first.spec, split=1), done(4, 0.4, of=first.spec, split=2)
    found = merged([first, other, third, second])
    assert [r.spec.id for r in found] == ["t0001", "t0002"]
    one = found[0]
    assert one.spec == first.spec
    assert one.loss == pytest.approx(0.4)
    assert one.score == pytest.approx(-0.4)
    assert one.split_losses == (0.3, 0.5, 0.4)
    assert one.n_splits == 3
    assert len(one.fold_losses) == 6
    assert one.cost.fit_s == 3.0
    assert [one.oof.path, *(o.path for o in one.oof.others)] == [f"trials/t000{i}/oof.npy" for i in (1, 3, 4)]
    assert one.need.size_bytes == first.need.size_bytes  # of one model
    assert found[1] is other
    assert merged(found) == found


def test_a_split_that_failed_or_was_stopped_counts_for_nothing():
    first = done(1, 0.3)
    failed = done(2, 0.9, of=first.spec, split=1, status=TrialStatus.FAILED)
    assert merged([first, failed]) == [first]
    damaged = first.model_copy(update={"status": TrialStatus.STOPPED})
    assert merged([damaged, done(3, 0.1, of=first.spec, split=1)]) == [damaged]


def test_names_count_configurations_and_tell_splits_apart():
    first, other = done(1, 0.3), done(3, 0.2)
    second = done(2, 0.5, of=first.spec, split=1)
    names = trial_names([first.spec, second.spec, other.spec])
    assert names == {"t0001": "Toy #1", "t0002": "Toy #1, split 2", "t0003": "Toy #2"}


@pytest.fixture(autouse=True)
def _toys(toys):
    return toys


def test_trials_of_earlier_versions_still_load():
    old = done(1, 0.3).model_dump(mode="json")
    for key in ("split", "repeats"):
        del old["spec"][key]
    del old["split_losses"], old["oof"]["others"]
    assert TrialResult.model_validate(old) == done(1, 0.3)


def test_the_mean_of_stored_arrays_is_read_as_one(tmp_path):
    folder = RunFolder(tmp_path / "run")
    arrays = [np.full(4, v, dtype=np.float32) for v in (1.0, 2.0, 6.0)]
    refs = [folder.write_array(f"trials/t000{i}/oof.npy", a) for i, a in enumerate(arrays)]
    mean = folder.read_array(refs[0].model_copy(update={"others": tuple(refs[1:])}))
    assert mean.dtype == np.float32
    np.testing.assert_allclose(mean, 3.0)


@pytest.mark.parametrize("kind", ["random", "stratified", "group"])
def test_splits_differ_repeat_by_seed_and_validate_each_row_once(kind):
    n = 120
    validation = Validation(kind=kind, n_folds=4, test_size=0.0, repeats=3)
    args = {
        "validation": validation, "strata": np.arange(n) % 2, "groups": np.arange(n) // 3, "times": None, "seed": 5
    }  # fmt: skip
    splits = make_splits(n, **args)
    assert len(splits) == 3
    for folds in splits:
        assert sorted(np.concatenate([valid for _, valid in folds])) == list(range(n))
        for train, valid in folds:
            assert not set(train) & set(valid)
            if kind == "group":
                assert not set(train // 3) & set(valid // 3)
    parts = [{tuple(valid) for _, valid in folds} for folds in splits]
    assert not parts[0] & parts[1] and not parts[1] & parts[2]
    for folds, same in zip(splits, make_splits(n, **args), strict=True):
        for (a, b), (c, d) in zip(folds, same, strict=True):
            np.testing.assert_array_equal(a, c)
            np.testing.assert_array_equal(b, d)


def test_time_and_hold_outs_have_one_split():
    times = np.arange(50)
    args = {"strata": None, "groups": None, "times": times, "seed": 0}
    assert len(make_splits(50, validation=Validation(kind="time", n_folds=3, test_size=0, repeats=5), **args)) == 1
    assert len(make_splits(50, validation=Validation(kind="random", n_folds=1, test_size=0, repeats=5), **args)) == 1


@pytest.fixture
def split_data():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.permutation(60).astype(float), "b": rng.normal(size=60)})
    y = 2.0 * frame["b"].to_numpy() + 0.5 * rng.normal(size=60)
    validation = Validation(kind="random", n_folds=3, test_size=0.0, repeats=4)
    first, *further = make_splits(60, validation=validation, strata=None, groups=None, times=None, seed=1)
    return TrialData(
        frame=frame, y=y, test_frame=frame.iloc[:5], folds=tuple(first),
        further=tuple(tuple(f) for f in further), schema=numeric_schema("ab", 60), task=Task.REGRESSION, n_classes=0,
        metric="rmse", recipes={"toy": Recipe()},
    )  # fmt: skip


@pytest.mark.parametrize("split", range(4))
def test_no_row_is_predicted_by_a_model_that_was_trained_on_it(split, split_data, monkeypatch):
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    import autodl.search.cross_validation as crossing

    whole = crossing.fit_model

    def watched(spec, recipe, prepared, y, valid, data, **more):
        seen.append((np.asarray(y), np.asarray(valid[1])))
        return whole(spec, recipe, prepared, y, valid, data, **more)

    monkeypatch.setattr(crossing, "fit_model", watched)
    spec = TrialSpec(id="t0001", family="toy", split=split)
    outcome = run_trial(Job(spec), split_data, PreparedFolds(split_data))
    assert outcome.result.ok
    assert np.isfinite(outcome.oof).all()
    assert len(seen) == 3
    for (train, valid), (rows, held) in zip(seen, split_data.folds_of(split), strict=True):
        # Targets are all different, so that they tell rows.
        np.testing.assert_array_equal(train, split_data.y[rows])
        np.testing.assert_array_equal(valid, split_data.y[held])
        assert not set(train) & set(valid)


def searched(data, n, finished=(), *, seed=0, stop_at=None):
    """A search for n trials in one process, without a clock."""
    loop = SearchLoop(
        allocation=Allocation(
            (family_plan("toy"),), {"toy": parse_space(TOY)}, strategies["random"](), seed,
            repeats=Repeats(1 + len(data.further), timed=False),
        ),
        costs=CostModel(Shape(rows=40, numeric=2), 3),
        budget=Budget(float("inf"), time.time()),
        reserve=lambda finished: 0.0,
        store=lambda outcome: outcome.result,
        listener=silent,
        max_trials=n,
        scheduler="none",
    )  # fmt: skip
    state = loop.run(InlineRunner(data), SearchState(finished=list(finished)), threading.Event())
    return state.finished


def test_leaders_are_tried_again_within_their_share_and_no_split_twice(split_data):
    finished = searched(split_data, 50)
    repeats = [r for r in finished if r.spec.repeats is not None]
    tuned = [r for r in finished if r.spec.origin == "random"][FIRST:]
    assert not any(r.spec.repeats for r in finished[: FIRST + 2])
    assert 0.5 * SHARE * (len(repeats) + len(tuned)) < len(repeats) <= SHARE * (len(repeats) + len(tuned)) + 1
    pairs = [(r.spec.repeats, r.spec.split) for r in repeats]
    assert len(set(pairs)) == len(pairs)
    assert max(split for _, split in pairs) <= len(split_data.further)
    assert len(finished) == 50  # so many as were asked for, repeats among them
    early = [r for r in leaders(merged(finished)) if r is not max(finished, key=lambda r: r.finished_s)]
    assert len(early) >= LEADERS - 1 and all(r.n_splits > 1 for r in early)
    firsts = {r.spec.id: r.spec for r in finished}
    for r in repeats:
        assert r.spec.config == firsts[r.spec.repeats].config
        assert r.spec.seed != firsts[r.spec.repeats].seed


def test_an_interrupted_search_goes_on_as_if_it_had_not_stopped(split_data):
    def steps(finished):
        return [(r.spec.config, r.spec.repeats, r.spec.split) for r in finished]

    whole = searched(split_data, 30)
    assert any(r.spec.repeats for r in whole)
    assert steps(searched(split_data, 30, searched(split_data, 26))) == steps(whole)


def test_without_further_splits_nothing_is_repeated(split_data):
    assert not any(r.spec.repeats for r in searched(replace(split_data, further=()), 12))


def test_the_race_gives_splits_to_leaders_with_the_fewest_and_drops_who_fell_back():
    lucky, solid, *others = [done(i + 1, 0.10 + 0.01 * i) for i in range(LEADERS + 1)]
    tried = [lucky, solid, *others]
    race = Repeats(3, timed=False)
    assert race.next(merged(tried), tried, [], freely=True)[0] == (lucky, 1)
    running = [again(lucky.spec, 1, "t0009")]
    assert race.next(merged(tried), tried, running, freely=True)[0] == (solid, 1)
    # On its second split the lucky one is poor: its mean leaves the leaders, and the next takes its place.
    assert others[-1] not in leaders(merged(tried))
    tried.append(done(9, 0.60, of=lucky.spec, split=1))
    assert leaders(merged(tried)) == [solid, *others]
    listed = [done(i, 0.1 * i, origin="portfolio") for i in (1, 2, 3)]
    assert not race.next(listed, listed, [])  # what was planned comes first


def test_a_settled_search_only_repeats_and_then_ends(split_data):
    space = parse_space(TOY)
    allocation = Allocation((family_plan("toy"),), {"toy": space}, strategies["random"](), 0, repeats=Repeats(3))
    finished = [done(i, 0.1 * i) for i in range(1, LEADERS + 3)]
    asked = []
    while (spec := allocation.next(finished, [], lambda s: True, settled=True)) is not None:
        asked.append((spec.repeats, spec.split))
        finished.append(done(len(finished) + 1, 0.1 * int(spec.repeats[1:]), of=TrialSpec(
            id=spec.repeats, family="toy", config=spec.config), split=spec.split))  # fmt: skip
    assert sorted(asked) == [(f"t000{i}", split) for i in range(1, LEADERS + 1) for split in (1, 2)]


def test_a_settled_search_repeats_its_leaders_and_ends_before_its_time(split_data, monkeypatch):
    monkeypatch.setattr(patience, "LEAST_TRIALS", 4)
    monkeypatch.setattr(patience, "LEAST_S", 0.0)

    def ended(gain):
        loop = SearchLoop(
            allocation=Allocation(
                (family_plan("toy"),), {"toy": parse_space(TOY)}, strategies["random"](), 0, repeats=Repeats(3)
            ),
            costs=CostModel(Shape(rows=40, numeric=2), 3),
            budget=Budget(500.0, time.time()),
            reserve=lambda finished: 0.0,
            store=lambda outcome: outcome.result,
            listener=silent,
            max_trials=30,
            scheduler="none",
            patience=Patience(lambda earlier, now: Gain(gain, 0.01), 500.0),
        )
        return loop.run(InlineRunner(split_data), SearchState(), threading.Event())

    flat = ended(0.0)
    assert flat.settled is not None and flat.settled.ended
    assert len(flat.finished) < 30
    assert [r.n_splits for r in leaders(merged(flat.finished))] == [3] * LEADERS
    falling = ended(0.1)
    assert falling.settled is None
    assert len(falling.finished) == 30


@pytest.mark.parametrize(("kept", "ended"), [(0.0, True), (490.0, False)])
def test_a_search_whose_repeats_used_the_time_did_not_end_early(split_data, monkeypatch, kept, ended):
    monkeypatch.setattr(patience, "LEAST_TRIALS", 4)
    monkeypatch.setattr(patience, "LEAST_S", 0.0)
    budget = Budget(500.0, time.time())

    def reserve(finished):
        # Stands for what the repeats have used: next to nothing is left once one was made.
        return kept if any(r.spec.repeats is not None for r in finished) else 0.0

    loop = SearchLoop(
        allocation=Allocation(
            (family_plan("toy"),), {"toy": parse_space(TOY)}, strategies["random"](), 0, repeats=Repeats(3)
        ),
        costs=CostModel(Shape(rows=40, numeric=2), 3),
        budget=budget,
        reserve=reserve,
        store=lambda outcome: outcome.result,
        listener=silent,
        scheduler="none",
        patience=Patience(lambda earlier, now: Gain(0.0, 0.01), 500.0),
    )
    state = loop.run(InlineRunner(split_data), SearchState(), threading.Event())
    assert state.settled is not None
    assert (state.settled.verdict, state.settled.ended) == ("no", ended)
