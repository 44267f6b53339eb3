"""First passes on a part of the rows count as results, and their leaders go on to all rows."""

from __future__ import annotations

import math
import threading
import time
from types import SimpleNamespace

import pytest

from autodl.events import silent
from autodl.models.base import Shape, families
from autodl.records import Cost, FamilyPlan, Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import PROMOTED
from autodl.search.allocation import Allocation
from autodl.search.budget import Budget
from autodl.search.costs import CostModel
from autodl.search.loop import SearchLoop, SearchState
from autodl.search.naming import trial_names
from autodl.search.promotion import AT_ONCE, MOST_BYTES, Promotions, hastened, is_promotion, same_settings
from autodl.search.reserve import Reserve
from autodl.search.runners.inline import InlineRunner
from autodl.search.session import nearly_all_rows
from autodl.search.space import family_space, parse_space
from autodl.search.strategies.base import strategies
from autodl.search.trial import split_config

SHARE = 0.1


def scout(number, family, loss, seconds=1.0, part=SHARE, origin="default", status=TrialStatus.OK, **config):
    spec = TrialSpec(id=f"t{number:04d}", family=family, config=config, fidelity=part, origin=origin)
    return TrialResult(spec=spec, status=status, loss=loss, fold_losses=(loss,), cost=Cost(fit_s=seconds))


def promoted(of, number, loss, part=None, seconds=10.0):
    return scout(number, of.spec.family, loss, seconds, part, PROMOTED, **of.spec.config)


def ten_times_dearer(spec, finished):
    return 10.0 * (spec.fidelity or 1.0)


LINEAR, TREES, BOOSTED = scout(1, "linear", 0.5), scout(2, "forest", 0.4), scout(3, "lightgbm", 0.3)
KNOWN = [LINEAR, TREES, BOOSTED]


def due(finished, running=(), fits=lambda spec: True, begun=False, **more):
    promotions = Promotions(SHARE, seconds=ten_times_dearer, **more)
    return promotions.next(finished, list(running), fits, "t0099", begun=begun)


def test_the_best_goes_on_to_all_rows_once_the_usual_families_are_known():
    assert due([LINEAR, BOOSTED]) is None
    found = due(KNOWN)
    assert (found.id, found.family, found.fidelity, found.origin) == ("t0099", "lightgbm", None, PROMOTED)
    assert due([LINEAR, BOOSTED], begun=True).family == "lightgbm"  # no other family is left to begin


def test_two_leading_families_go_on_at_once_and_further_ones_by_their_share_of_the_time():
    running = [due(KNOWN)]
    second = due(KNOWN, running)
    assert second.family == "forest"
    assert AT_ONCE == 2
    running.append(second)
    assert due(KNOWN, running) is None
    more = [scout(10 + i, "lightgbm", 0.31 + i / 100, seconds=10.0, num_leaves=i + 5) for i in range(4)]
    third = due([*KNOWN, *more], running)
    assert (third.family, third.config) == ("lightgbm", more[0].spec.config)
    assert due([*KNOWN, *more], running, fits=lambda spec: False) is None
    # Preparation that another trial has paid for takes no time again.
    quick = [r.model_copy(update={"cost": Cost(fit_s=10.0, cached_s=9.0)}) for r in more]
    assert due([*KNOWN, *quick], running) is None


def test_where_waiting_would_be_too_late_one_that_is_not_simple_goes_on_before_the_others_are_known():
    assert due([LINEAR, BOOSTED], left=lambda: 100.0) is None
    assert due([LINEAR, BOOSTED], left=lambda: 20.0).family == "lightgbm"
    assert due([LINEAR], left=lambda: 20.0) is None


def test_a_quicker_one_of_the_family_on_all_rows_goes_before_the_best_on_a_part():
    quick = scout(4, "lightgbm", 0.35, num_leaves=4)

    def fits(spec):
        return spec.fidelity is not None or spec.config == quick.spec.config

    assert due([*KNOWN, quick], fits=fits).config == quick.spec.config
    part = due(KNOWN, fits=fits)
    assert (part.family, part.fidelity) == ("lightgbm", 0.5)
    assert due(KNOWN, fits=lambda spec: (spec.fidelity or 1.0) <= 0.25).fidelity == 0.25
    assert due(KNOWN, fits=lambda spec: (spec.fidelity or 1.0) < 0.25) is None


