"""Parts of the training rows: trials on few rows show early which configurations are worth all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10
"""Parts of equal size by which numeric targets are spread."""


def part_of_rows(rows: NDArray[np.int_], y: NDArray[Any], share: float, seed: int, classes: bool) -> NDArray[np.int_]:
    """A random part with every class (or tenth of the values) in its share; of two shares, the smaller lies within.

    Args:
        rows: (n,) positions of training rows.
        y: (n,) their targets.
        share: Above 0; 1 gives all.
        seed: Seed of the choice.
        classes: Whether targets are class codes.

    Returns:
        About ``share * n`` of the positions in their order, at least one of each class.
    """
    if share >= 1.0:
        return rows
    if classes:
        stratum = y
    else:
        stratum = (np.argsort(np.argsort(y, kind="stable"), kind="stable") * BINS) // max(1, len(y))
    shuffled = np.random.default_rng([seed, len(rows)]).permutation(len(rows))
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]  # by stratum, at random within
    _, first, counts = np.unique(stratum[order], return_index=True, return_counts=True)
    rank = np.arange(len(rows)) - np.repeat(first, counts)
    chosen = order[(rank + 0.5 <= share * np.repeat(counts, counts)) | (rank == 0)]
    part: NDArray[np.int_] = rows[np.sort(chosen)]
    return part
