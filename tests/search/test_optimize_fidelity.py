"""Objectives that take a fidelity."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from optimize_problems import SPACE, curve

from autodl.search import optimize, parse_space
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation
from autodl.search.ledger import Ledger
from autodl.search.strategies.auto import Auto


class TestFidelity:
    @pytest.mark.parametrize("scheduler", ["none", "median", "asha", "hyperband", None])
    def test_the_sum_of_all_calls_stays_within_the_total(self, scheduler):
        asked = []

        def loss(config, epochs):
            asked.append(epochs)
            return curve(config, epochs)

        result = optimize(
            loss, SPACE, strategy="random" if scheduler else "auto", scheduler=scheduler, fidelity=(1, 27),
            max_fidelity_total=27 * 6,
        )  # fmt: skip
        assert sum(asked) <= 27 * 6
        assert result.spent == sum(asked)
        assert all(isinstance(e, int) and 1 <= e <= 27 for e in asked)
        assert 27 in asked
        full = [e for e in result.history if e.fidelity == 27]
        assert result.best_loss == min(e.loss for e in full)
        if scheduler not in ("none", "median"):
            assert len({e.trial for e in result.history}) > 6

    def test_resumable_objectives_pay_the_difference(self):
        kwargs = {"strategy": "random", "scheduler": "asha", "fidelity": (1, 27), "max_fidelity_total": 27 * 6}
        anew = optimize(curve, SPACE, **kwargs)
        going_on = optimize(curve, SPACE, resumable=True, **kwargs)
        assert len(going_on.history) > len(anew.history)
        per_trial = {}
        for e in going_on.history:
            per_trial[e.trial] = max(e.fidelity, per_trial.get(e.trial, 0))
        assert going_on.spent == sum(per_trial.values())

    @pytest.mark.slow
    def test_auto_with_fidelity_beats_random_search_at_equal_cost(self):
        kwargs = {"fidelity": (1, 27), "max_fidelity_total": 27 * 12}
        auto = [optimize(curve, SPACE, seed=s, **kwargs).best_loss for s in range(3)]
        random = [optimize(curve, SPACE, strategy="random", seed=s, **kwargs).best_loss for s in range(12)]
        assert np.mean(auto) < np.median(random)

    @pytest.mark.slow
    def test_auto_begins_with_little_only_where_means_are_scarce(self):
        scarce = optimize(curve, SPACE, fidelity=(1, 27), max_fidelity_total=27 * 5)
        ample = optimize(curve, SPACE, fidelity=(1, 27), max_fidelity_total=27 * 20)
        assert scarce.history[0].fidelity == 1
        assert max(e.fidelity for e in scarce.history) == 27
        assert {e.fidelity for e in ample.history} == {27}

    @pytest.mark.parametrize("scheduler", ["asha", "hyperband"])
    @pytest.mark.parametrize("workers", [1, 3])
    def test_a_search_that_tried_everything_takes_the_best_to_the_top(self, scheduler, workers):
        result = optimize(
            lambda c, epochs: abs(c["a"] - 7) + 1 / epochs, {"a": {"type": "int", "low": 1, "high": 20}},
            strategy="grid", scheduler=scheduler, fidelity=(1, 27), max_evals=200, workers=workers,
        )  # fmt: skip
        calls = Counter(e.fidelity for e in result.history)
        assert calls[1] == 20 and calls[3] >= 6 and calls[9] >= 2 and calls[27] >= 1
        assert result.best_config == {"a": 7}
        assert result.ended == "the strategy has nothing more to try"

    @pytest.mark.parametrize(
        ("strategy", "evals", "workers"),
        [("bohb", 20, 1), ("bohb", 20, 3), ("auto", 12, 1), ("pbt", 4, 1), ("auto", 1, 1)],
    )
    def test_the_last_call_is_in_full_if_none_was(self, strategy, evals, workers):
        result = optimize(curve, SPACE, strategy=strategy, fidelity=(1, 81), max_evals=evals, workers=workers)
        *before, last = result.history
        assert len(before) == evals - 1 and max((e.fidelity for e in before), default=0) < 81
        assert last.fidelity == 81
        reached = {e.trial: (-e.fidelity, e.loss) for e in before}
        assert all(reached[last.trial] <= other for other in reached.values())

    def test_what_is_spent_and_what_is_exhausted_are_told_apart(self):
        search = {"strategy": "grid", "scheduler": "none", "fidelity": (1, 9)}
        few = {"a": {"type": "choice", "values": [1, 2]}}
        ended = [optimize(lambda c, f: c["a"], few, max_fidelity_total=t, **search).ended for t in (30, 26)]
        assert ended == ["the strategy has nothing more to try", "the fidelity is spent"]

    def test_bohb_brings_its_own_scheduler(self):
        result = optimize(curve, SPACE, strategy="bohb", fidelity=(1, 9), max_fidelity_total=90)
        assert {e.fidelity for e in result.history} == {1, 3, 9}


def test_a_small_space_of_which_nothing_can_go_on_is_left():
    def shallow(config, epochs):
        if epochs > 1:
            raise ValueError
        return 0.0

    result = optimize(shallow, {"a": {"type": "choice", "values": [1, 2, 3]}}, fidelity=(1, 9), max_evals=20)
    assert [e.status for e in result.history] == ["ok"] * 3 + ["failed"] * 3


@pytest.mark.parametrize(
    ("goes_on", "total", "last", "first"),
    [
        ("own", 9 * 19, Observation({}, "stopped", 1.0, 3.0, curve=((1.0, 2.0), (3.0, 1.0))), 1.0),
        ("none", 9 * 20, Observation({}, "failed", fidelity=9.0), 9.0),
        ("none", 9 * 20, Observation({}, "running", fidelity=9.0), 9.0),
    ],
)
def test_auto_keeps_to_its_choice_whatever_is_paid_and_fails(goes_on, total, last, first):
    """Twenty full fidelities are enough for full evaluations alone; that holds from the first to the last one."""
    space, fidelity = parse_space(SPACE), Fidelity(1, 9, whole=True, goes_on=goes_on)
    rng = np.random.default_rng(0)
    for count in (0, 5, 15):
        history = [replace(last, config=space.sample(rng)) for _ in range(count)]
        paid = sum(o.fidelity for o in history)
        step = Auto(0).step(space, history, fidelity, total - paid, rng)
        assert step.fidelity == first or step.trial is not None  # none begins with another one


def test_the_best_is_of_the_highest_fidelity():
    ledger = Ledger(top=9.0)
    from autodl.search.calling import Answer

    space = parse_space(SPACE)
    for config, fidelity, loss in ((space.complete({"x": 1}), 1.0, 0.1), (space.complete({}), 9.0, 0.5)):
        ledger.end(ledger.begin(config, fidelity, None).number, Answer((loss,)))
    assert ledger.best().loss == 0.5
