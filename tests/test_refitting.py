"""Which members are trained again on all rows, and how often."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autodl import refitting
from autodl.clock import Deadline
from autodl.preprocess import Preparer
from autodl.records import (
    ArtifactRef,
    Cost,
    Member,
    Recipe,
    TableSchema,
    Task,
    TrialResult,
    TrialSpec,
    TrialStatus,
)
from autodl.refitting import MAX_SEEDS, MOST_MODELS, Refits
from autodl.search.trial import TrialData
from autodl.train.config import SLICE


class FakeClock:
    """A deadline that only trainings bring nearer."""

    def __init__(self, seconds):
        self.seconds = seconds

    def left(self):
        return self.seconds

    def passed(self):
        return self.seconds <= 0


def trial(name, family="lightgbm", ms=0.001, row_s=0.001):
    cost = Cost(fit_s=1.0, predict_s=ms, n_predicted=1000, row_s=row_s)
    return TrialResult(
        spec=TrialSpec(id=name, family=family), status=TrialStatus.OK, loss=0.1, fold_losses=(0.1,), cost=cost
    )


def train(monkeypatch, seconds, clock, *, weights, trials=None, slower=1.0, **more):
    """Numbers of models by trial, with trainings that take their estimates exactly, or so many times longer."""
    order = []

    def one(self, result, seed, prepared):
        order.append((result.spec.id, seed))
        if isinstance(self.deadline, FakeClock):
            self.deadline.seconds -= slower * self.seconds[result.spec.id]
        return SimpleNamespace(to_bytes=lambda: f"{result.spec.id}-{seed}".encode())

    monkeypatch.setattr(Refits, "_one", one)
    monkeypatch.setattr(refitting, "vouch", lambda data: None)
    members = [Member(trial_id=i, family="lightgbm", weight=w) for i, w in weights.items()]
    results = trials or {i: trial(i) for i in weights}
    refits = Refits(None, None, None, clock, seconds)
    fitted = refits.train(members, results, **more)
    return {i: len(models) for i, models in fitted.items()}, order


def test_every_member_once_and_the_heaviest_first(monkeypatch):
    weights = {"a": 0.2, "b": 0.5, "c": 0.3}
    counts, order = train(monkeypatch, dict.fromkeys("abc", 1.0), FakeClock(3.5), weights=weights)
    assert counts == {"a": 1, "b": 1, "c": 1}
    assert order == [("b", 0), ("c", 0), ("a", 0)]


def test_what_does_not_fit_is_passed_over(monkeypatch):
    counts, _ = train(monkeypatch, {"a": 9.0, "b": 1.0}, FakeClock(4.0), weights={"a": 0.9, "b": 0.1})
    assert counts["a"] == 0 and counts["b"] >= 1


def test_time_that_is_left_goes_into_seeds_of_what_weighs_most(monkeypatch):
    clock = FakeClock(10.0)
    counts, order = train(monkeypatch, {"a": 1.0, "b": 1.0}, clock, weights={"a": 0.8, "b": 0.2})
    assert counts["a"] == MAX_SEEDS > counts["b"] >= 1
    assert clock.left() >= 0
    assert [o for o in order if o[0] == "a"] == [("a", k) for k in range(MAX_SEEDS)]  # another seed each time


def test_no_further_seeds_of_models_that_answer_slowly_or_have_no_seed(monkeypatch):
    slow = {"a": trial("a", ms=80.0)}
    assert train(monkeypatch, {"a": 0.1}, FakeClock(99.0), weights={"a": 1.0}, trials=slow)[0] == {"a": 1}
    late = {"a": trial("a", row_s=0.03)}
    assert train(monkeypatch, {"a": 0.1}, FakeClock(99.0), weights={"a": 1.0}, trials=late)[0] == {"a": 1}
    fixed = {"a": trial("a", family="neighbors")}
    assert train(monkeypatch, {"a": 0.1}, FakeClock(99.0), weights={"a": 1.0}, trials=fixed)[0] == {"a": 1}


@pytest.mark.parametrize("most", [1, 2])
def test_limits_of_the_user_bound_the_seeds(monkeypatch, most):
    counts, _ = train(monkeypatch, {"a": 0.1}, FakeClock(99.0), weights={"a": 1.0}, most=most)
    assert counts == {"a": most}


def test_without_a_clock_nothing_depends_on_seconds(monkeypatch):
    weights = {"a": 0.6, "b": 0.4}
    quick = train(monkeypatch, {"a": 0.1, "b": 50.0}, Deadline(), weights=weights)
    other = train(monkeypatch, {"a": 90.0, "b": 0.1}, Deadline(), weights=weights)
    assert quick == other
    assert set(quick[0].values()) == {MAX_SEEDS}
    many = train(monkeypatch, dict.fromkeys("abcdef", 1.0), Deadline(), weights=dict.fromkeys("abcdef", 1 / 6))
    assert sum(many[0].values()) == MOST_MODELS


@pytest.mark.parametrize(
    ("after", "counts"), [(0, {"a": 0, "b": 0}), (1, {"a": 1, "b": 0}), (2, {"a": 1, "b": 1}), (3, {"a": 2, "b": 1})]
)
def test_who_stops_the_run_waits_for_no_further_model_and_keeps_what_is_trained(monkeypatch, after, counts):
    order = []

    def one(self, result, seed, prepared):
        order.append(result.spec.id)
        return SimpleNamespace(to_bytes=lambda: b"model")

    monkeypatch.setattr(Refits, "_one", one)
    monkeypatch.setattr(refitting, "vouch", lambda data: None)
    members = [Member(trial_id=i, family="lightgbm", weight=w) for i, w in (("a", 0.7), ("b", 0.3))]
    refits = Refits(None, None, None, Deadline(), {"a": 1.0, "b": 1.0}, stopped=lambda: len(order) >= after)
    fitted = refits.train(members, {i: trial(i) for i in "ab"})
    assert {i: len(models) for i, models in fitted.items()} == counts


def test_too_large_members_keep_their_fold_models(monkeypatch):
    counts, _ = train(monkeypatch, {"a": 1.0}, FakeClock(9.0), weights={"a": 1.0}, too_large=["a"])
    assert counts == {"a": 0}


def test_fold_models_beside_count_for_the_speed_of_an_answer(monkeypatch):
    results = {"a": trial("a", row_s=0.006)}
    alone = train(monkeypatch, {"a": 0.1}, FakeClock(99.0), weights={"a": 1.0}, trials=results)
    beside = train(monkeypatch, {"a": 0.1}, FakeClock(99.0), weights={"a": 1.0}, trials=results, beside=5)
    assert alone[0] == {"a": 5} and beside[0] == {"a": 1}
    assert refitting.quick({"a": 6}, results) and not refitting.quick({"a": 7}, results)


def test_fold_models_of_members_not_trained_again_count_as_models(monkeypatch):
    weights = {"a": 0.5, "b": 0.5}
    ref = ArtifactRef(path="x", sha256="")
    trials = {i: trial(i) for i in weights}
    trials["b"] = trials["b"].model_copy(update={"models": (ref,) * (MOST_MODELS - 2)})
    counts, _ = train(
        monkeypatch, dict.fromkeys("ab", 1.0), Deadline(), weights=weights, trials=trials, too_large=["b"]
    )
    assert counts == {"a": 2, "b": 0}


def test_models_of_an_earlier_run_count_for_the_speed_of_an_answer(monkeypatch):
    trials = {"a": trial("a", row_s=0.006), "b": trial("b", row_s=0.006)}
    more = {"weights": {"a": 1.0}, "trials": trials}
    assert train(monkeypatch, {"a": 0.1}, FakeClock(99.0), **more)[0] == {"a": 5}
    assert train(monkeypatch, {"a": 0.1}, FakeClock(99.0), **more, others={"b": 4})[0] == {"a": 2}


def test_late_refits_are_a_warning_to_the_next(monkeypatch):
    seconds, weights = {"a": 4.0, "b": 4.0}, {"a": 0.6, "b": 0.4}
    usual, _ = train(monkeypatch, seconds, FakeClock(10.0), weights=weights)
    assert usual == {"a": 1, "b": 1}
    clock = FakeClock(18.0)
    late, _ = train(monkeypatch, seconds, clock, weights=weights, slower=3.0)
    assert late == {"a": 1, "b": 0} and clock.left() == 6.0  # b would have taken 12 s
    # What is over in a moment says little: a second one is begun though the first took ten times its estimate.
    quick, _ = train(monkeypatch, {"a": 0.02, "b": 2.0}, FakeClock(6.0), weights=weights, slower=2.5)
    assert quick["b"] == 1


def further(monkeypatch, clock, seconds, going_on, weights, parent=None, saw_answers=False):
    """Numbers of models by trial where those of some may go on, which of them did, and the seconds they had."""
    had = []

    def fit(self, result, recipe, prepared, deadline, *, seed=0, start=None, part=None):
        assert prepared == ("its own", "rows as it knows them")
        had.append(deadline.left())
        assert part == (SLICE if deadline.left() == float("inf") else 1.0)
        return SimpleNamespace(to_bytes=lambda: b"further")

    def one(self, result, seed, prepared):
        return SimpleNamespace(to_bytes=lambda: b"anew")

    monkeypatch.setattr(Refits, "_fit", fit)
    monkeypatch.setattr(Refits, "_one", one)
    monkeypatch.setattr(refitting, "vouch", lambda data: None)
    monkeypatch.setattr(refitting, "trial_recipe", lambda *args: None)
    known = {"transform": lambda self, frame: "rows as it knows them", "saw_answers": saw_answers, "recipe": None}
    preparer = type("P", (str,), known)("its own")
    results = {i: trial(i) for i in weights}
    if parent is not None:
        results = {
            i: r.model_copy(update={"spec": r.spec.model_copy(update={"parent": parent})}) for i, r in results.items()
        }
    refits = Refits(None, None, None, clock, seconds, going_on, lambda result: SimpleNamespace(preparer=preparer))
    fitted = refits.train([Member(trial_id=i, family="cnn", weight=w) for i, w in weights.items()], results, most=1)
    return {i: [m.decode() for m in models] for i, models in fitted.items()}, refits.gone_on, had


def test_where_there_is_no_time_to_train_anew_the_fold_model_goes_on(monkeypatch):
    found, gone_on, had = further(
        monkeypatch, Deadline.after(60.0), {"a": 90.0, "b": 2.0}, {"a": 30.0, "b": 1.0}, {"a": 0.7, "b": 0.3}
    )
    assert found == {"a": ["further"], "b": ["anew"]} and gone_on == {"a"}
    assert had == [pytest.approx(60.0 - refitting.SAFETY * 2.0, abs=1.0)]  # all but what the other needs


def test_it_goes_on_for_a_part_of_the_time_but_not_for_an_instant(monkeypatch):
    found, _, had = further(monkeypatch, Deadline.after(15.0), {"a": 90.0}, {"a": 30.0}, {"a": 1.0})
    assert found == {"a": ["further"]} and had == [pytest.approx(15.0, abs=1.0)]
    found, gone_on, had = further(monkeypatch, Deadline.after(10.0), {"a": 90.0}, {"a": 30.0}, {"a": 1.0})
    assert found == {"a": []} and not gone_on and not had
    # Columns that tell a training row its own answer would be trusted too much.
    found, gone_on, _ = further(
        monkeypatch, Deadline.after(30.0), {"a": 90.0}, {"a": 20.0}, {"a": 1.0}, saw_answers=True
    )
    assert found == {"a": []} and not gone_on


def test_what_was_bred_is_not_trained_anew_but_may_go_on(monkeypatch):
    found, _, had = further(monkeypatch, Deadline(), {"a": 1.0}, {"a": 1.0}, {"a": 1.0}, parent="t0000")
    assert found == {"a": ["further"]} and had == [float("inf")]
    assert further(monkeypatch, Deadline(), {"a": 1.0}, {}, {"a": 1.0}, parent="t0000")[0] == {"a": []}


def test_a_fold_model_that_is_gone_cannot_go_on(monkeypatch):
    monkeypatch.setattr(Refits, "_one", lambda self, result, seed, prepared: None)
    refits = Refits(None, None, None, Deadline.after(20.0), {"a": 90.0}, {"a": 20.0})
    assert refits.train([Member(trial_id="a", family="cnn", weight=1.0)], {"a": trial("a")}) == {"a": []}


def test_models_that_go_on_share_the_time_and_leave_what_quick_ones_need(monkeypatch):
    """Of equal weights, too."""
    going_on = {"a": 10.0, "b": 20.0}
    seconds = {"a": 500.0, "b": 500.0, "c": 2.0}
    found, gone_on, had = further(monkeypatch, Deadline.after(92.6), seconds, going_on, dict.fromkeys("abc", 1 / 3))
    assert found["c"] == ["anew"] and gone_on == {"a", "b"}
    assert had[0] == pytest.approx(30.0, abs=1.0)  # a third of what c leaves
    # Where not all may go on as usual, the heavier ones come first.
    found, gone_on, had = further(
        monkeypatch, Deadline.after(12.0), seconds, going_on, {"a": 0.5, "b": 0.3, "c": 0.2}
    )
    assert gone_on == {"a", "b"} and had[0] == pytest.approx(10.0, abs=1.0)


def test_of_a_family_that_takes_part_no_more_the_recipe_is_that_of_its_model(monkeypatch):
    """A resumed run may have had to leave out the network that it goes on from."""
    given = []
    monkeypatch.setattr(Preparer, "fit_transform", lambda *args: None)
    monkeypatch.setattr(Refits, "_fit", lambda self, result, recipe, *args, **more: given.append(recipe))
    frame, own = pd.DataFrame({"x": [1.0, 2.0]}), Recipe(target="standard", tokenizer="some")
    data = TrialData(frame, np.zeros(2), frame, (), TableSchema(columns=()), Task.REGRESSION, 0, "rmse", {})
    start = SimpleNamespace(preparer=SimpleNamespace(recipe=own, saw_answers=False, transform=lambda frame: None))
    refits = Refits(data, frame, np.zeros(2), Deadline(), {}, start=lambda result: start)
    refits._gone_on(trial("a", "cnn"), 1.0)
    refits._one(trial("a", "cnn"), 0, {})
    assert given == [own, own]
    Refits(data, frame, np.zeros(2), Deadline(), {})._one(trial("a", "cnn"), 0, {})
    assert given == [own, own]


@pytest.mark.parametrize("cut_short", [True, False])
def test_a_model_that_the_clock_cut_short_is_not_delivered_as_whole(cut_short, monkeypatch):
    """Though it ended before the deadline."""
    estimator = SimpleNamespace(cut_short=cut_short)
    model = SimpleNamespace(estimator=estimator, predict=lambda frame: np.zeros(len(frame)))
    monkeypatch.setattr(refitting, "fit_model", lambda *args, **more: model)
    data = SimpleNamespace(threads=1, weight=None)
    refits = Refits(data, pd.DataFrame({"x": [1.0, 2.0]}), np.zeros(2), Deadline.after(60.0), {})
    found = refits._fit(trial("a"), Recipe(), (None, None), refits.deadline)
    assert found is (None if cut_short else model)


@pytest.mark.parametrize("by_time", [False, True])
def test_columns_made_of_targets_are_made_across_the_groups_of_all_rows(by_time, monkeypatch):
    """As in the folds; stretches of time are no groups."""
    given = []
    monkeypatch.setattr(Preparer, "fit_transform", lambda self, *args: given.append(args))
    monkeypatch.setattr(Refits, "_fit", lambda *args, **more: None)
    frame, blocks = pd.DataFrame({"x": [1.0, 2.0, 3.0]}), np.array([0, 0, 1])
    data = TrialData(
        frame, np.zeros(3), frame, (), TableSchema(columns=()), Task.REGRESSION, 0, "rmsle",
        {"lightgbm": Recipe(target="log")}, blocks=blocks, by_time=by_time,
    )  # fmt: skip
    y = np.array([1.0, 10.0, 1e9])
    Refits(data, frame, y, Deadline(), {})._one(trial("a"), 0, {})
    ((_, learnt, _, _, groups),) = given
    assert groups is (None if by_time else blocks)
    assert np.ptp(learnt) < 5 < np.ptp(y)  # the logarithm that models learn
