"""Every scheduler keeps every rule; the rules tell wrong ones."""

from __future__ import annotations

from typing import ClassVar

import pytest

from autodl.search.schedulers.base import Scheduler, Verdict, schedulers
from autodl.testing.schedulers import RULES, check_scheduler, curve, watched


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
@pytest.mark.parametrize("key", list(schedulers))
def test_every_scheduler_keeps_every_rule(key, rule):
    rule(key)


def test_registry_is_not_empty():
    assert {"none", "median", "asha", "hyperband", "extrapolate"} <= set(schedulers)


@pytest.mark.parametrize("key", sorted(set(schedulers) - {"none"}))
def test_a_hopeless_training_is_stopped(key):
    rivals = [curve(0.1 * i) for i in range(9)]
    assert watched(key, rivals, 50.0, number=0) < 0.5
    assert watched("none", rivals, 50.0) == 1.0


class Eager(Scheduler):
    key: ClassVar[str] = "eager"
    name: ClassVar[str] = "Stops everything"
    paper: ClassVar[str] = ""

    def decide(self, steps, rivals):
        return Verdict.STOP if steps and rivals else Verdict.CONTINUE

    def moments(self, number):
        return (0.5,)

    def during(self, curve, moment, rivals):
        return Verdict.STOP


def test_the_battery_finds_a_scheduler_that_stops_the_best(monkeypatch):
    monkeypatch.setitem(schedulers._entries, "eager", Eager)
    with pytest.raises(AssertionError, match="the best training was stopped"):
        check_scheduler("eager")
