"""Parts of the rows as a resource: nested, fair to classes, and no results of their own."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import numpy as np
import pytest

from autodl.events import silent
from autodl.models.base import Shape
from autodl.records import FamilyPlan, Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.search.allocation import Allocation
from autodl.search.budget import Budget
from autodl.search.costs import CostModel
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation
from autodl.search.loop import SearchLoop, SearchState
from autodl.search.row_rungs import RowRungs
from autodl.search.row_share import part_of_rows
from autodl.search.runners.inline import InlineRunner
from autodl.search.schedulers.base import schedulers
from autodl.search.space import parse_space
from autodl.search.strategies.base import strategies

SPACE = {"params": {"shrink": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9}}, "portfolio": [{}]}


@pytest.mark.parametrize("classes", [True, False])
def test_parts_are_nested_and_stratified(classes):
    rng = np.random.default_rng(0)
    rows = np.sort(rng.choice(5000, 2000, replace=False))
    y = rng.choice(3, 2000, p=[0.9, 0.09, 0.01]) if classes else rng.lognormal(size=2000)
    parts = [part_of_rows(rows, y, share, 7, classes) for share in (1 / 27, 1 / 9, 1 / 3, 1.0)]
    for small, large in pairwise(parts):
        assert set(small) < set(large)
    target = dict(zip(rows.tolist(), y.tolist(), strict=True))
    third = np.array([target[r] for r in parts[2]])
    assert len(third) == pytest.approx(2000 / 3, abs=6)
    if classes:
        assert np.bincount(third) == pytest.approx(np.bincount(y) / 3, abs=1)
        assert {target[r] for r in parts[0]} == {0, 1, 2}
    else:
        assert np.quantile(third, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(y, [0.1, 0.5, 0.9]), rel=0.1)
    assert list(part_of_rows(rows, y, 1 / 9, 7, classes)) == list(parts[1])
    assert set(part_of_rows(rows, y, 1 / 9, 8, classes)) != set(parts[1])


def test_where_rows_are_the_resource():
    assert RowRungs.of("asha", 50_000, 1).span == Fidelity(1 / 9, 1.0)
    assert RowRungs.of("hyperband", 4_000, 1).span.rungs() == (1 / 3, 1.0)
    assert RowRungs.of("asha", 2_000, 1) is None  # too few for a part to say anything
    assert RowRungs.of("asha", 50_000, 5) is None  # folds are the resource
    assert RowRungs.of("median", 50_000, 1) is None


def search(linear_data, key, trials, done=()):
    loop = SearchLoop(
        allocation=Allocation(
            (FamilyPlan(key="toy", name="Toy", why="", est_seconds=1, est_bytes=1, recipe=Recipe()),),
            {"toy": parse_space(SPACE)},
            strategies["random"](),
            seed=3,
            rungs=RowRungs(schedulers[key](), Fidelity(1 / 9, 1.0)),
        ),
        costs=CostModel(Shape(rows=40, numeric=3), 3),
        budget=Budget(float("inf"), time.time()),
        reserve=lambda finished: 0.0,
        store=lambda outcome: outcome.result,
        listener=silent,
        scheduler=key,
        max_trials=trials,
    )
    return loop.run(InlineRunner(linear_data), SearchState(finished=list(done)), threading.Event()).finished


@pytest.mark.parametrize("key", ["asha", "hyperband"])
def test_the_best_on_few_rows_go_on_to_all(toys, linear_data, key):
    finished = search(linear_data, key, 30)
    first, *asked = finished
    assert first.spec.fidelity is None  # the first wave is on all rows
    assert {r.spec.fidelity for r in asked} == {1 / 9, 1 / 3, None}
    assert all(r.ok == (r.spec.fidelity is None) for r in finished)
    for r in asked:
        lower = [o.spec.fidelity for o in finished if o.spec.config == r.spec.config and o is not r]
        if key == "asha" and r.spec.fidelity != 1 / 9:
            assert (1 / 9) in lower
    few = [r.spec.config["shrink"] for r in asked if r.spec.fidelity == 1 / 9]
    # Hyperband begins some on all rows: chance, and no promotion, has brought them there.
    full = [r.spec.config["shrink"] for r in asked if r.spec.fidelity is None and r.spec.config["shrink"] in few]
    assert np.mean(full) < np.mean(few)  # the best configuration shrinks nothing
    assert len({(str(r.spec.config), r.spec.fidelity) for r in finished}) == len(finished)


def test_a_resumed_search_goes_on_as_it_would_have(toys, linear_data):
    def what(results):
        return [(r.spec.config, r.spec.fidelity) for r in results]

    whole = search(linear_data, "asha", 16)
    assert what(search(linear_data, "asha", 16, done=whole[:7])) == what(whole)


def test_fewer_rows_cost_less():
    costs = CostModel(Shape(rows=40_000, numeric=9), 1)
    whole = TrialSpec(id="t0001", family="lightgbm")
    assert costs.raw(whole.model_copy(update={"fidelity": 1 / 9})) < 0.7 * costs.raw(whole)


def test_where_time_is_short_smaller_parts_are_gone_on_with():
    """What is to go on to all rows and does not fit makes way for lower rungs, never for a new trial on all rows."""
    rungs = RowRungs(schedulers["asha"](), Fidelity(1 / 9, 1.0))

    def part(number, x, share, loss):
        return TrialResult(
            spec=TrialSpec(id=f"t{number:04d}", family="toy", config={"shrink": x}, fidelity=share, origin="random"),
            status=TrialStatus.STOPPED,
            loss=loss,
            fold_losses=(loss,),
        )

    ninth = [part(i, i / 100, 1 / 9, float(i)) for i in range(1, 10)]
    third = [part(10 + i, i / 100, 1 / 3, float(i)) for i in range(1, 4)]
    better = [part(20 + i, i / 10, 1 / 9, -float(i)) for i in range(1, 4)]
    everything = [*ninth, *third, *better]
    to_all = rungs.next(everything, [], lambda step: True)
    assert (to_all.fidelity, to_all.config) == (None, {"shrink": 0.01})
    to_third = rungs.next(everything, [], lambda step: step.fidelity is not None)
    assert to_third.fidelity == 1 / 3 and to_third.config in [r.spec.config for r in better]
    anew = rungs.next(everything, [], lambda step: False)
    assert (anew.fidelity, anew.config) == (1 / 9, None)


def test_statuses_of_parts(toys, linear_data):
    finished = search(linear_data, "asha", 10)
    parts = [r for r in finished if r.spec.fidelity is not None]
    assert parts
    assert {r.status for r in parts} == {TrialStatus.STOPPED}
    assert all(r.need.size_bytes and r.need.row_s for r in parts)


def test_strategies_of_several_losses_hear_all_of_them(toys, linear_data):
    finished = search(linear_data, "asha", 12)
    several = {r.spec.id: (r.loss, float(i), 7.0) for i, r in enumerate(finished)}
    rungs = RowRungs(schedulers["asha"](), Fidelity(1 / 9, 1.0))
    seen = [o for o in rungs.observations(parse_space(SPACE), finished, [], several) if o.status == "ok"]
    assert seen
    for o in seen:
        (trial,) = (r for r in finished if r.spec.config == o.config and (r.spec.fidelity or 1.0) == o.fidelity)
        assert o.losses == several[trial.spec.id] and o.losses[0] == o.loss


def test_nsga2_leaves_out_what_it_cannot_compare():
    space = parse_space({"x": {"type": "float", "low": 0.0, "high": 1.0}})
    history = [Observation({"x": i / 30}, loss=i / 30, losses=(i / 30, -float(i))) for i in range(30)]
    odd = [Observation({"x": 0.99}, loss=0.0), Observation({"x": 0.98}, loss=0.0, losses=(0.0, float("inf")))]
    ask = strategies["nsga2"]().ask
    with_odd = ask(space, [*history, *odd], 3, np.random.default_rng(0))
    assert with_odd == ask(space, history, 3, np.random.default_rng(0))
