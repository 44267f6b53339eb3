"""Allocation and loop on toy families, inline."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from toy_families import make_loop

from autodl.records import Cost, Limits, TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import SUPERNET
from autodl.search.budget import Budget
from autodl.search.feasibility import Feasibility
from autodl.search.loop import LAST_RESORT_S, SearchLoop, SearchState
from autodl.search.naming import trial_names
from autodl.search.runners.inline import InlineRunner
from autodl.search.space import parse_space
from autodl.search.trial import TrialOutcome


def test_order_and_improvement(toys, linear_data):
    loop = make_loop(Budget(float("inf"), time.time()), max_trials=14)
    state = loop.run(InlineRunner(linear_data), SearchState(), threading.Event())
    assert len(state.finished) == 14
    assert [r.spec.origin for r in state.finished[:3]] == ["default", "portfolio", "tpe"]
    assert [r.spec.config["shrink"] for r in state.finished[:2]] == [0.9, 0.5]
    assert state.best().spec.config["shrink"] < 0.3
    assert len({r.spec.id for r in state.finished}) == 14


def test_same_seed_same_trials_and_resume(toys, linear_data):
    def configs(state):
        return [r.spec.config for r in state.finished]

    def run(done, n):
        loop = make_loop(Budget(float("inf"), time.time()), max_trials=n, seed=5)
        return loop.run(InlineRunner(linear_data), SearchState(finished=list(done)), threading.Event())

    whole = run([], 9)
    assert configs(whole) == configs(run([], 9))
    assert configs(whole) == configs(run(run([], 4).finished, 9))  # as if it had never stopped


def test_failing_family_is_given_up_and_the_rest_goes_on(toys, linear_data):
    space = {"params": {"fail": {"type": "choice", "values": [True]}}}
    loop = make_loop(Budget(float("inf"), time.time()), keys=("stubborn", "toy"), max_trials=8)
    loop.allocation.spaces["stubborn"] = parse_space(space)
    state = loop.run(InlineRunner(linear_data), SearchState(), threading.Event())
    failed = [r for r in state.finished if r.status is TrialStatus.FAILED]
    assert {r.spec.family for r in failed} == {"stubborn"}
    assert len(state.finished) == 8
    assert sum(r.ok for r in state.finished) >= 4  # the others are stopped early


def test_failed_children_and_rankings_do_not_end_a_family():
    loop = make_loop(Budget(float("inf"), time.time()))

    def failed(number, **more):
        spec = TrialSpec(id=f"t{number:04d}", family="toy", **more)
        return TrialResult(spec=spec, status=TrialStatus.FAILED, error="x")

    children = [failed(1, parent="t0000"), failed(2, parent="t0000"), failed(3, origin=SUPERNET)]
    assert not loop._broken("toy", children)
    assert not loop._broken("toy", [*children, failed(4)])
    assert loop._broken("toy", [failed(4), *children, failed(5)])


def test_trials_that_the_cluster_lost_are_tried_anew_and_end_no_family(toys, linear_data):
    class Losing(InlineRunner):
        """The first four jobs find no worker."""

        lost = 0

        def wait(self, timeout):
            found = super().wait(timeout)
            for k, outcome in enumerate(found):
                if self.lost < 4:
                    self.lost += 1
                    failed = {"status": TrialStatus.FAILED, "loss": None, "fold_losses": (), "lost": True}
                    found[k] = type(outcome)(outcome.result.model_copy(update=failed))
            return found

    loop = make_loop(Budget(float("inf"), time.time()), max_trials=9)
    state = loop.run(Losing(linear_data), SearchState(), threading.Event())
    assert [r.lost for r in state.finished] == [True] * 4 + [False] * 5
    assert [r.spec.origin for r in state.finished[:6]] == ["default"] * 5 + ["portfolio"]
    assert len({r.spec.id for r in state.finished}) == 9


def test_what_does_not_fit_is_not_started(toys, linear_data):
    slow = {"params": {"sleep": {"type": "float", "low": 1000, "high": 2000}}}
    loop = make_loop(Budget(5.0, time.time()), keys=("stubborn",), space=slow)
    state = loop.run(InlineRunner(linear_data), SearchState(), threading.Event())
    assert state.finished == []
    refused = state.too_slow["stubborn"]
    assert refused.need > 1000 and refused.left <= 5.0


def test_simple_models_are_tried_even_when_time_is_up(linear_data):
    loop = make_loop(Budget(1.0, time.time() - 50), keys=("dummy", "linear", "lightgbm"), space={"params": {}})
    state = loop.run(InlineRunner(linear_data), SearchState(), threading.Event())
    assert [r.spec.family for r in state.finished] == ["dummy", "linear"]
    assert all(r.ok for r in state.finished)


def test_reserve_ends_the_search_early(toys, linear_data):
    began = time.time()
    loop = make_loop(Budget(60.0, began), reserve=59.0)
    loop.run(InlineRunner(linear_data), SearchState(), threading.Event())
    assert time.time() - began < 30


def test_stop_flag(toys, linear_data):
    stop = threading.Event()
    loop = make_loop(Budget(float("inf"), time.time()), listener=lambda event: stop.set())
    state = loop.run(InlineRunner(linear_data), SearchState(), stop)
    assert len(state.finished) <= 2


def test_stubborn_trial_is_left_behind(toys, linear_data):
    import autodl.search.trial as trial
    from autodl.records import TrialSpec

    runner = InlineRunner(linear_data)
    runner.submit(trial.Job(TrialSpec(id="t0001", family="stubborn", config={"sleep": 20.0}), seconds=0.2))
    began = time.monotonic()
    outcomes = []
    while not outcomes:
        outcomes = runner.wait(5.0)
    assert time.monotonic() - began < 10
    assert outcomes[0].result.status is TrialStatus.TIMEOUT
    assert runner.free() == 1
    runner.submit(trial.Job(TrialSpec(id="t0002", family="toy")))
    outcomes = []
    while not outcomes:
        outcomes = runner.wait(5.0)
    assert outcomes[0].result.spec.id == "t0002"
    assert outcomes[0].result.ok


def test_names_count_by_family(toys, linear_data):
    loop = make_loop(Budget(float("inf"), time.time()), max_trials=3)
    state = loop.run(InlineRunner(linear_data), SearchState(), threading.Event())
    names = trial_names([r.spec for r in state.finished])
    assert [names[r.spec.id] for r in state.finished] == ["Toy #1", "Toy #2", "Toy #3"]


def test_cost_model_learns_the_machine(toys, linear_data):
    loop = make_loop(Budget(float("inf"), time.time()), max_trials=3)
    state = loop.run(InlineRunner(linear_data), SearchState(), threading.Event())
    spec = state.finished[0].spec
    measured = [r.cost.fit_s + r.cost.predict_s for r in state.finished]
    learnt = loop.costs.estimate(spec, state.finished)
    assert min(measured) * 0.9 <= learnt <= max(measured) * 1.1
    assert loop.costs.estimate(spec, []) == pytest.approx(0.03)


def test_a_last_resort_has_its_seconds_even_if_its_estimate_says_less(linear_data):
    loop = make_loop(Budget(1.0, time.time() - 50), keys=("dummy",), space={"params": {}})
    spec = loop.allocation.next([], [], lambda s: True)
    assert loop._job(spec, SearchState()).seconds == LAST_RESORT_S


def test_more_columns_keep_more_time_for_the_end():
    budget = Budget(20.0, time.time())
    narrow, wide = budget.finish_s(60, 10), budget.finish_s(60, 5_000)
    assert narrow == pytest.approx(budget.finish_s(60), abs=0.1)
    assert narrow < wide <= 0.5 * budget.total_s
    assert Budget(float("inf"), 0.0).finish_s(60, 5_000) == 0.0


def test_looking_at_the_data_ends_at_a_part_of_the_budget():
    assert Budget(100.0, time.time()).looking().left() == pytest.approx(30.0, abs=2.0)
    assert Budget(100.0, time.time() - 60).looking().left() == pytest.approx(5.0, abs=2.0)
    assert Budget(float("inf"), 0.0).looking().left() == float("inf")


def test_a_tiny_trial_may_use_a_little_of_the_reserve_and_a_long_one_none(toys, linear_data):
    done = TrialResult(spec=TrialSpec(id="t0001", family="linear", config={}, seed=0), status=TrialStatus.OK)
    state = SearchState(finished=[done])

    def loop_at(used: float, sleep: float = 0.0) -> SearchLoop:
        space = {"params": {"sleep": {"type": "float", "low": sleep, "high": sleep + 1e-6}}}
        return make_loop(Budget(200.0, time.time() - used), keys=("toy",), space=space, reserve=70.0)

    def fits(sleep: float, used: float) -> bool:
        loop = loop_at(used, sleep)
        return loop.allocation.next([], [], lambda s: loop._fits(s, state)) is not None

    assert fits(0.0, used=132.0)
    assert not fits(0.0, used=150.0)
    assert not fits(30.0, used=132.0)
    # It has them while it runs, too, and no less than the least that any trial has.
    small = TrialSpec(id="t0002", family="toy")
    assert loop_at(132.0)._job(small, state).seconds > 3.0
    assert loop_at(150.0)._job(small, state).seconds == 0.5


class Full(InlineRunner):
    """Takes so many trials and never ends one."""

    def submit(self, job):
        self.jobs = [*getattr(self, "jobs", []), job]

    def free(self):
        return self._slots - len(self.running())

    def running(self):
        return getattr(self, "jobs", [])


def test_no_worker_idles_while_the_first_trial_runs(toys, linear_data):
    loop, runner = make_loop(Budget(float("inf"), time.time())), Full(linear_data, slots=8)
    loop._fill(runner, SearchState())
    assert [j.spec.origin for j in runner.jobs] == ["default", "portfolio", *["tpe"] * 6]
    configs = [tuple(sorted(j.spec.config.items())) for j in runner.jobs]
    assert len(set(configs)) == 8


def test_under_limits_only_what_keeps_them_is_a_rival_or_an_improvement(toys):
    limited = Feasibility(Limits(size_bytes=100))
    loop = make_loop(Budget(float("inf"), time.time()))
    loop = replace(loop, allocation=replace(loop.allocation, feasibility=limited))

    def done(number, loss, size):
        spec = TrialSpec(id=f"t{number:04d}", family="toy", config={"shrink": number / 10}, origin="default")
        return TrialResult(
            spec=spec, status=TrialStatus.OK, loss=loss, fold_losses=(loss,), cost=Cost(fit_s=0.1, size_bytes=size)
        )

    within = [done(2, 0.5, 90), *(done(number, 0.6, 90) for number in (4, 5, 6))]
    state = SearchState(finished=[done(1, 0.1, 900), *within, done(3, 0.2, 500)])
    job = loop._job(TrialSpec(id="t0007", family="toy", origin="tpe"), state)
    assert job.rivals == ((0.5,), (0.6,), (0.6,), (0.6,))
    assert state.best(limited).spec.id == "t0002" and state.best().spec.id == "t0001"


def test_trials_stopped_between_folds_are_rivals_once_four_are_whole(toys):
    loop = make_loop(Budget(float("inf"), time.time()))

    def done(number, *losses, reached=1.0):
        status = TrialStatus.OK if len(losses) == 3 else TrialStatus.STOPPED
        spec = TrialSpec(id=f"t{number:04d}", family="toy")
        return TrialResult(spec=spec, status=status, loss=losses[0], fold_losses=losses, reached=reached)

    whole = [done(number, 0.1, 0.2, 0.3) for number in (1, 2, 3)]
    early = [done(4, 0.9), done(5, 0.8, reached=0.3), done(6, 0.7, 0.6)]
    asked = TrialSpec(id="t0008", family="toy", origin="tpe")
    assert loop._job(asked, SearchState(finished=[*whole, *early])).rivals == ()
    rivals = loop._job(asked, SearchState(finished=[*whole, *early, done(7, 0.1, 0.2, 0.3)])).rivals
    # Of the fifth, nobody knows the whole loss on the first fold.
    assert sorted(rivals) == [*[(0.1, 0.2, 0.3)] * 4, (0.7, 0.6), (0.9,)]


def test_a_trial_began_when_its_own_work_did(toys, linear_data):
    loop, state = make_loop(Budget(100.0, time.time() - 50.0)), SearchState()
    cost = Cost(fit_s=27.0, cached_s=25.0, predict_s=1.0)
    result = TrialResult(spec=TrialSpec(id="t0001", family="toy"), status=TrialStatus.OK, loss=0.1, cost=cost)
    loop._record(TrialOutcome(result), state, InlineRunner(linear_data))
    assert state.finished[0].finished_s - state.finished[0].started_s == pytest.approx(3.0)


def test_what_is_still_running_at_the_end_is_named(toys, linear_data):
    class Slow(InlineRunner):
        """A worker that never ends what it is given."""

        def __init__(self, data):
            super().__init__(data)
            self.given = []

        def submit(self, job):
            self.given.append(job)

        def running(self):
            return self.given

        def free(self):
            return 1 - len(self.given)

        def wait(self, timeout_s):
            stop.set()
            return []

    stop = threading.Event()
    state = make_loop(Budget(float("inf"), time.time())).run(Slow(linear_data), SearchState(), stop)
    assert not state.finished and len(state.unfinished) == 1
    assert state.unfinished[0].endswith("#1")
