"""Combinations under limits: what they take together, which are allowed, and what is chosen."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.ensemble import Allowed, select
from autodl.evaluate.base import metrics
from autodl.records import Footprint, Limits, TrialResult, TrialSpec, TrialStatus

RMSE = metrics["rmse"]


def trials(*ids):
    return [TrialResult(spec=TrialSpec(id=i, family=i), status=TrialStatus.OK, loss=0.0) for i in ids]


def noisy(noise, n=1500, seed=0):
    rng = np.random.default_rng(seed)
    y = 3 * rng.normal(size=n)
    return y, {f"m{i}": y + s * rng.normal(size=n) for i, s in enumerate(noise)}


needs = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=6)


@settings(max_examples=60, deadline=None)
@given(needs, st.integers(4, 20), st.integers(4, 20))
def test_no_limit_is_passed_by_what_is_chosen(each, rows, sizes):
    y, predictions = noisy([1.0 + 0.05 * i for i in range(len(each))], n=200)
    allowed = Allowed(
        Limits(row_s=rows / 1000, size_bytes=sizes),
        {f"m{i}": Footprint(row_s=t / 1000, size_bytes=s) for i, (t, s) in enumerate(each)},
        base=Footprint(row_s=0.001, size_bytes=1),
    )
    alone = [key for key in predictions if allowed.fits([key])]
    if not alone:
        with pytest.raises(ValueError, match="no model"):
            select(trials(*predictions), predictions, y, RMSE, allowed=allowed)
        return
    ids = [m.trial_id for m in select(trials(*predictions), predictions, y, RMSE, allowed=allowed).members]
    assert 1 + sum(each[int(i[1:])][0] for i in ids) <= rows
    assert 1 + sum(each[int(i[1:])][1] for i in ids) <= sizes


def test_several_small_models_instead_of_the_best_large_one():
    """Three independent errors of size 1 average to 0.58, below the 0.9 of the best model, which fills the limit."""
    y, predictions = noisy([0.9, 1.0, 1.0, 1.0])
    sizes = {"m0": 9, "m1": 3, "m2": 3, "m3": 3}
    allowed = Allowed(Limits(size_bytes=9), {k: Footprint(size_bytes=v) for k, v in sizes.items()})
    got = select(trials(*predictions), predictions, y, RMSE, allowed=allowed)
    assert {m.trial_id for m in got.members} == {"m1", "m2", "m3"}


def test_the_member_leaves_that_gains_least_for_what_it_takes():
    """Five models of like quality; one of them takes as much as the other four, which therefore stay."""
    y, predictions = noisy([1.0, 1.05, 1.1, 1.15, 1.2])
    sizes = {"m0": 4, "m1": 1, "m2": 1, "m3": 1, "m4": 1}
    allowed = Allowed(Limits(size_bytes=6), {k: Footprint(size_bytes=v) for k, v in sizes.items()})
    got = select(trials(*predictions), predictions, y, RMSE, allowed=allowed)
    kept = {m.trial_id for m in got.members}

    def least(ids):
        """Loss of the plain mean, an upper bound of what weights can reach."""
        return RMSE.loss(y, np.mean([predictions[i] for i in ids], axis=0))

    fitting = [c for n in range(1, 6) for c in itertools.combinations(sizes, n) if sum(sizes[i] for i in c) <= 6]
    assert least(kept) == pytest.approx(min(map(least, fitting)), rel=0.02)


def test_the_only_model_within_the_limits_is_told_from_the_only_model():
    y, predictions = noisy([0.9, 1.0])
    allowed = Allowed(Limits(size_bytes=5), {"m0": Footprint(size_bytes=9), "m1": Footprint(size_bytes=3)})
    got = select(trials(*predictions), predictions, y, RMSE, allowed=allowed)
    assert [m.trial_id for m in got.members] == ["m1"] and got.why == "Only one model is within the limits."
    alone = {"m0": predictions["m0"]}
    assert select(trials("m0"), alone, y, RMSE).why == "Only one model is available."


def test_generous_limits_change_nothing():
    y, predictions = noisy([1.0, 1.1, 1.2, 1.3])
    allowed = Allowed(Limits(size_bytes=10**9), {k: Footprint(size_bytes=1) for k in predictions})
    free = select(trials(*predictions), predictions, y, RMSE)
    held = select(trials(*predictions), predictions, y, RMSE, allowed=allowed)
    assert {m.trial_id for m in held.members} == {m.trial_id for m in free.members}
    assert held.loss == pytest.approx(free.loss, rel=1e-3)


def test_copies_are_as_many_as_fit():
    allowed = Allowed(
        Limits(size_bytes=100, row_s=0.05),
        {"a": Footprint(size_bytes=10, row_s=0.01), "b": Footprint(size_bytes=20, row_s=0.001)},
        base=Footprint(size_bytes=5),
    )
    assert allowed.copies(["a"], 5) == 5  # 5 x 10 ms
    assert allowed.copies(["a"], 8) == 5
    assert allowed.copies(["a", "b"], 5) == 3  # 5 + 3 x 30 <= 100
    assert allowed.copies(["b"], 1) == 1


def test_of_several_models_the_memory_is_not_known():
    allowed = Allowed(Limits(memory_bytes=10**12, size_bytes=100), {"a": Footprint(size_bytes=10)})
    assert allowed.copies(["a"], 5) == 1


def test_memory_counts_each_library_once():
    allowed = Allowed(
        Limits(memory_bytes=300),
        {k: Footprint(size_bytes=1) for k in "abc"},
        families={"a": "trees", "b": "trees", "c": "network"},
        base=Footprint(memory_bytes=100),
        libraries={"trees": 80, "network": 150},
    )
    assert allowed.together(["a", "b"]).memory_bytes == 180
    assert allowed.together(["a", "b", "c"]).memory_bytes == 330
    assert allowed.fits(["a", "b"]) and allowed.fits(["c"]) and not allowed.fits(["a", "c"])


def test_vectors_are_made_once_for_all_models():
    needs = {k: Footprint(row_s=0.001) for k in "abc"}
    reading = {"network": Footprint(row_s=0.020)}
    vectors = {"a": reading, "b": reading, "c": {"colours": Footprint(row_s=0.002)}}
    allowed = Allowed(Limits(row_s=0.030), needs, base=Footprint(row_s=0.001), vectors=vectors)
    assert allowed.together(["a", "b"]).row_s == pytest.approx(0.023)
    assert allowed.together(["a", "b", "c"], copies=2).row_s == pytest.approx(0.029)
    assert allowed.copies(["a", "b"], 9) == 4  # 1 + 20 + 4 x 2 ms
    slower = allowed.corrected(["a", "b"], Footprint(row_s=0.025))
    assert slower.together(["a", "b"]).row_s == pytest.approx(0.025)
    times = 0.024 / 0.022
    assert slower.together(["a"]).row_s == pytest.approx(0.001 + 0.021 * times), "the network is slower, too"
    assert slower.together(["c"]).row_s == pytest.approx(0.001 + 0.002 + 0.001 * times), "nobody measured the colours"
    assert allowed.fits(["a"], 1 / 3), "1 of the 9 ms that are left for models"
    assert not allowed.fits(["a", "b"], 1 / 6)


def test_nearest_has_learnt_something():
    """The guess loses 1, the best model 0.5: a loss of 0.9 is not worth having, however little the model takes."""
    allowed = Allowed(
        Limits(row_s=0.001),
        {"best": Footprint(row_s=0.1), "fair": Footprint(row_s=0.004), "poor": Footprint(row_s=0.002)},
    )
    losses = {"best": 0.5, "fair": 0.7, "poor": 0.9}
    assert allowed.nearest(losses, guess=1.0) == "fair"
    assert allowed.nearest(losses, guess=math.inf) == "poor"


def test_what_was_measured_corrects_what_is_expected():
    allowed = Allowed(
        Limits(row_s=0.010),
        {k: Footprint(row_s=0.003, size_bytes=10) for k in "abc"},
        base=Footprint(row_s=0.001),
    )
    assert allowed.fits("abc")
    after = allowed.corrected("abc", Footprint(row_s=0.019, size_bytes=30))
    assert after.together("abc").row_s == pytest.approx(0.019)
    assert after.together("a").row_s == pytest.approx(0.007)
    assert not after.fits("ab")
    less = allowed.corrected("abc", Footprint(row_s=0.002, size_bytes=3))
    assert less.together("abc") == allowed.together("abc")


@given(
    st.lists(st.one_of(st.none(), st.floats(1e-6, 1e6)), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.floats(1e-6, 1e6)), min_size=3, max_size=3),
)
def test_violation_is_zero_exactly_within_the_limits(allowed, taken):
    def whole(v):
        return None if v is None else int(v) + 1

    limits = Limits(row_s=allowed[0], size_bytes=whole(allowed[1]), memory_bytes=whole(allowed[2]))
    need = Footprint(row_s=taken[0], size_bytes=whole(taken[1]), memory_bytes=whole(taken[2]))
    pairs = [
        (a, t)
        for a, t in zip(limits.model_dump().values(), (need.row_s, need.size_bytes, need.memory_bytes), strict=True)
        if a is not None and t is not None
    ]
    assert (limits.violation(need) == 0) == all(t <= a for a, t in pairs)
    product = math.prod(t / a for a, t in pairs if t > a)
    assert limits.violation(need) == pytest.approx(math.log(product), abs=1e-9)


def test_footprints_add_up():
    parts = [Footprint(row_s=0.5), Footprint(size_bytes=3), Footprint(row_s=0.25, size_bytes=4, ms_per_1000=1.0)]
    for order in itertools.permutations(parts):
        total = Footprint()
        for part in order:
            total = total.plus(part)
        assert total == Footprint(row_s=0.75, size_bytes=7, ms_per_1000=1.0)
