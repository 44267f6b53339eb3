"""Training in rounds: all steps where there is time, and none that would end after the deadline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, TweedieRegressor
from told_time import Clock, ToldDeadline

from autodl.clock import NEVER
from autodl.features import Features
from autodl.models import linear
from autodl.models._rounds import rounds
from autodl.models.base import Meta, families
from autodl.records import Task


def trained(first: int, most: int, seconds: float, a_step: float) -> tuple[list[int], float]:
    """The rounds, and when the last one ended."""
    clock = Clock()
    found = []
    for steps in rounds(first, most, ToldDeadline(seconds, clock), clock):
        found.append(steps)
        clock.now += steps * a_step
    return found, clock.now


def test_without_a_deadline_rounds_double_up_to_the_last_step() -> None:
    assert list(rounds(5, 300, NEVER)) == [5, 10, 20, 40, 80, 145]


@pytest.mark.parametrize("seconds", [6.0, 35.5, 36.0, 60.0, 100.0, 299.0])
def test_no_round_ends_after_the_deadline_and_little_time_is_left(seconds: float) -> None:
    found, end = trained(5, 300, seconds, 1.0)
    assert 0.7 * seconds <= end <= seconds
    assert sum(found) <= 300 and min(found) >= 1


def test_the_first_round_runs_whatever_it_takes() -> None:
    assert trained(5, 300, 2.0, 1.0) == ([5], 5.0)


@pytest.mark.parametrize(
    ("task", "kind", "config"),
    [
        (Task.CLASSIFICATION, LogisticRegression, {"penalty": "l1", "C": 5.0}),
        (Task.REGRESSION, TweedieRegressor, {"objective": "poisson"}),
    ],
)
def test_a_linear_model_ends_in_time_and_says_so(
    task: Task, kind: type, config: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One second a pass over the rows: doubled rounds would end after 75 seconds."""
    clock, plain_fit = Clock(), kind.fit

    def fit(self: Any, *args: object, **more: object) -> Any:
        clock.now += self.max_iter
        plain_fit(self, *args, **more)
        self.n_iter_ = np.array([self.max_iter])  # never settled
        return self

    monkeypatch.setattr(kind, "fit", fit)
    monkeypatch.setattr(linear, "rounds", lambda first, most, deadline: rounds(first, most, deadline, clock))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 5)).astype(np.float32)
    family = families["linear"]()
    rows = Features(x, np.empty((60, 0), np.int32))
    model = family.build(family.config(**config), Meta(task, 3 if task is Task.CLASSIFICATION else 0))
    model.fit(rows, np.arange(60) % 3, deadline=ToldDeadline(50.0, clock))
    assert 35 < clock.now <= 50 and model.cut_short
    assert len(model.predict(rows)) == 60
    model.fit(rows, np.arange(60) % 3, deadline=ToldDeadline(1e9, clock))
    assert not model.cut_short
