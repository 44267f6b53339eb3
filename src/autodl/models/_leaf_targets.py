"""What lies in the leaves of a forest: the targets that quantiles are read from (Meinshausen 2006).

A leaf keeps a few of its training targets instead of all: over hundreds of trees that is a large sample of the same
distribution, and a model file stays small. Notation: n rows, T trees, S targets kept a leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH_CELLS = 4_000_000
"""Targets gathered at once when predicting."""


def leaf_targets(
    leaves: NDArray[Any], y: NDArray[Any], weight: NDArray[Any], n_nodes: int, size: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """(n_nodes, S) targets of each leaf, evenly spread over its sorted targets from a random start; NaN elsewhere.

    The random start makes each of them a fair draw: the same even places in each leaf would lie too close together.

    Args:
        leaves: (n,) node in which each row ends. y: (n,) targets. weight: (n,) positive weights.
        n_nodes: Of the tree. size: S.
        rng: Of the starts.
    """
    order = np.lexsort((y, leaves))
    mass = np.cumsum(weight[order])
    found, first = np.unique(leaves[order], return_index=True)
    last = np.append(first[1:], len(leaves)) - 1
    before = mass[first] - weight[order][first]
    share = (rng.random(len(found))[:, None] + np.arange(size)) / size
    places = np.searchsorted(mass, before[:, None] + share * (mass[last] - before)[:, None], side="right")
    out = np.full((n_nodes, size), np.nan, dtype=np.float32)
    out[found] = y[order][np.clip(places, first[:, None], last[:, None])]
    return out


def leaf_quantiles(
    leaves: NDArray[Any], kept: Sequence[NDArray[np.float32]], levels: Sequence[float]
) -> NDArray[np.float64]:
    """(n, Q) quantiles of the targets in the leaves that each row reaches, every tree with the same say.

    Args:
        leaves: (n, T) leaf of each row in each tree. kept: T arrays of ``leaf_targets``.
        levels: Q levels.
    """
    step = max(1, BATCH_CELLS // max(1, sum(k.shape[1] for k in kept)))
    parts = []
    for start in range(0, len(leaves), step):
        rows = leaves[start : start + step]
        drawn = np.concatenate([k[rows[:, t]] for t, k in enumerate(kept)], axis=1)
        parts.append(np.quantile(drawn, levels, axis=1, method="hazen").T)
    return np.concatenate(parts).astype(np.float64) if parts else np.empty((0, len(levels)))
