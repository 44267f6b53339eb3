"""Which rows and models a choice looks at, and what follows where rows are very few."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.ensemble import select
from autodl.ensemble.pool import MAX_ROWS, OTHERS, gather
from autodl.evaluate.base import metrics
from autodl.records import TrialResult, TrialSpec, TrialStatus


@pytest.mark.parametrize(("rare", "all_kept"), [(0.004, True), (0.3, False)])
def test_a_sample_of_many_rows_holds_enough_of_the_rare_class(rare: float, all_kept: bool) -> None:
    rng = np.random.default_rng(0)
    y = (rng.random(60_000) < rare).astype(float)
    p = np.column_stack([1 - 0.5 * y, 0.5 * y]).astype(np.float32)
    pool = gather({"a": p}, y, metrics["roc_auc"], 2, {"a": "a"}, rng, 10)
    assert (len(pool.y) == 60_000) == all_kept
    assert pool.y.sum() >= min(OTHERS, y.sum())
    assert all_kept or len(pool.y) == MAX_ROWS
    many = gather(
        {str(k): p for k in range(40)}, y, metrics["roc_auc"], 2, dict.fromkeys(map(str, range(40)), "a"), rng, 40
    )
    assert len(many.y) <= 50_000  # the work is limited all the same


@pytest.mark.parametrize("n", [2, 12, 29, 40])
def test_intervals_are_moved_however_few_rows_there_are(n: int) -> None:
    rng = np.random.default_rng(n)
    y = rng.normal(size=n)
    narrow = np.tile([-0.1, 0.1], (n, 1))
    levels = metrics["pinball@0.1,0.9"]
    trial = TrialResult(spec=TrialSpec(id="a", family="a"), status=TrialStatus.OK, loss=0.0)
    got = select([trial], {"a": narrow}, y, levels, seed=0, answers=True)
    if n == 2:
        assert got.calibration is None
        return
    assert got.calibration is not None
    low, high = got.calibration.coefficients
    assert low < 0 < high
    held = np.mean((y >= narrow[:, 0] + low) & (y <= narrow[:, 1] + high))
    assert held >= 0.8
