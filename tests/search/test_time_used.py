"""Searches on a simulated clock: the time is used, not overrun, and no family is given up after one late trial."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from autodl.events import silent
from autodl.models.base import Shape, families
from autodl.records import Cost, FamilyPlan, Recipe, TrialResult, TrialStatus
from autodl.search import budget as budget_module
from autodl.search.allocation import EARLY, Allocation
from autodl.search.budget import AFTER_CHOICE, AFTER_EXPLANATION, AFTER_REFITS, Budget
from autodl.search.costs import CostModel
from autodl.search.feasibility import Feasibility
from autodl.search.loop import SearchLoop, SearchState
from autodl.search.reserve import REFIT_MARGIN, Reserve
from autodl.search.runners.base import Runner
from autodl.search.space import family_space
from autodl.search.strategies.base import strategies
from autodl.search.trial import TrialOutcome

N_FOLDS = 5


class SimulatedRunner(Runner):
    """Trials end on a simulated clock after their true seconds, or at their deadline."""

    def __init__(self, clock, seconds):
        self.clock, self.seconds, self.jobs = clock, seconds, []

    def free(self):
        return 1 - len(self.jobs)

    def submit(self, job):
        self.jobs.append((job, self.clock["now"]))

    def wait(self, timeout):
        if not self.jobs:
            return []
        job, begun = self.jobs[0]
        true = self.seconds(job.spec)
        end = begun + min(true, job.seconds)
        if end > self.clock["now"] + timeout:
            self.clock["now"] += timeout
            return []
        self.clock["now"] = max(end, self.clock["now"])
        self.jobs = []
        cost = Cost(fit_s=self.clock["now"] - begun)
        if true > job.seconds:
            late = TrialResult(spec=job.spec, status=TrialStatus.TIMEOUT, cost=cost, reached=0.6)
            return [TrialOutcome(late)]
        loss = float(np.random.default_rng(len(job.spec.config)).uniform(0.1, 0.5))
        done = TrialResult(
            spec=job.spec, status=TrialStatus.OK, loss=loss, score=-loss, fold_losses=(loss,) * N_FOLDS, cost=cost
        )
        return [TrialOutcome(done)]

    def running(self):
        return [job for job, _ in self.jobs]

    def close(self):
        self.jobs = []


def search(monkeypatch, keys, total, seconds, *, rows=800, reserve=lambda budget, costs: lambda finished: 5.0):
    """The state after a search on the simulated clock, and the clock."""
    clock = {"now": 1000.0}
    monkeypatch.setattr(budget_module.time, "time", lambda: clock["now"])
    costs = CostModel(Shape(rows=rows, numeric=8, categorical=2, levels=9, classes=2, threads=2), N_FOLDS)
    plans = tuple(FamilyPlan(key=k, name=k, why="", est_seconds=1, est_bytes=1, recipe=Recipe()) for k in keys)
    budget = Budget(total, clock["now"])
    loop = SearchLoop(
        allocation=Allocation(
            plans, {k: family_space(k) for k in keys}, strategies["random"](), 0, seconds=costs.estimate
        ),
        costs=costs,
        budget=budget,
        reserve=reserve(budget, costs),
        store=lambda outcome: outcome.result,
        listener=silent,
        scheduler="none",
    )
    state = loop.run(
        SimulatedRunner(clock, lambda spec: seconds(spec, costs.raw(spec))), SearchState(), threading.Event()
    )
    return state, clock["now"] - 1000.0


@pytest.mark.parametrize("slowness", [0.3, 1.0, 4.0])
def test_the_time_is_used_and_not_overrun(monkeypatch, slowness):
    keys = ["dummy", "linear", "lightgbm", "catboost", "forest", "mlp"]

    def seconds(spec, raw):
        family = 1.0 + 0.5 * (keys.index(spec.family) % 3)  # estimates are off by family, too
        return 0.02 + slowness * family * raw

    state, used = search(monkeypatch, keys, 60.0, seconds)
    assert 0.85 * 55.0 <= used <= 57.0
    tried = {r.spec.family for r in state.finished if r.ok}
    assert {"dummy", "linear", "lightgbm"} <= tried
    assert sum(r.status is TrialStatus.TIMEOUT for r in state.finished) <= 2


def test_a_family_whose_first_trial_was_late_is_tried_again_with_something_quicker(monkeypatch):
    space = family_space("mlp")
    first = space.starts()[0]

    def seconds(spec, raw):
        return 500.0 if spec.family == "mlp" and spec.config == first else 0.02 + raw

    state, _ = search(monkeypatch, ["dummy", "linear", "mlp"], 120.0, seconds)
    own = [r for r in state.finished if r.spec.family == "mlp"]
    assert own[0].status is TrialStatus.TIMEOUT
    assert any(r.ok for r in own[1:])


def test_a_run_does_not_end_with_the_guess_while_there_is_time(monkeypatch):
    def seconds(spec, raw):
        return 0.01 if families[spec.family].complexity == 0 else 6.0

    state, used = search(monkeypatch, ["dummy", "lightgbm"], 20.0, seconds, rows=400_000)
    assert any(r.ok and r.spec.family == "lightgbm" for r in state.finished)
    assert used <= 17.0


def test_a_dear_family_waits_for_some_configurations_of_those_that_do_well(monkeypatch):
    keys = ["dummy", "linear", "lightgbm", "catboost", "mlp"]

    def seconds(spec, raw):
        return 0.02 + raw

    state, _ = search(monkeypatch, keys, 300.0, seconds, rows=2_000)
    order = [r.spec.family for r in state.finished]
    before = [r.spec.origin for r in state.finished[: order.index("mlp")]]
    assert 1 <= before.count("portfolio") <= EARLY
    assert set(order[:4]) == set(keys[:4])


@pytest.mark.parametrize(("total", "trial_s"), [(20.0, 0.3), (60.0, 0.48), (60.0, 1.5), (300.0, 6.0)])
def test_quick_models_leave_the_time_for_refits_and_a_full_explanation(monkeypatch, total, trial_s):
    explained_s = 0.02 * total
    ends = []

    def reserve(budget, costs):
        setup = SimpleNamespace(
            costs=lambda: costs, growth=lambda n_rows: 1.25, feasibility=Feasibility(), checking_s=0.0,
            data=SimpleNamespace(schema=SimpleNamespace(columns=("a", "b"))), plan=SimpleNamespace(scout=None),
        )  # fmt: skip
        ends.append(budget.finish_s(1_000, 2))
        return Reserve(setup, budget, 1_000, explained=lambda members: explained_s)

    def seconds(spec, raw):
        return trial_s

    _, used = search(monkeypatch, ["dummy", "linear", "lightgbm", "forest"], total, seconds, reserve=reserve)
    # Four likely members, each trained once on 1.25 times the rows of one of five folds.
    refits = 4 * REFIT_MARGIN * 1.25 * trial_s / N_FOLDS
    end = AFTER_REFITS * ends[0] + (1.0 - AFTER_CHOICE) * ends[0]  # choosing and testing, then all after the refits
    held = (AFTER_REFITS - AFTER_EXPLANATION) * ends[0]
    assert total - used >= end + refits + max(0.0, explained_s - held)
    # What is kept beyond the end of the run and the refits is a few percent of the budget.
    assert total - used <= ends[0] + refits + 0.05 * total + trial_s
