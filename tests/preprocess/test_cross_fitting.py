"""Features made of targets do not tell a training row its own, nor those of its group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from autodl.preprocess import Preparer
from autodl.preprocess.cross_fitting import PARTS, crossed_parts
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task
from autodl.search.prepared import PreparedFolds
from autodl.search.trial import TrialData

PATIENTS, NOTES = 80, 6


def notes() -> tuple[TableSchema, pd.DataFrame, np.ndarray, np.ndarray]:
    """Several rows for each patient, with words and a name that only this one has, and a random answer of each."""
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(PATIENTS), NOTES)
    frame = pd.DataFrame(
        {
            "note": [" ".join(f"w{p}x{k}" for k in rng.integers(0, 4, 8)) for p in patient],
            "name": [f"p{p}" for p in patient],
        }
    )
    kinds = {"note": ColumnKind.TEXT, "name": ColumnKind.CATEGORICAL}
    columns = (ColumnInfo(name=n, kind=k, n=len(frame), n_missing=0, n_unique=PATIENTS) for n, k in kinds.items())
    y = np.repeat(rng.permutation(np.arange(PATIENTS) % 2), NOTES)
    return TableSchema(columns=tuple(columns)), frame, y, patient


RECIPE = Recipe(categories="target", text="svd", text_components=2, text_pieces=False, text_statistics=False)


def told(schema: TableSchema, frame: pd.DataFrame, y: np.ndarray, groups: np.ndarray | None) -> dict[str, float]:
    """How well the columns made of targets tell the training rows' own, by name."""
    rows = Preparer(RECIPE, schema, Task.CLASSIFICATION).fit_transform(frame, y, groups=groups)
    values = dict(zip(rows.numeric_names, rows.dense().T, strict=True))
    return {name: roc_auc_score(y, values[name]) for name in ("name:mean target", "note:score")}


def test_other_rows_of_the_group_tell_nothing() -> None:
    schema, frame, y, patient = notes()
    assert min(told(schema, frame, y, None).values()) > 0.95
    assert max(told(schema, frame, y, patient).values()) < 0.6


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_groups_stay_whole_and_every_row_is_encoded_once(task: Task) -> None:
    rng = np.random.default_rng(0)
    groups = rng.choice([3, 8, 9, 40, 41, 57, 99], 300, p=[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    y = rng.integers(0, 3, 300) if task is Task.CLASSIFICATION else rng.normal(size=300)
    parts = crossed_parts(y, task, 0, groups)
    assert len(parts) == PARTS
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(300))
    for train, test in parts:
        assert not set(groups[train]) & set(groups[test])
        assert len(train) + len(test) == 300


def test_fewer_groups_make_fewer_parts_and_a_single_one_none() -> None:
    y = np.arange(20) % 2
    assert len(crossed_parts(y, Task.CLASSIFICATION, 0, np.arange(20) // 10)) == 2
    alone, usual = (crossed_parts(y, Task.CLASSIFICATION, 0, g) for g in (np.zeros(20, dtype=int), None))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(alone, usual, strict=True))


def test_folds_of_the_search_know_the_groups_but_take_no_stretch_of_time_for_one() -> None:
    schema, frame, y, patient = notes()
    rows = np.arange(len(y))
    folds = ((rows[60:], rows[:60]),)
    data = TrialData(frame, y, frame[:0], folds, schema, Task.CLASSIFICATION, 2, "log_loss", blocks=patient)
    grouped, by_time = (PreparedFolds(d).get(RECIPE, 0).train for d in (data, replace(data, by_time=True)))
    for found, groups in ((grouped, patient[60:]), (by_time, None)):
        expected = Preparer(RECIPE, schema, Task.CLASSIFICATION).fit_transform(frame.iloc[60:], y[60:], groups=groups)
        np.testing.assert_allclose(found.dense(), expected.dense(), rtol=1e-5)
    assert not np.allclose(grouped.dense(), by_time.dense())


def test_columns_made_of_targets_are_made_of_what_models_learn() -> None:
    """A single huge value does not decide the mean of its name where models learn logarithms."""
    schema, frame, _, patient = notes()
    y = np.exp(patient % 8).astype(float)
    y[0] = 1e9
    rows, large = np.arange(len(y)), 7 * NOTES  # the first row of a name with e^7
    recipe = RECIPE.model_copy(update={"target": "log"})
    data = TrialData(
        frame.drop(columns="note"), y, frame[:0], ((rows, rows),), schema.only(["name"]), Task.REGRESSION, 0, "rmsle"
    )
    folds = PreparedFolds(data)
    raw, bent = (folds.get(r, 0).valid.dense()[:, 0] for r in (RECIPE, recipe))
    assert raw[0] > raw[large] and bent[0] < bent[large]
    # Another unit alone makes no other columns.
    assert folds.get(recipe.model_copy(update={"target": "standard"}), 0) is folds.get(RECIPE, 0)
