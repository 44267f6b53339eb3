"""What every model family must do with unusual rows, columns and targets; part of ``FAMILY_CHECKS``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.stores import JoinedStore
from autodl.models.base import families
from autodl.records import Modality, Task
from autodl.testing.problems import Problem, easy_problem
from autodl.testing.trained import fitted, kinds, predictions, quick_config

if TYPE_CHECKING:
    from autodl.features import Features


def check_odd_columns(key: str) -> None:
    """Only numbers, only categories, constants, a single column, no column, unseen codes."""
    family = families[key]
    for classes in kinds(family):
        for numeric, categorical in ((3, 0), (2, 1)):
            problem = easy_problem(classes, rows=60, numeric=numeric, categorical=categorical, family=family)
            problem.X.numeric[:, -1] = 1.0
            predictions(fitted(family, problem, brief=True), problem.X_val, problem.meta)
        problem = easy_problem(classes, rows=60, family=family)
        for width in (1, 0):
            X, X_val = (_only_categories(part, width) for part in (problem.X, problem.X_val))
            model = family().build(quick_config(family, brief=True), problem.meta)
            model.fit(X, problem.y, X_val, problem.y_val)
            X_val.categorical[:] = 0
            predictions(model, X_val, problem.meta)


def check_sparse(key: str) -> None:
    """Rows as CSR are accepted if the recipe makes such."""
    family = families[key]
    if family.recipe.text != "tfidf":
        return
    for classes in kinds(family):
        problem = easy_problem(classes, rows=120, sparse=True, family=family)
        predictions(fitted(family, problem), problem.X_val, problem.meta)


def check_missing_numbers(key: str) -> None:
    """NaN is accepted if the recipe does not impute."""
    family = families[key]
    if family.recipe.impute != "none":
        return
    for classes in kinds(family):
        problem = easy_problem(classes, rows=120, family=family)
        problem.X.numeric[::3, 0] = np.nan
        problem.X_val.numeric[::2, 1] = np.nan
        predictions(fitted(family, problem), problem.X_val, problem.meta)


def check_missing_objects(key: str) -> None:
    """Rows without an image are trained on and answered, alone as among others; joined tables make no difference."""
    family = families[key]
    if Modality.TABLE in family.modalities:
        return
    for classes in kinds(family):
        problem = easy_problem(classes, rows=60, family=family)
        gaps, gaps_val = _with_gaps(problem.X), _with_gaps(problem.X_val)
        model = fitted(family, replace(problem, X=gaps, X_val=gaps_val), brief=True)
        out = predictions(model, gaps_val, problem.meta)
        for row in (0, 1):
            alone = predictions(model, gaps_val.take(np.array([row])), problem.meta)
            np.testing.assert_allclose(alone[0], out[row], rtol=1e-4, atol=1e-5)
        media = {name: MediaBatch(JoinedStore([b.store]), b.rows) for name, b in gaps_val.media.items()}
        joined = predictions(model, replace(gaps_val, media=media), problem.meta)
        np.testing.assert_array_equal(joined, out, err_msg="joined tables are answered otherwise")


def _with_gaps(X: Features) -> Features:
    """Without every third object."""
    media = {}
    for name, batch in X.media.items():
        rows = batch.rows.copy()
        rows[::3] = ABSENT
        media[name] = MediaBatch(batch.store, rows)
    return replace(X, media=media)


def check_absent_classes(key: str) -> None:
    """A class without training or validation rows, and training rows of one class only, are no errors."""
    family = families[key]
    if Task.CLASSIFICATION not in family.tasks:
        return
    problem = easy_problem(4, rows=120, family=family)
    for train, valid in (([0, 1, 2, 3], [0, 1, 2]), ([0, 2, 3], [0, 1, 2, 3]), ([1, 2], [0, 3]), ([2], [2])):
        rows, rows_val = np.flatnonzero(np.isin(problem.y, train)), np.flatnonzero(np.isin(problem.y_val, valid))
        part = Problem(
            problem.X.take(rows), problem.y[rows], problem.X_val.take(rows_val), problem.y_val[rows_val], problem.meta
        )
        predictions(fitted(family, part, brief=True), problem.X_val, problem.meta)


def check_tiny(key: str) -> None:
    """Two training rows and one validation row; a constant regression target."""
    family = families[key]
    for classes in kinds(family):
        problem = easy_problem(classes, rows=60, family=family)
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
    return Features(
        empty, X.categorical[:, :width].copy(), X.cardinalities[:width], (), X.categorical_names[:width], X.media
    )
