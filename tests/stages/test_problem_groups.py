"""Which test rows were drawn together: those of a group, or of a stretch of time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from autodl.records import Validation
from autodl.stages.problem import FEWEST_STRETCHES, TEST_STRETCHES, Problem

DAYS = np.arange(400)
FRAME = pd.DataFrame({"day": DAYS // 2, "site": DAYS % 7, "year": DAYS // 60, "month": DAYS // 40})


def problem(apart: bool, **split: Any) -> Problem:
    """With the last 200 rows to test on, or as many of a file of their own."""
    plan = SimpleNamespace(validation=Validation(n_folds=3, test_size=0.0 if apart else 0.5, **split))
    dataset: Any = SimpleNamespace(frame=FRAME)
    test: Any = SimpleNamespace(frame=FRAME.iloc[200:]) if apart else dataset
    rows: Any = SimpleNamespace(test=np.arange(200, 400))
    setup: Any = SimpleNamespace(plan=plan)
    return Problem(setup, dataset, test, rows, delivery=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("apart", [False, True])
def test_rows_after_one_another_are_drawn_in_stretches_of_time(apart: bool) -> None:
    found = problem(apart, kind="time", time_column="day")
    groups = found.test_groups
    assert found.test_stretches and groups is not None
    assert np.unique(groups, return_counts=True)[1].tolist() == [200 // TEST_STRETCHES] * TEST_STRETCHES
    assert (np.diff(groups) >= 0).all()


@pytest.mark.parametrize("apart", [False, True])
def test_a_few_times_do_not_tell_how_times_differ(apart: bool) -> None:
    """Four late years are taken for one stretch, so that rows tell of these years; five months are stretches."""
    years = problem(apart, kind="time", time_column="year")
    assert years.test_stretches and years.test_groups is not None and set(years.test_groups) == {0}
    months = problem(apart, kind="time", time_column="month").test_groups
    assert months is not None and len(np.unique(months)) == FEWEST_STRETCHES


@pytest.mark.parametrize("apart", [False, True])
def test_groups_stay_groups_and_other_rows_stand_for_themselves(apart: bool) -> None:
    grouped = problem(apart, kind="group", group_column="site")
    assert grouped.test_groups is not None and len(np.unique(grouped.test_groups)) == 7
    assert not grouped.test_stretches
    alone = problem(apart, kind="stratified")
    assert alone.test_groups is None and not alone.test_stretches
