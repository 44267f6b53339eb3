"""What every model family must do with unusual rows, columns and targets; part of ``FAMILY_CHECKS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autodl.models.base import families
from autodl.records import Task
from autodl.testing.problems import Problem, easy_problem
from autodl.testing.trained import fitted, kinds, predictions, quick_config

if TYPE_CHECKING:
    from autodl.features import Features


def check_odd_columns(key: str) -> None:
    """Only numbers, only categories, constants, a single column, no column, unseen codes."""
    family = families[key]
    for classes in kinds(family):
        for numeric, categorical in ((3, 0), (2, 1)):
            problem = easy_problem(classes, rows=60, numeric=numeric, categorical=categorical)
            problem.X.numeric[:, -1] = 1.0
            predictions(fitted(family, problem), problem.X_val, problem.meta)
        problem = easy_problem(classes, rows=60)
        for width in (1, 0):
            X, X_val = (_only_categories(part, width) for part in (problem.X, problem.X_val))
            model = family().build(quick_config(family), problem.meta)
            model.fit(X, problem.y, X_val, problem.y_val)
            X_val.categorical[:] = 0
            predictions(model, X_val, problem.meta)


def check_sparse(key: str) -> None:
    """Rows as CSR are accepted if the recipe makes such."""
    family = families[key]
    if family.recipe.text != "tfidf":
        return
    for classes in kinds(family):
        problem = easy_problem(classes, rows=120, sparse=True)
        predictions(fitted(family, problem), problem.X_val, problem.meta)


def check_missing_numbers(key: str) -> None:
    """NaN is accepted if the recipe does not impute."""
    family = families[key]
    if family.recipe.impute != "none":
        return
    for classes in kinds(family):
        problem = easy_problem(classes, rows=120)
        problem.X.numeric[::3, 0] = np.nan
        problem.X_val.numeric[::2, 1] = np.nan
        predictions(fitted(family, problem), problem.X_val, problem.meta)


def check_absent_classes(key: str) -> None:
    """A class without training or validation rows, and training rows of one class only, are no errors."""
    family = families[key]
    if Task.CLASSIFICATION not in family.tasks:
        return
    problem = easy_problem(4, rows=120)
    for train, valid in (([0, 1, 2, 3], [0, 1, 2]), ([0, 2, 3], [0, 1, 2, 3]), ([1, 2], [0, 3]), ([2], [2])):
        rows, rows_val = np.flatnonzero(np.isin(problem.y, train)), np.flatnonzero(np.isin(problem.y_val, valid))
        part = Problem(
            problem.X.take(rows), problem.y[rows], problem.X_val.take(rows_val), problem.y_val[rows_val], problem.meta
        )
        predictions(fitted(family, part), problem.X_val, problem.meta)


def check_tiny(key: str) -> None:
    """Two training rows and one validation row; a constant regression target."""
    family = families[key]
    for classes in kinds(family):
        problem = easy_problem(classes, rows=60)
        first = 0
        other = int(np.flatnonzero(problem.y != problem.y[first])[0])
        rows = np.array([first, other])
        one = np.array([0])
        part = Problem(
            problem.X.take(rows), problem.y[rows], problem.X_val.take(one), problem.y_val[one], problem.meta
        )
        predictions(fitted(family, part), problem.X_val, problem.meta)
        if classes == 0:
            same = Problem(problem.X, np.full(60, 3.0), problem.X_val, np.full(len(problem.y_val), 3.0), problem.meta)
            out = predictions(fitted(family, same), problem.X_val, problem.meta)
            np.testing.assert_allclose(out, 3.0, atol=0.5, err_msg="a constant target is not learnt")


def _only_categories(X: Features, width: int) -> Features:
    from autodl.features import Features

    empty = np.empty((len(X), 0), dtype=np.float32)
    return Features(empty, X.categorical[:, :width].copy(), X.cardinalities[:width], (), X.categorical_names[:width])
