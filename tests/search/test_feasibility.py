"""Limits inside the search: the order of trials, what strategies are told, and which families are left."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.records import Cost, FamilyPlan, Footprint, Limits, Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.search.allocation import Allocation
from autodl.search.feasibility import Feasibility
from autodl.search.space import parse_space
from autodl.search.strategies.base import strategies

TIGHT = Feasibility(Limits(row_s=0.010), Footprint(row_s=0.002))


def trial(number, loss, row_ms, *, family="a", size=1000, origin="default", x=0.0, folds=2):
    return TrialResult(
        spec=TrialSpec(id=f"t{number:04d}", family=family, config={"x": x}, origin=origin),
        status=TrialStatus.OK,
        loss=loss,
        fold_losses=(loss,) * folds,
        cost=Cost(fit_s=0.1, size_bytes=folds * size, row_s=None if row_ms is None else row_ms / 1000),
    )


many = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 100)), min_size=1, max_size=12)


@given(many)
def test_told_losses_follow_debs_rules(pairs):
    finished = [trial(i, loss, ms) for i, (loss, ms) in enumerate(pairs)]
    told = TIGHT.told(finished)
    for a, b in itertools.permutations(finished, 2):
        va, vb = TIGHT.violation(a), TIGHT.violation(b)
        if va == vb == 0:
            assert (told[a.spec.id] < told[b.spec.id]) == (a.loss < b.loss)
        elif va == 0:
            assert told[a.spec.id] < told[b.spec.id]
        elif vb > 0 and va < vb * (1 - 1e-9):
            assert told[a.spec.id] <= told[b.spec.id]
    assert all(told[r.spec.id] == r.loss for r in finished if TIGHT.violation(r) == 0)


def test_without_limits_nothing_is_changed():
    finished = [trial(1, 0.3, 50.0), trial(2, 0.2, None)]
    assert Feasibility().as_told(finished) is finished
    assert Feasibility().hopeless(finished, {}) == frozenset()


def test_need_is_of_one_model_and_what_every_model_takes_is_added():
    r = trial(1, 0.3, 7.0, size=500, folds=5)
    assert r.need == Footprint(row_s=0.007, size_bytes=500)
    assert TIGHT.violation(r) == 0
    assert TIGHT.violation(trial(2, 0.3, 8.001)) > 0
    assert TIGHT.violation(trial(3, 0.3, None)) == 0


def test_only_families_far_beyond_the_limits_are_left():
    finished = [
        trial(1, 0.1, 50.0, family="far"), trial(2, 0.1, 40.0, family="far"),
        trial(3, 0.1, 50.0, family="once"),
        trial(4, 0.1, 50.0, family="mixed"), trial(5, 0.1, 20.0, family="mixed"),
        trial(6, 0.1, 50.0, family="lone"),
    ]  # fmt: skip
    listed = {"far": 3, "once": 3, "mixed": 3, "lone": 1}
    assert TIGHT.hopeless(finished, listed) == {"far", "lone"}


def test_something_is_searched_though_all_families_are_far_beyond():
    finished = [trial(1, 0.9, 500.0, family="dummy", origin="baseline")]
    finished += [trial(i, 0.1, 90.0, family="a", x=i / 10) for i in (2, 3)]
    assert TIGHT.hopeless(finished, {"a": 2, "b": 2}) == frozenset()
    finished += [trial(i, 0.1, 80.0, family="b", x=i / 10) for i in (4, 5)]
    assert TIGHT.hopeless(finished, {"a": 2, "b": 2}) == {"a"}
    assert allocation(TIGHT).next(finished[1:], [], lambda s: True).family == "b"


@pytest.mark.parametrize("status", [TrialStatus.OK, TrialStatus.STOPPED])
def test_what_was_not_measured_is_not_told_to_be_the_best(status):
    finished = [trial(1, 0.4, 2.0), trial(2, 0.6, 3.0), trial(3, 0.1, None).model_copy(update={"status": status})]
    assert TIGHT.told(finished) == {"t0001": 0.4, "t0002": 0.6, "t0003": 0.6}


def allocation(feasibility, key="random"):
    space = parse_space({"x": {"type": "float", "low": 0.0, "high": 1.0}})
    plans = tuple(
        FamilyPlan(key=k, name=k, why="", est_seconds=1.0, est_bytes=1.0, recipe=Recipe()) for k in ("a", "b")
    )
    return Allocation(plans, {"a": space, "b": space}, strategies[key](), seed=0, feasibility=feasibility)


def test_a_family_beyond_the_limits_is_not_asked_again():
    finished = [trial(i, 0.1, 90.0, family="a", x=i / 10) for i in range(1, 4)]
    finished += [trial(i, 0.5, 1.0, family="b", x=i / 10) for i in range(4, 7)]
    assert allocation(Feasibility()).ranking.order(finished) == ["a", "b"]
    chosen = {allocation(TIGHT).next(finished, [], lambda s: True).family for _ in range(3)}
    assert chosen == {"b"}


def test_the_strategy_hears_of_limits_and_of_several_losses(monkeypatch):
    heard = []
    several = allocation(TIGHT, "nsga2")

    def ask(self, space, history, n, rng):
        heard.append(list(history))
        return [{"x": float(rng.random())}]

    finished = [trial(1, 0.1, 15.0, x=0.1), trial(2, 0.4, 2.0, x=0.2, size=10), trial(3, 0.3, None, x=0.3)]
    finished += [trial(i, 0.6, 3.0, family="b", x=i / 10) for i in range(4, 6)]
    starts = [config["x"] for config in several.spaces["a"].starts()]
    finished += [
        trial(7 + i, 0.6, 3.0, family=f, x=x) for i, (f, x) in enumerate((f, x) for x in starts for f in "ab")
    ]
    monkeypatch.setattr(type(several.strategy), "ask", ask)
    for number in range(12):
        several.next([*finished, trial(20 + number, 0.7, 3.0, family="b")], [], lambda s: True)
    seen = next(h for h in heard if any(o.config == {"x": 0.1} for o in h))
    by_x = {o.config["x"]: o for o in seen}
    # What was not measured may break the limits: it is no better than the worst that is known to keep them.
    assert by_x[0.1].loss > by_x[0.3].loss == 0.7 > by_x[0.2].loss == 0.4
    for o in seen:
        assert o.losses[0] == o.loss and len(o.losses) == 3 and np.isfinite(o.losses).all()
    assert by_x[0.3].losses[1] == max(o.losses[1] for o in seen)  # not measured counts as the worst
    assert by_x[0.2].losses[2] == pytest.approx(math.log(10))
