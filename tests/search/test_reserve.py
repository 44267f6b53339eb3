"""Time kept for the end of a run."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from autodl.models.base import Shape
from autodl.records import Cost, CurvePoint, Limits, TrialResult, TrialSpec, TrialStatus
from autodl.search import reserve
from autodl.search.budget import AFTER_EXPLANATION, AFTER_REFITS, CLOSELY_S, LOOK_EVERY_S, MOST_PACE, Budget, Pace
from autodl.search.costs import CostModel
from autodl.search.feasibility import Feasibility
from autodl.search.loop import SMALL_SHARE
from autodl.search.reserve import (
    EXPLAIN_SHARE,
    KEPT_SHARE,
    LENT_SHARE,
    REFIT_MARGIN,
    REFIT_SHARE,
    Reserve,
    affordable,
)
from autodl.search.setup import SearchSetup


def trial(number, loss, seconds):
    spec = TrialSpec(id=f"t{number:04d}", family="lightgbm", config={"num_leaves": number + 2})
    return TrialResult(spec=spec, status=TrialStatus.OK, loss=loss, fold_losses=(loss,), cost=Cost(fit_s=seconds))


@pytest.fixture
def strict(monkeypatch):
    """Trials take nothing from the reserve."""
    monkeypatch.setattr(reserve, "LENT", 0.0)


def setup():
    """What ``Reserve`` reads of a set-up: five folds of a small table, refits as long as a fold."""
    return SimpleNamespace(
        costs=lambda: CostModel(Shape(rows=500, numeric=4), 1),
        growth=lambda n_rows: 1.0,
        feasibility=Feasibility(Limits()),
        checking_s=0.0,
        data=SimpleNamespace(schema=SimpleNamespace(columns=("a", "b"))),
        plan=SimpleNamespace(workers=1, threads=2, scout=None),
    )


def budget(total=100.0, used=0.0):
    return Budget(total, time.time() - used)


@pytest.mark.usefixtures("strict")
def test_a_refit_that_cannot_fit_keeps_no_time_from_the_search():
    assert affordable([(50.0, None), (3.0, None), (4.0, None)], most=10.0) == 7.0
    assert affordable([], most=10.0) == 0.0
    end = budget().finish_s(600, 2)
    assert Reserve(setup(), budget(), 600)([trial(1, 0.1, 80.0)]) == pytest.approx(end)
    kept = Reserve(setup(), budget(), 600)([trial(1, 0.1, 80.0), trial(2, 0.2, 5.0)])
    assert kept == pytest.approx(end + REFIT_MARGIN * 5.0)


def test_a_model_that_can_go_on_learning_keeps_time_for_that():
    assert affordable([(50.0, 6.0), (3.0, None)], most=10.0) == 9.0
    assert affordable([(8.0, 6.0)], most=10.0) == 8.0  # anew where that fits
    assert affordable([(50.0, 20.0), (3.0, None)], most=10.0) == 10.0  # for a part of its time
    assert affordable([(50.0, 30.0), (3.0, None)], most=10.0) == 3.0  # too small a part


@pytest.mark.usefixtures("strict")
def test_never_more_than_a_share_for_refits():
    done = [trial(k, 0.1 * k, 8.0) for k in range(1, 5)]
    assert Reserve(setup(), budget(), 600)(done) <= budget().finish_s(600, 2) + REFIT_SHARE * 100.0


@pytest.mark.parametrize("slowdown", [1.0, 2.0, MOST_PACE])
def test_a_slow_machine_does_not_keep_the_search_from_its_time(slowdown):
    clock = Budget(30.0, time.time(), Pace(slowdown))
    done = [trial(k, 0.1 * k, 1.0) for k in range(1, 5)]
    kept = Reserve(setup(), clock, 600)(done)
    assert kept <= max(KEPT_SHARE * 30.0, clock.finish_s(600, 2)) + 1e-9
    assert kept >= clock.finish_s(600, 2)


@pytest.mark.usefixtures("strict")
def test_near_the_end_the_likely_ensemble_decides():
    asked = []

    def likely(finished):
        asked.append(len(finished))
        return ("t0002",)

    done = [trial(1, 0.1, 8.0), trial(2, 0.2, 1.0)]
    early, late = (Reserve(setup(), budget(used=used), 600, likely) for used in (10.0, 80.0))
    rough, known = early(done), late(done)
    assert asked == [2]
    assert known == pytest.approx(budget().finish_s(600, 2) + REFIT_MARGIN * 1.0)
    assert rough - known == pytest.approx(REFIT_MARGIN * 8.0)
    late(done)
    assert asked == [2]  # nothing new to look at


def test_without_a_clock_nothing_is_kept():
    assert Reserve(setup(), Budget(float("inf"), 0.0), 600)([trial(1, 0.1, 8.0)]) == 0.0


def test_a_busy_machine_keeps_more_time_for_the_end(monkeypatch):
    seen = iter([1.0, 4.0, 1000.0, 1.5, 5.0])
    monkeypatch.setattr("autodl.machine.slowness", lambda: next(seen))
    quiet, busy, stuck, ours = Pace(), Pace(), Pace(), Pace()
    for pace in (quiet, busy, stuck):
        pace.look()
    ours.look(crowd=1.5)  # all of it is the run's own trials
    among_others = Pace()
    among_others.look(crowd=1.5)  # eight programs for two cores will be left when the two trials are gone
    ends = [Budget(100.0, 0.0, pace).finish_s(600, 2) for pace in (quiet, ours, busy)]
    assert ends == sorted(ends) and ends[0] < ends[-1]
    assert stuck.slowdown == MOST_PACE and busy.speed == pytest.approx(0.25) and ours.slowdown == pytest.approx(1.0)
    assert among_others.slowdown == pytest.approx(4.0)
    busy.look()
    assert busy.slowdown == 4.0  # just looked
    monkeypatch.setattr("autodl.machine.slowness", lambda: 2.0)
    busy.looked -= 0.5 * (CLOSELY_S + LOOK_EVERY_S)
    busy.look()
    assert busy.slowdown == 4.0
    end = Budget(100.0, time.time(), busy)
    end.look_closely()  # the end of a run looks again sooner
    assert busy.slowdown == pytest.approx(8.0**0.5)
    Budget(float("inf"), 0.0, busy).look_closely()
    assert busy.slowdown == pytest.approx(8.0**0.5)  # without a clock it plays no part


def test_what_trials_may_take_from_the_reserve_leaves_what_is_needed():
    done = [trial(k, 0.1 * k, 0.1) for k in range(1, 5)]
    needed = budget(60.0).finish_s(600, 2) + 4 * REFIT_MARGIN * 0.1
    kept = Reserve(setup(), budget(60.0), 600)(done)
    # The loop lets running trials use a fifth of the reserve.
    assert 0.8 * kept == pytest.approx(needed, rel=1e-6)
    assert kept - needed <= LENT_SHARE * 60.0


@pytest.mark.usefixtures("strict")
def test_a_full_explanation_is_kept_where_it_is_cheap_and_a_part_of_a_dear_one():
    done = [trial(k, 0.1 * k, 0.1) for k in range(1, 5)]
    asked = []

    def kept(seconds, total=60.0):
        def explained(members):
            asked.append([r.spec.id for r in members])
            return seconds

        return Reserve(setup(), budget(total), 600, explained=explained)(done)

    held = (AFTER_REFITS - AFTER_EXPLANATION) * budget(60.0).finish_s(600, 2)
    without = Reserve(setup(), budget(60.0), 600)(done)
    assert kept(held) == pytest.approx(without)  # there is time for it anyway
    assert kept(held + 1.0) == pytest.approx(without + 1.0)
    assert kept(1_000.0) == pytest.approx(without + EXPLAIN_SHARE * 60.0)
    assert asked[0] == ["t0001", "t0002", "t0003", "t0004"]
    assert kept(1_000.0, total=6.0) <= max(KEPT_SHARE * 6.0, budget(6.0).finish_s(600, 2)) + 1e-9


@pytest.mark.parametrize("total", [10.0, 20.0, 60.0, 600.0])
def test_the_last_charts_may_be_drawn_a_little_after_the_end(total):
    # Writing the page and leaving take a moment too, and all must end within 5 %.
    assert 0 < Budget(total, time.time() - total).charts().left() <= 0.04 * total
    assert Budget(60.0, time.time() - 64.0).charts().passed()
    assert not Budget(float("inf"), 0.0).charts().passed()


def of_a_small_table():
    """What a run of a minute on 333 rows measured: seconds of five folds, rounds kept and trained, of its members."""
    members = [(0.36, 23, 30), (0.70, 61, 64), (0.84, 31, 50), (8.42, 13, 57), (3.49, 19, 19)]
    found = []
    for number, (seconds, best, rounds) in enumerate(members):
        curve = tuple(CurvePoint(step=s + 1, valid=float(abs(s + 1 - best))) for s in range(rounds))
        result = trial(number, 0.1 + 0.01 * number, seconds)
        found.append(
            result.model_copy(update={"curve": curve, "refit": {"rounds": best}, "fold_losses": (result.loss,) * 5})
        )
    return found


@pytest.mark.parametrize("busy", [0.8, 1.0, 1.5, 2.5])
def test_a_minute_on_a_small_table_is_used_up_and_no_more(busy, monkeypatch):
    """Measured on a quiet machine: choosing and testing 0.3 s, refits 1.9 s, the rest 2.2 s; ``busy`` times as long.

    Quick trials fill the time up to the reserve, less what is lent to them.
    """
    moment = time.time()
    monkeypatch.setattr(time, "time", lambda: moment)
    setup_ = setup()
    setup_.growth = lambda n_rows: 333 / 213
    clock = Budget(60.0, moment - 50.0, Pace(busy))
    done = [
        r.model_copy(update={"cost": Cost(fit_s=busy * r.cost.fit_s)})
        for r in of_a_small_table()
        if r.cost is not None
    ]
    kept = Reserve(setup_, clock, 333, likely=lambda finished: [r.spec.id for r in done], explained=lambda _: busy)(
        done
    )
    search_ends = 60.0 - (1 - SMALL_SHARE) * kept
    ends = search_ends + busy * (0.3 + 1.9 + 2.2)
    assert ends < 59.5
    if busy <= 1.0:
        assert ends > 56.0


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [(Limits(), 0.0), (Limits(row_s=0.01), 0.9), (Limits(size_bytes=1e6), 0.9), (Limits(memory_bytes=1e9), 9.0)],
)
def test_time_to_check_limits_is_kept_where_there_are_some(limits, seconds):
    """Three processes of three seconds where memory is limited."""
    setup = SearchSetup(None, None, None, feasibility=Feasibility(limits))
    assert setup.checking_s == pytest.approx(seconds)
