"""Which rows and models a choice looks at, and what follows where rows are very few."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.ensemble import KnownRows, select
from autodl.ensemble.known_rows import OTHERS, copies
from autodl.ensemble.nested import cut_parts
from autodl.ensemble.pool import MAX_ROWS, gather
from autodl.ensemble.threshold import choose_threshold
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


def test_rows_of_several_splits_are_dealt_out_as_single_ones_are() -> None:
    """Else 40 rows of 5 classes in turn would make parts of one class each."""
    y = np.tile(np.arange(40) % 5, 5)
    block = np.tile(np.arange(40), 5)
    part = cut_parts(y, True, block, np.random.default_rng(0))
    for p in np.unique(part):
        assert len(np.unique(y[part == p])) >= 4
    assert all(len(np.unique(part[block == b])) == 1 for b in range(40))


def test_copies_of_rows_do_not_count_as_rows() -> None:
    rng = np.random.default_rng(0)
    y = np.r_[np.ones(6), np.zeros(194)]
    p = np.clip(0.1 + 0.25 * y + 0.1 * rng.normal(size=200), 0, 1)
    assert copies(y, None) == 1
    assert copies(np.tile(y, 5), np.tile(np.arange(200), 5)) == 5
    assert copies(y, np.arange(200) // 7) == 1
    rows = KnownRows(np.tile(y, 5), metrics["f1"], block=np.tile(np.arange(200), 5))
    assert choose_threshold(np.tile(p, 5), rows) == 0.5  # six rows of a class are six rows
    many = KnownRows(np.tile(y, 5), metrics["f1"])
    assert choose_threshold(np.tile(p, 5), many) < 0.5
