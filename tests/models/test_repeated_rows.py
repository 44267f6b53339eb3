"""A weight that is a whole number means the same as the row repeated so often, for every family that promises it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autodl.models.base import families
from autodl.testing.problems import easy_problem
from autodl.testing.trained import predictions

EXACT = [
    ("dummy", {}, (0, 2, 4), "rmse"),
    ("dummy", {}, (0,), "mae"),
    ("linear", {}, (0, 2, 4), "rmse"),
    ("linear", {"penalty": "l1", "C": 0.05}, (0, 2), "rmse"),
    ("linear", {"penalty": "elasticnet", "C": 0.05}, (0,), "rmse"),
    ("svm", {}, (0,), "rmse"),
    ("svm", {"kernel": "poly", "C": 0.1}, (0,), "rmse"),
]
"""The others promise less: they draw rows or thresholds (forests, networks), count rows in leaves (boosting) or
neighbours, or cut rows into folds of their own (the support vector classifier's probabilities)."""


@pytest.mark.parametrize(("key", "config", "tasks", "metric"), EXACT)
def test_a_weight_is_a_number_of_repetitions(key: str, config: dict, tasks: tuple[int, ...], metric: str) -> None:
    for classes in tasks:
        problem = easy_problem(classes, rows=80)
        weight = np.random.default_rng(1).integers(1, 4, len(problem.y)).astype(float)
        meta = replace(problem.meta, metric=metric)
        rows = np.repeat(np.arange(len(problem.y)), weight.astype(int))
        weighted, repeated = (families[key]().build(families[key].config(**config), meta) for _ in range(2))
        weighted.fit(problem.X, problem.y, sample_weight=weight)
        repeated.fit(problem.X.take(rows), problem.y[rows])
        expected = predictions(repeated, problem.X_val, meta)
        spread = float(np.std(expected)) or 1.0
        np.testing.assert_allclose(
            predictions(weighted, problem.X_val, meta), expected, rtol=0, atol=2e-3 * max(spread, 0.1)
        )
