"""Time kept for the end of a run."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from autodl.models.base import Shape
from autodl.records import Cost, Limits, TrialResult, TrialSpec, TrialStatus
from autodl.search.budget import MOST_PACE, Budget, Pace
from autodl.search.costs import CostModel
from autodl.search.feasibility import Feasibility
from autodl.search.reserve import KEPT_SHARE, REFIT_MARGIN, REFIT_SHARE, Reserve, affordable


def trial(number, loss, seconds):
    spec = TrialSpec(id=f"t{number:04d}", family="lightgbm", config={"num_leaves": number + 2})
    return TrialResult(spec=spec, status=TrialStatus.OK, loss=loss, fold_losses=(loss,), cost=Cost(fit_s=seconds))


def setup():
    """What ``Reserve`` reads of a set-up: five folds of a small table, refits as long as a fold."""
    return SimpleNamespace(
        costs=lambda: CostModel(Shape(rows=500, numeric=4), 1),
        growth=lambda n_rows: 1.0,
        feasibility=Feasibility(Limits()),
        data=SimpleNamespace(schema=SimpleNamespace(columns=("a", "b"))),
        plan=SimpleNamespace(workers=1, threads=2, scout=None),
    )


def budget(total=100.0, used=0.0):
    return Budget(total, time.time() - used)


def test_a_refit_that_cannot_fit_keeps_no_time_from_the_search():
    assert affordable([50.0, 3.0, 4.0], most=10.0) == 7.0
    assert affordable([], most=10.0) == 0.0
    end = budget().finish_s(600, 2)
    assert Reserve(setup(), budget(), 600)([trial(1, 0.1, 80.0)]) == pytest.approx(end)
    kept = Reserve(setup(), budget(), 600)([trial(1, 0.1, 80.0), trial(2, 0.2, 5.0)])
    assert kept == pytest.approx(end + REFIT_MARGIN * 5.0)


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
    seen = iter([1.0, 4.0, 1000.0, 4.0])
    monkeypatch.setattr("autodl.machine.slowness", lambda: next(seen))
    quiet, busy, stuck, ours = Pace(), Pace(), Pace(), Pace()
    for pace in (quiet, busy, stuck):
        pace.look()
    ours.look(crowd=2.0)  # half of it is the run's own trials
    ends = [Budget(100.0, 0.0, pace).finish_s(600, 2) for pace in (quiet, ours, busy)]
    assert ends == sorted(ends) and ends[0] < ends[-1]
    assert stuck.slowdown == MOST_PACE and busy.speed == pytest.approx(0.25) and ours.slowdown == pytest.approx(2.0)
    busy.look()
    assert busy.slowdown == 4.0  # just looked
