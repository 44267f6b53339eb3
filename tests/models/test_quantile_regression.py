"""Linear quantiles: how wide their smoothing is, and that they cover what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from autodl.features import Features
from autodl.models._quantile_regression import crowding
from autodl.models.base import Meta, families
from autodl.records import Task

LEVELS = (0.1, 0.5, 0.9)
WORDS = 30


def texts(rows: int, terms: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Rows of the length that term weights have, and targets of which the terms tell half."""
    rng = np.random.default_rng(0)
    columns = (terms * rng.random((rows, WORDS)) ** 2).astype(int).ravel()
    values = np.full(rows * WORDS, 3.0 / math.sqrt(WORDS), dtype=np.float32)
    matrix = sparse.csr_matrix((values, (np.repeat(np.arange(rows), WORDS), columns)), shape=(rows, terms))
    signal = matrix @ rng.normal(size=terms)
    return matrix, signal / signal.std() + rng.normal(size=rows)


@pytest.mark.parametrize("C", [0.001, 0.02, 0.3])
def test_quantiles_of_texts_cover_as_many_new_rows_as_they_say(C: float) -> None:
    """A smoothing for ten times as many columns as rows would make 90 % cover 98 %."""
    matrix, y = texts(2_800, 8_000)
    rows = Features(matrix, np.empty((len(y), 0), np.int32))
    family = families["linear"]
    model = family().build(family.config(C=C, max_iter=100), Meta(Task.REGRESSION, quantiles=LEVELS))
    model.fit(rows.take(np.arange(800)), y[:800])
    answers = model.predict_quantiles(rows.take(np.arange(800, 2_800)))
    covered = np.mean(y[800:, None] <= answers, axis=0)
    np.testing.assert_allclose(covered, LEVELS, atol=0.04)


def test_few_columns_count_as_they_are_and_many_as_far_as_the_penalty_leaves_them_free() -> None:
    rng = np.random.default_rng(0)
    few, weight = rng.normal(size=(400, 8)), np.ones(400)
    assert crowding(few, weight, 1.0 / 400) == pytest.approx(8 / 400, rel=0.03)
    many, _ = texts(400, 20_000)
    crowded = [crowding(many, weight, 1.0 / (400 * C)) for C in (1e-4, 0.01, 1.0, 1e3)]
    assert crowded == sorted(crowded) and crowded[0] < 0.01 and crowded[-1] == 10.0
    assert crowding(many.toarray(), weight, 0.01) == pytest.approx(crowding(many, weight, 0.01))
