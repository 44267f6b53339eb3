"""Jobs for runners, and their outcomes."""

from __future__ import annotations

import time

from autodl.records import TrialSpec
from autodl.search.runners.base import Runner
from autodl.search.trial import Job, TrialOutcome


def job(number: int, family: str = "faulty", seconds: float = 60.0, **config: str | float) -> Job:
    return Job(TrialSpec(id=f"t{number:04d}", family=family, config=dict(config), seed=1), seconds=seconds)


def outcome_of(runner: Runner, work: Job) -> TrialOutcome:
    """Submit when there is room, and wait for the outcome."""
    until = time.monotonic() + 120
    while runner.free() == 0 and time.monotonic() < until:
        time.sleep(0.05)
    runner.submit(work)
    found: list[TrialOutcome] = []
    while not found and time.monotonic() < until:
        found = runner.wait(1.0)
    (outcome,) = found
    assert outcome.result.spec.id == work.spec.id
    return outcome
