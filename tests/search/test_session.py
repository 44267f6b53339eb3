"""What a plan becomes: the runner and the collaborators of its search."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest
from toy_families import TOY, family_plan

from autodl.events import silent
from autodl.models.base import Shape
from autodl.records import Cost, TrialResult, TrialSpec, TrialStatus
from autodl.search import session
from autodl.search.budget import Budget
from autodl.search.runners.inline import InlineRunner
from autodl.search.session import run_search
from autodl.search.setup import SearchSetup


def set_up(data, *, max_trials=None, scout=None):
    family = family_plan("toy").model_copy(update={"space": TOY})
    plan = SimpleNamespace(
        families=(family,), strategy="random", seed=0, scheduler="none", nas="joint", scout=scout,
        runner="process", workers=2, threads=1,
    )  # fmt: skip
    return SearchSetup(plan, data, Shape(rows=40, numeric=3), max_trials=max_trials)


def done(number):
    spec = TrialSpec(id=f"t{number:04d}", family="toy", config={"shrink": 0.9, "sleep": 0.0}, origin="default")
    losses = (0.5,) * 3
    return TrialResult(spec=spec, status=TrialStatus.OK, loss=0.5, fold_losses=losses, cost=Cost(fit_s=0.1))


@pytest.fixture
def searched(toys, linear_data, monkeypatch):
    """Searches; also says how many runners with workers were made."""
    made = []

    def make_runner(*args, resumed):
        made.append(resumed)
        return InlineRunner(linear_data)

    monkeypatch.setattr(session, "make_runner", make_runner)

    def search(total_s, known=(), *, age_s=0.0, resumed=True, **more):
        budget = Budget(total_s, time.time() - age_s)
        setup = set_up(linear_data, **more)
        state = run_search(
            setup, budget, known, lambda o: o.result, silent, threading.Event(), n_rows=90, resumed=resumed
        )
        return len(state.finished), len(made)

    return search


def test_workers_are_not_started_where_an_earlier_run_has_used_up_the_time(searched):
    assert searched(600.0, [done(1)], age_s=590.0) == (1, 0)
    assert searched(600.0, [], age_s=599.0)[1] == 1  # there is no model yet
    assert searched(600.0, [done(1)], age_s=590.0, resumed=False)[1] == 2


def test_workers_are_not_started_where_all_trials_were_made(searched):
    assert searched(float("inf"), [done(1), done(2)], max_trials=2) == (2, 0)
    assert searched(float("inf"), [done(1), done(2)], max_trials=3) == (3, 1)


def test_promotions_keep_to_the_ranges_of_the_plan_and_the_memory_of_a_trial(searched, monkeypatch):
    given = []
    monkeypatch.setattr(session, "Promotions", lambda *args: given.append(args))
    searched(float("inf"), [done(1)], max_trials=1, scout=0.1)
    *_, allowed, spaces = given[0]
    assert allowed > 0
    assert spaces["toy"].params["shrink"].high == TOY["params"]["shrink"]["high"]