def test_larger_steps_on_all_rows_go_before_fewer_rows():
    slow = scout(4, "lightgbm", 0.2, learning_rate=0.04, num_leaves=50)

    def within(least):
        return lambda spec: spec.config.get("learning_rate", 0.0) >= least

    assert due([*KNOWN, slow], fits=within(0.04)).config == slow.spec.config
    asked = due([*KNOWN, slow], fits=within(0.05))
    assert asked.fidelity is None
    assert asked.config == {"learning_rate": 0.08, "num_leaves": 50}
    assert due([*KNOWN, slow], fits=within(0.1)).config["learning_rate"] == 0.16
    assert due([*KNOWN, slow], fits=within(0.17)) is None
    quick = scout(4, "lightgbm", 0.2, learning_rate=0.14, num_leaves=50)
    assert (
        due([*KNOWN, quick], fits=within(0.15)).config["learning_rate"] == 0.2
    )  # 0.28 would be too large to be good
    assert hastened(scout(4, "lightgbm", 0.2, learning_rate=0.19).spec, 2.0) is None
    assert same_settings(asked, slow.spec)
    assert not same_settings(asked, BOOSTED.spec)
    assert due([*KNOWN, slow], [asked]).family == "forest"
    names = trial_names([slow.spec, asked])
    assert names[asked.id] == f"{names[slow.spec.id]}, all rows"


def test_steps_stay_within_the_ranges_of_the_user():
    slow = scout(4, "lightgbm", 0.2, learning_rate=0.04)

    def asked(param, least):
        spaces = {"lightgbm": parse_space({"params": {"learning_rate": param}})}
        return due([*KNOWN, slow], fits=lambda s: s.config.get("learning_rate", 0.0) >= least, spaces=spaces)

    up_to = {"type": "float", "low": 0.01, "high": 0.05}
    assert asked(up_to, 0.041).config == {"learning_rate": 0.05}
    assert asked(up_to, 0.051) is None
    assert asked({**up_to, "high": 0.9}, 0.15).config == {"learning_rate": 0.16}
    some = {"type": "choice", "values": [0.04, 0.3]}
    assert asked(some, 0.04).config == {"learning_rate": 0.04}
    assert asked(some, 0.041) is None


@pytest.mark.parametrize("key", sorted(families))
def test_hasty_configurations_are_valid_and_quicker(key):
    cls = families[key]
    if cls.haste is not None:
        assert cls.haste[0] in cls.config.model_fields
        cls.config(**{cls.haste[0]: cls.haste[1]})
    shape = Shape(rows=300_000, numeric=10, classes=2)
    for start in family_space(key).starts():
        spec = TrialSpec(id="t0001", family=key, config=start)
        faster = hastened(spec, 2.0)
        assert (faster is None) or cls.haste is not None
        if faster is not None:
            usual, hasty = (cls.config(**split_config(c)[0]) for c in (start, faster))
            hasty_s, usual_s = (cls().estimate_cost(shape, c).seconds for c in (hasty, usual))
            assert hasty_s <= usual_s
            # The best known one ends when it has learnt enough, not after a fixed number of steps.
            assert start != family_space(key).starts()[0] or hasty_s < 0.7 * usual_s


def test_at_last_all_rows_are_learnt_from_until_the_time_is_up():
    slow = scout(4, "lightgbm", 0.2, learning_rate=0.1)

    def below(most):
        return lambda spec: (spec.fidelity or 1.0) < most

    found = Promotions(0.3).next([*KNOWN, slow], [], below(0.45), "t0099", begun=True)
    assert (found.family, found.fidelity, found.config) == ("lightgbm", None, {"learning_rate": 0.2})
    assert Promotions(0.3).next([*KNOWN, slow], [], below(0.4), "t0099", begun=True) is None
    # A forest has no steps to leave out.
    assert Promotions(0.3).next([LINEAR, TREES], [], below(0.45), "t0099", begun=True) is None


