"""Rows with known answers, by which predictions that have not seen them are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.evaluate.base import Metric

Array = NDArray[Any]

OTHERS = 500
"""Rows outside the largest class that a sample holds if there are so many: they decide on scores and cuts."""


MOST_ROWS = 500_000
"""That are looked at for their sake."""


def rows_with_others(y: Array) -> int:
    """How many random rows of (n,) codes hold ``OTHERS`` rows outside the largest class, ``MOST_ROWS`` at most."""
    return rows_for_others(np.bincount(y.astype(np.int64)).tolist())


def rows_for_others(counts: Sequence[int]) -> int:
    """The same for the numbers of rows of the classes."""
    n = sum(counts)
    others = n - max(counts)
    return min(MOST_ROWS, n if others <= OTHERS else round(n * OTHERS / others))


def copies(y: Array, block: Array | None) -> int:
    """How often each row stands among (n,) rows with these (n,) blocks: more than once where splits were repeated."""
    if block is None or not len(y):
        return 1
    _, first, place, sizes = np.unique(block, return_index=True, return_inverse=True, return_counts=True)
    alike = sizes.min() == sizes.max() and bool((y == y[first][place]).all())
    return int(sizes[0]) if alike else 1


@dataclass(frozen=True)
class KnownRows:
    """What cuts, factors and shifts are learnt from and judged by; the predictions for the rows go beside it.

    Attributes:
        y: (n,) targets: class codes or values.
        metric: To be optimized.
        weight: (n,) how much each row counts; all alike if None.
        block: (n,) rows of the same number, such as a group, are never on both sides of a judgement; each for itself
            if None.
        seed: Of random halves and samples.
        deadline: Nothing more is tried after it.
    """

    y: Array
    metric: Metric
    weight: Array | None = None
    block: Array | None = None
    seed: int = 0
    deadline: Deadline = NEVER

    def __len__(self) -> int:
        return len(self.y)

    def only(self, rows: Array) -> KnownRows:
        """Those of a mask or of positions, in that order."""
        return replace(
            self,
            y=self.y[rows],
            weight=None if self.weight is None else self.weight[rows],
            block=None if self.block is None else self.block[rows],
        )

    def coded(self) -> KnownRows:
        """With class codes as whole numbers, as ``np.bincount`` wants them."""
        return replace(self, y=np.asarray(self.y).astype(np.int64))

    def loss(self, prediction: Array, n_classes: int) -> float:
        """Of (n, K) probabilities or certain answers, or (n, Q) quantiles, for which ``n_classes`` is 0."""
        return self.metric.loss(self.y, prediction, n_classes, self.weight)
