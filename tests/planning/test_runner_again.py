"""Where a resumed run goes on: with what this machine has and the budget allows now."""

from __future__ import annotations

import pytest

from autodl.machine import Machine
from autodl.options import FitOptions
from autodl.planning.runner import choose_runner, runner_again
from autodl.records import Plan

MEMORY = 256 * 2**30
FEW, MANY = Machine(4, MEMORY), Machine(64, MEMORY)
SHORT, HOUR = FitOptions(time_budget_s=15.0), FitOptions(time_budget_s=3600.0)
COUNTED = FitOptions(time_budget_s=None, max_trials=5)


def again(
    before: FitOptions, began: Machine, now: FitOptions, machine: Machine, evidence: bool = True
) -> tuple[str, int, int]:
    runner, workers, threads, computing = choose_runner(before, began)
    computing = computing if evidence else computing.model_copy(update={"evidence": {"threads": threads}})
    plan = Plan.model_construct(runner=runner, workers=workers, threads=threads, families=(), decisions=(computing,))
    found = runner_again(plan, before, now, machine)
    (told,) = found.decisions
    assert told.choice.endswith(f"{found.threads} thread{'s' if found.threads > 1 else ''} each")
    return found.runner, found.workers, found.threads


@pytest.mark.parametrize(
    ("before", "began", "now", "machine", "expected"),
    [
        (HOUR, MANY, HOUR, FEW, ("ray", 4, 1)),
        (HOUR, FEW, HOUR, MANY, ("ray", 32, 2)),
        (SHORT, FEW, HOUR, FEW, ("ray", 4, 1)),
        (COUNTED, FEW, HOUR, FEW, ("ray", 4, 1)),
        (HOUR, FEW, FitOptions(time_budget_s=7200.0), FEW, ("ray", 4, 1)),
    ],
)
def test_a_resumed_run_uses_the_machine_and_the_budget_that_it_has_now(
    before: FitOptions, began: Machine, now: FitOptions, machine: Machine, expected: tuple[str, int, int]
) -> None:
    assert again(before, began, now, machine) == expected


def test_without_a_clock_the_plan_stays_unless_other_workers_are_asked_for() -> None:
    assert again(COUNTED, MANY, COUNTED, FEW) == ("inline", 1, 64)
    assert again(COUNTED, MANY, COUNTED.model_copy(update={"workers": 2}), FEW) == ("process", 2, 2)


def test_workers_that_were_asked_for_stay_while_the_cores_do() -> None:
    two = HOUR.model_copy(update={"workers": 2})
    assert again(two, MANY, FitOptions(time_budget_s=60.0), MANY) == ("process", 2, 32)
    assert again(two, MANY, HOUR, FEW) == ("ray", 4, 1)
    assert again(two, MANY, two, FEW) == ("ray", 2, 2)


def test_a_plan_that_does_not_tell_its_cores_stays() -> None:
    assert again(HOUR, MANY, HOUR, FEW, evidence=False) == ("ray", 32, 2)