def test_what_memory_has_no_room_for_gets_fewer_rows():
    def bytes_(spec, finished):
        return 1.5 * MOST_BYTES * (spec.fidelity or 1.0)

    assert due(KNOWN, bytes=bytes_).fidelity == 0.5


@pytest.mark.parametrize(("allowed", "part"), [(0.0, 1 / 16), (8.1 * MOST_BYTES, 0.25), (24.1 * MOST_BYTES, None)])
def test_large_machines_train_on_more_rows_and_small_ones_on_as_many_as_fit(allowed, part):
    promotions = Promotions(0.02, lambda spec, finished: 12 * MOST_BYTES * (spec.fidelity or 1.0), allowed=allowed)
    found = promotions.next(KNOWN, [], lambda spec: True, "t0099", begun=True)
    assert (found.family, found.fidelity) == ("lightgbm", part)
    # Hardly more rows than the first pass had are not worth it.
    few = Promotions(0.06, promotions.bytes).next(KNOWN, [], lambda spec: True, "t0099", begun=True)
    assert few is None


def test_each_configuration_goes_on_once_and_nothing_does_where_more_rows_bring_nothing():
    done = [promoted(BOOSTED, 4, 0.31), promoted(TREES, 5, 0.42)]
    others = [scout(10 + i, "forest", 0.45, seconds=100.0, max_features=0.1 * (i + 1)) for i in range(3)]
    assert due([*KNOWN, *others, *done], begun=True) is None
    helped = [promoted(BOOSTED, 4, 0.25), promoted(TREES, 5, 0.42)]
    found = due([*KNOWN, *others, *helped], begun=True)
    assert all(found.config != r.spec.config or found.family != r.spec.family for r in helped)


def test_what_is_far_behind_stays():
    guess = scout(9, "dummy", 1.0, part=None, origin="baseline")
    running = [due([guess, *KNOWN])]
    assert running[0].family == "lightgbm"
    assert due([guess, *KNOWN], running) is None  # 0.6 of the guess's loss is gone, where the best took 0.7
    near = TREES.model_copy(update={"loss": 0.36})
    assert due([guess, LINEAR, near, BOOSTED], running).family == "forest"
    assert due([guess.model_copy(update={"loss": 0.2}), *KNOWN]).family == "lightgbm"  # all are worse than guessing


@pytest.mark.parametrize("bad", [TrialStatus.FAILED, TrialStatus.TIMEOUT])
def test_one_that_came_to_nothing_is_not_tried_again(bad):
    late = promoted(BOOSTED, 4, 0.3).model_copy(update={"status": bad, "loss": None, "fold_losses": ()})
    assert due([*KNOWN, late]).family == "forest"


def test_guesses_and_what_went_on_from_the_weights_of_others_stay():
    guess = scout(1, "dummy", 0.1, part=None, origin="baseline")
    child = BOOSTED.model_copy(update={"spec": BOOSTED.spec.model_copy(update={"parent": "t0001"})})
    assert due([guess, child], begun=True) is None


SPACE = {"params": {"shrink": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9}}, "portfolio": [{}]}


def search(linear_data, trials, done=()):
    loop = SearchLoop(
        allocation=Allocation(
            (FamilyPlan(key="toy", name="Toy", why="", est_seconds=1, est_bytes=1, recipe=Recipe()),),
            {"toy": parse_space(SPACE)},
            strategies["random"](),
            seed=3,
            promotions=Promotions(0.3),
        ),
        costs=CostModel(Shape(rows=40, numeric=3), 3),
        budget=Budget(float("inf"), time.time()),
        reserve=lambda finished: 0.0,
        store=lambda outcome: outcome.result,
        listener=silent,
        scheduler="none",
        max_trials=trials,
    )
    return loop.run(InlineRunner(linear_data), SearchState(finished=list(done)), threading.Event()).finished


