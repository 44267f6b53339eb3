"""Few rows of many columns: the model of their coordinates is the model of the columns."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from autodl.features import Features
from autodl.models._rotation import rotated
from autodl.models.base import Meta, families
from autodl.records import Task


def rows(n: int = 30, p: int = 400) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, p)).astype(np.float32)


def features(matrix: np.ndarray) -> Features:
    return Features(matrix, np.empty((len(matrix), 0), np.int32))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_are_those_of_plain_logistic_regression(classes: int, *, weighted: bool) -> None:
    x = rows()
    y = np.arange(30) % classes
    weight = np.random.default_rng(1).uniform(0.2, 2, 30) if weighted else None
    family = families["linear"]()
    model = family.build(family.config(C=0.01), Meta(Task.CLASSIFICATION, classes))
    model.fit(features(x), y, sample_weight=weight)
    plain = LogisticRegression(C=0.01, tol=1e-10, max_iter=5000).fit(x.astype(np.float64), y, sample_weight=weight)
    new = rows(50)
    np.testing.assert_allclose(model.predict_proba(features(new)), plain.predict_proba(new), atol=2e-3)


def test_numbers_are_those_of_plain_ridge() -> None:
    x, y = rows(), np.random.default_rng(2).normal(size=30)
    family = families["linear"]()
    model = family.build(family.config(C=0.1), Meta(Task.REGRESSION))
    model.fit(features(x), y)
    scaled = (y - y.mean()) / y.std()
    plain = Ridge(alpha=10.0).fit(x.astype(np.float64), scaled)
    new = rows(20)
    np.testing.assert_allclose(model.predict(features(new)), plain.predict(new) * y.std() + y.mean(), atol=1e-4)


def test_rows_that_repeat_or_are_zero() -> None:
    twice = np.vstack([rows(5, 90)] * 2).astype(np.float64)
    found = rotated(twice)
    assert found is not None
    assert found[0].shape == (10, 5)
    np.testing.assert_allclose(found[0] @ found[1], twice, atol=1e-6)
    assert rotated(np.zeros((4, 50))) is None
    assert rotated(rows(30, 40)) is None, "nothing to save"
