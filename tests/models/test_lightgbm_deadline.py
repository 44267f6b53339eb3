"""Training leaves the time that the answers of its trees take."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from autodl.clock import Deadline
from autodl.features import Features
from autodl.models.base import Meta, families
from autodl.models.lightgbm import _usual_rounds, tree_answer_seconds
from autodl.records import Task
from autodl.testing import easy_problem


@dataclass(frozen=True)
class Rounds(Deadline):
    """A clock on which every look takes a hundredth of a second, starting with one second."""

    looks: tuple[list[int], ...] = ()

    def left(self) -> float:
        self.looks[0][0] += 1
        return max(0.0, 1.0 - 0.01 * self.looks[0][0])


def rounds_and_looks(classes: int, answers: int | None) -> tuple[int, int]:
    """Rounds trained where so many rows will be predicted in the same time, and how often the clock was looked at."""
    problem = easy_problem(classes, rows=400)
    family = families["lightgbm"]
    config = family.config(n_estimators=500, learning_rate=1e-3, patience=500, num_leaves=8)
    model = family().build(config, replace(problem.meta, threads=1))
    clock = Rounds(looks=([0],))
    model.answers = answers
    model.fit(problem.X, problem.y, problem.X_val, problem.y_val, deadline=clock)
    assert model.refit["n_estimators"] == model.curve[-1].step  # the slowly falling loss is lowest at the end
    return int(model.curve[-1].step), clock.looks[0][0]


@pytest.mark.parametrize("classes", [2, 4])
def test_training_ends_where_the_rest_is_needed_to_predict(classes: int) -> None:
    for answers in (None, 100, 40_000):
        behind = (classes if classes > 2 else 1) * tree_answer_seconds(8, answers or 0)
        rounds, looks = rounds_and_looks(classes, answers)
        assert 1 - 0.01 * looks <= behind * rounds
        assert 1 - 0.01 * (looks - 1) > behind * (rounds - 1)
        assert (rounds > 90) == (answers != 40_000)


@pytest.mark.parametrize(("rounds", "cut"), [(500, True), (50, False)])
def test_a_booster_that_the_clock_ended_says_so(rounds: int, cut: bool) -> None:
    problem = easy_problem(0, rows=100)
    family = families["lightgbm"]
    model = family().build(family.config(n_estimators=rounds, num_leaves=4), replace(problem.meta, threads=1))
    model.fit(problem.X, problem.y, deadline=Rounds(looks=([0],)))
    assert model.cut_short is cut


def test_deeper_trees_and_more_rows_take_longer() -> None:
    assert tree_answer_seconds(8, 1000) < tree_answer_seconds(128, 1000) < tree_answer_seconds(128, 5000)
    # 26,000 trees of 8 leaves on 3,200 rows took between four and six seconds.
    assert 4 < 26_000 * tree_answer_seconds(8, 3200) < 7


@pytest.mark.parametrize(("rows", "classes"), [(400, 2), (400, 0), (6_000, 2), (6_000, 8)])
def test_predicted_rounds_are_near_those_of_early_stopping(rows: int, classes: int) -> None:
    """Within a factor of three, where predictions that do not look at the rows are five times too low."""
    family, rate = families["lightgbm"], 0.2
    config = family.config(learning_rate=rate)
    rng = np.random.default_rng(rows + classes)
    X = rng.normal(size=(rows, 8))
    straight, waves = rng.normal(size=(2, 4, max(2, classes)))
    score = X[:, :4] @ straight + 2.0 * np.sin(2.0 * X[:, 4:]) @ waves
    noisy = score + 0.5 * rng.normal(size=score.shape)
    y = noisy.argmax(axis=1) if classes else noisy[:, 0]
    task = Task.CLASSIFICATION if classes else Task.REGRESSION
    cut = int(0.8 * rows)
    model = family().build(config, Meta(task, classes, seed=0, threads=1))
    train, valid = (
        Features(part.astype(np.float32), np.empty((len(part), 0), np.int32)) for part in (X[:cut], X[cut:])
    )
    model.fit(train, y[:cut], valid, y[cut:])
    predicted = _usual_rounds(config, classes > 0, cut)
    assert predicted / 3 < model.curve[-1].step < 3 * predicted