def test_a_search_with_first_passes(toys, linear_data):
    finished = search(linear_data, 24)
    first = [r for r in finished if not is_promotion(r.spec)]
    whole = [r for r in finished if is_promotion(r.spec)]
    assert {r.spec.fidelity for r in first} == {0.3}
    assert all(r.ok and math.isfinite(r.loss) for r in finished)  # a model of a part of the rows is a model
    assert {r.spec.fidelity for r in whole} <= {None, 0.5}
    assert 2 <= len(whole) <= len(first)
    assert all(any(r.spec.config == f.spec.config for f in first) for r in whole)
    assert len({str(r.spec.config) for r in whole}) == len(whole)
    # The best configuration shrinks nothing, and the leaders are near it.
    assert min(r.spec.config["shrink"] for r in whole) == min(r.spec.config["shrink"] for r in first)
    assert [r.spec.id for r in finished] == [f"t{i + 1:04d}" for i in range(24)]


def test_a_resumed_search_goes_on_as_it_would_have(toys, linear_data):
    def what(results):
        return [(r.spec.config, r.spec.fidelity, r.spec.origin) for r in results]

    whole = search(linear_data, 14)
    assert what(search(linear_data, 14, done=whole[:6])) == what(whole)


@pytest.mark.parametrize(("left", "family", "origin"), [(20.0, "lightgbm", PROMOTED), (500.0, "forest", "default")])
def test_families_that_have_not_begun_wait_where_all_rows_would_be_too_late(left, family, origin):
    keys = ("linear", "lightgbm", "forest")
    plans = (FamilyPlan(key=k, name=k, why="", est_seconds=1, est_bytes=1, recipe=Recipe()) for k in keys)
    allocation = Allocation(
        tuple(plans), {k: family_space(k) for k in keys}, strategies["random"](0), 0,
        promotions=Promotions(SHARE, seconds=ten_times_dearer, left=lambda: left), seconds=ten_times_dearer,
    )  # fmt: skip
    asked = allocation.next([LINEAR, BOOSTED], [], lambda spec: True)
    assert (asked.family, asked.origin) == (family, origin)
    assert asked.fidelity == (None if origin == PROMOTED else SHARE)


def test_names_say_on_which_rows():
    first, other = scout(1, "lightgbm", 0.3), scout(2, "lightgbm", 0.3, num_leaves=9)
    specs = [first, other, promoted(other, 3, 0.2), promoted(first, 4, 0.2, part=0.5), scout(5, "lightgbm", 0.1, x=1)]
    names = trial_names(r.spec for r in specs)
    assert [names[r.spec.id] for r in specs] == [
        "LightGBM #1", "LightGBM #2", "LightGBM #2, all rows", "LightGBM #1, 50 % of the rows", "LightGBM #3",
    ]  # fmt: skip


def test_only_models_of_clearly_fewer_rows_are_trained_again():
    def setup(share):
        return SimpleNamespace(plan=SimpleNamespace(scout=share), growth=lambda n_rows: 1.06)

    results = [BOOSTED, promoted(BOOSTED, 4, 0.25), promoted(TREES, 5, 0.42, part=0.5)]
    assert nearly_all_rows(setup(SHARE), results, 500_000) == ["t0004"]
    assert nearly_all_rows(setup(None), results, 500_000) == []


def test_no_time_is_kept_for_refits_where_the_search_trains_on_all_rows():
    def kept(share, finished):
        setup = SimpleNamespace(
            costs=lambda: CostModel(Shape(rows=500_000, numeric=4), 1),
            growth=lambda n_rows: 1.06,
            feasibility=SimpleNamespace(order=lambda r: r.loss),
            checking_s=0.0,
            data=SimpleNamespace(schema=SimpleNamespace(columns=("a", "b"))),
            plan=SimpleNamespace(workers=1, threads=2, scout=share),
        )
        return Reserve(setup, Budget(100.0, time.time()), 500_000)(finished)

    whole = [r.model_copy(update={"spec": r.spec.model_copy(update={"fidelity": None})}) for r in KNOWN]
    assert kept(SHARE, KNOWN) == pytest.approx(kept(SHARE, []))
    assert kept(None, whole) > kept(None, []) + 1.0


def test_a_refit_after_a_first_pass_takes_as_much_longer_as_it_has_more_rows():
    costs = CostModel(Shape(rows=500_000, numeric=4), 1)
    assert costs.refit(BOOSTED, 1.06) == pytest.approx(
        costs.refit(promoted(BOOSTED, 4, 0.2, seconds=1.0), 1.06) / SHARE
    )
