"""The first wave: usable at once, quick before dear, each family once."""

import math
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from autodl.records import FamilyPlan, Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.search.allocation import Allocation
from autodl.search.family_ranking import LEAD
from autodl.search.runners.base import grace
from autodl.search.runners.inline import _Running
from autodl.search.space import family_space
from autodl.search.strategies.base import strategies

KEYS = ("linear", "lightgbm", "catboost", "forest")


def plan(key):
    return FamilyPlan(key=key, name=key, why="", est_seconds=1.0, est_bytes=1.0, recipe=Recipe())


def allocation(seconds, quick_s):
    spaces = {k: family_space(k) for k in KEYS}
    return Allocation(
        tuple(plan(k) for k in KEYS), spaces, strategies["random"](0), 0, seconds=seconds, quick_s=quick_s
    )


def wave(alloc, fits=lambda s: True):
    """The first trial of each family, in order."""
    running = []
    while len(running) < len(KEYS):
        asked = alloc.next([], running, fits)
        running.append(asked)
    return running


def is_default(spec):
    return spec.config == family_space(spec.family).starts()[0]


def is_last(spec):
    return spec.config == family_space(spec.family).starts()[-1]


def test_without_a_clock_the_order_is_that_of_the_plan_and_defaults_go_first():
    specs = wave(allocation(None, math.inf))
    assert [s.family for s in specs] == list(KEYS)
    assert all(is_default(s) for s in specs)


def test_a_dear_default_gives_way_to_the_quick_entry():
    def seconds(spec, finished):
        return 20.0 if spec.family == "catboost" and not is_last(spec) else 1.0

    specs = wave(allocation(seconds, 6.0))
    assert [s.family for s in specs] == list(KEYS)
    assert [is_default(s) for s in specs] == [True, True, False, True]
    assert is_last(specs[2])


def test_a_family_without_a_quick_entry_comes_last_with_its_best_known():
    specs = wave(allocation(lambda s, finished: 20.0 if s.family == "catboost" else 1.0, 6.0))
    assert [s.family for s in specs] == ["linear", "lightgbm", "forest", "catboost"]
    assert is_default(specs[-1])


def test_the_simplest_is_tried_first_however_long_it_takes():
    assert wave(allocation(lambda s, finished: 20.0, 6.0))[0].family == "linear"


def test_what_does_not_fit_is_passed_over():
    def fits(spec):
        return spec.family != "catboost" or is_last(spec)

    specs = wave(allocation(lambda s, finished: 1.0, 6.0), fits)
    assert [is_default(s) for s in specs] == [True, True, False, True]


def test_a_trial_that_predicts_is_given_more_patience_than_one_that_trains():
    training, predicting = grace(9.0, "training on fold 1 of 1"), grace(9.0, "predicting fold 1 of 1")
    assert grace(9.0) == training < predicting < 0.5 * 9.0 + 1.0
    assert grace(9.0, None) == predicting  # nobody tells what it does
    began = time.monotonic() - 9.0 - (training + predicting) / 2
    running = _Running(SimpleNamespace(seconds=9.0), began, "training on fold 1 of 1")
    assert running.overdue()
    running.step = "predicting fold 1 of 1"
    assert not running.overdue()


def test_what_leads_is_tried_in_full_however_long_it_takes():
    def seconds(spec, finished):
        return 20.0 if spec.family == "catboost" and not is_last(spec) else 1.0

    alloc = allocation(seconds, 6.0)
    led = tuple(f.model_copy(update={"lead": f.key == "catboost"}) for f in alloc.families)
    specs = wave(replace(alloc, families=led))
    assert [s.family for s in specs] == list(KEYS) and all(is_default(s) for s in specs)


def told(key, loss, number):
    config = family_space(key).starts()[0]
    spec = TrialSpec(id=f"t{number:04d}", family=key, config=config, seed=0, origin="default")
    return TrialResult(spec=spec, status=TrialStatus.OK, loss=loss, score=loss, fold_losses=(loss,))


@pytest.mark.parametrize(("loss", "leads"), [(0.5, True), (2.0, False)])
def test_what_leads_as_expected_is_trained_longer_before_others_begin(loss, leads):
    alloc = allocation(None, math.inf)
    alloc = replace(alloc, families=tuple(f.model_copy(update={"lead": f.key == "lightgbm"}) for f in alloc.families))
    done = [told("linear", 1.0, 1), told("lightgbm", loss, 2)]
    running, seen = [], []
    for _ in range(5):
        running.append(alloc.next(done, running, lambda s: True))
        seen.append(running[-1].family)
    assert seen[:2] == (["lightgbm"] * 2 if leads else ["catboost", "forest"])
    assert seen.count("lightgbm") == (LEAD if leads else seen.count("lightgbm"))
    assert {"catboost", "forest"} <= {*seen}


@pytest.mark.parametrize(("encoder", "second"), [("", "lightgbm"), ("some", "catboost")])
def test_until_its_first_result_it_is_taken_for_the_leader_unless_it_trains_what_others_trained(encoder, second):
    alloc = allocation(None, math.inf)
    led = (
        f.model_copy(update={"lead": True, "encoder": encoder}) if f.key == "lightgbm" else f for f in alloc.families
    )
    alloc = replace(alloc, families=tuple(led))
    done = [told("linear", 1.0, 1)]
    first = alloc.next(done, [], lambda s: True)
    assert first is not None and first.family == "lightgbm"
    following = alloc.next(done, [first], lambda s: True)
    assert following is not None and following.family == second and following.config != first.config


def test_trials_of_a_family_that_takes_part_no_more_are_left_alone():
    """A resumed run may have had to leave out the network that it goes on from."""
    done = [told("linear", 1.0, 1), told("finetuned_text", 0.1, 2)]
    alloc = allocation(None, math.inf)
    asked = alloc.next(done, [], lambda s: True)
    assert asked is not None and (asked.family, asked.id) == ("lightgbm", "t0003")
    done += [told(key, 0.5, k) for k, key in enumerate(KEYS[1:], start=3)]
    assert alloc.next(done, [], lambda s: True).family in KEYS
    assert alloc.next(done, [], lambda s: True, settled=True) is None


def test_the_search_goes_on_where_all_trials_so_far_ran_out_of_time():
    alloc = allocation(None, math.inf)
    late = told("linear", 1.0, 1).model_copy(update={"status": TrialStatus.TIMEOUT, "loss": None, "score": None})
    asked = alloc.next([late], [], lambda s: True)
    assert asked is not None and asked.config != late.spec.config
    again = alloc.next([late], [], lambda s: s.family == "linear")
    assert again is not None and again.family == "linear" and again.config != late.spec.config
