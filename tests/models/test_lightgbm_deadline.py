"""Training leaves the time that the answers of its trees take."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from autodl.clock import Deadline
from autodl.models.base import families
from autodl.models.lightgbm import tree_answer_seconds
from autodl.testing import easy_problem


@dataclass(frozen=True)
class Rounds(Deadline):
    """A clock on which every look takes a hundredth of a second, starting with one second."""

    looks: tuple[list[int], ...] = ()

    def left(self) -> float:
        self.looks[0][0] += 1
        return max(0.0, 1.0 - 0.01 * self.looks[0][0])


def rounds_and_looks(classes: int, copies: int) -> tuple[int, int]:
    """Rounds trained with the validation rows that many times, and how often the clock was looked at."""
    problem = easy_problem(classes, rows=400)
    many = np.tile(np.arange(len(problem.y_val)), copies)
    family = families["lightgbm"]
    config = family.config(n_estimators=500, learning_rate=1e-3, patience=500, num_leaves=8)
    model = family().build(config, replace(problem.meta, threads=1))
    clock = Rounds(looks=([0],))
    model.fit(problem.X, problem.y, problem.X_val.take(many), problem.y_val[many], deadline=clock)
    assert model.refit["n_estimators"] == model.curve[-1].step  # the slowly falling loss is lowest at the end
    return int(model.curve[-1].step), clock.looks[0][0]


@pytest.mark.parametrize("classes", [2, 4])
def test_training_ends_where_the_rest_is_needed_to_predict(classes: int) -> None:
    n_val = len(easy_problem(classes, rows=400).y_val)
    for copies in (1, 200):
        behind = (classes if classes > 2 else 1) * tree_answer_seconds(8, 2 * n_val * copies)
        rounds, looks = rounds_and_looks(classes, copies)
        assert 1 - 0.01 * looks <= behind * rounds
        assert 1 - 0.01 * (looks - 1) > behind * (rounds - 1)
        assert (rounds > 90) == (copies == 1)


def test_deeper_trees_and_more_rows_take_longer() -> None:
    assert tree_answer_seconds(8, 1000) < tree_answer_seconds(128, 1000) < tree_answer_seconds(128, 5000)
    # 26,000 trees of 8 leaves on 3,200 rows took between four and six seconds.
    assert 4 < 26_000 * tree_answer_seconds(8, 3200) < 7
