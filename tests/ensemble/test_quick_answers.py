"""Quick cuts: what they learn from rare classes."""

from __future__ import annotations

import numpy as np

from autodl.ensemble import KnownRows, choose_threshold
from autodl.ensemble.quick_answers import MAX_ROWS, quick_cut
from autodl.evaluate.base import metrics


def test_a_cut_for_a_rare_class_is_learnt_from_all_its_rows() -> None:
    """300 of 60,000 rows are positive: of every twelfth row 25 would be, and here none, for they stand between."""
    rng = np.random.default_rng(0)
    n = 60_000
    even = np.linspace(0, n - 1, MAX_ROWS).astype(np.int64)
    between = np.setdiff1d(np.arange(n), even)
    y = np.zeros(n, dtype=np.int64)
    y[rng.choice(between, size=300, replace=False)] = 1
    p = np.clip(np.where(y == 1, 0.3, 0.02) + 0.02 * rng.normal(size=n), 0.001, 0.999)
    cut, _ = quick_cut(np.column_stack([1 - p, p]), KnownRows(y, metrics["f1"]))
    assert 0.08 < cut < 0.4


def test_the_final_cut_counts_and_keeps_the_rare_rows_before_it_draws_a_sample() -> None:
    """40 of 90,000 rows: a sample of 30,000 would hold about 13, too few for any cut."""
    rng = np.random.default_rng(0)
    y = np.zeros(90_000, dtype=np.int64)
    y[rng.choice(90_000, size=40, replace=False)] = 1
    p = np.clip(np.where(y == 1, 0.3, 0.02) + 0.02 * rng.normal(size=90_000), 0.001, 0.999)
    assert 0.08 < choose_threshold(p, KnownRows(y, metrics["f1"])) < 0.28
