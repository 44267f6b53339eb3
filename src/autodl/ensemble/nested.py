"""The loss that a way of combining models has on rows that it was not fitted on.

Notation: n rows, K classes, G parts of the rows. Weights come from G - 1 parts and predict the other one; a
calibration is learnt on such predictions, again on G - 1 parts for the other one. All ways are judged on the same
parts, so that their differences are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import Deadline
from autodl.ensemble.calibration import Kind, calibrated, fit_calibration
from autodl.ensemble.pool import Pool
from autodl.ensemble.ways import Way
from autodl.evaluate.base import Metric
from autodl.evaluate.influence import influence, standard_error

Array = NDArray[Any]
PARTS = 5
SMALL = 10
"""Blocks of which at least so many make a part can be dealt out at random, as single rows are."""
FEW_BLOCKS = 10
PROOF_SE = 2.0
"""What replaces a greedy selection must have a smaller held-out loss by so many standard errors of the difference."""


@dataclass(frozen=True)
class Judged:
    """A way, with or without calibration, on held-out rows.

    Attributes:
        way: What was judged. calibration: Its kind; None without.
        held_out: (n, K) or (n,) predictions before the calibration. loss: Their loss after it.
        phi: (n,) influence of the rows on the score, weights of the rows included; None if the metric has none.
        by_part: (G,) losses of the parts, where there is no influence.
        block: (n,) see ``Pool``.
    """

    way: Way
    calibration: Kind | None
    held_out: Array
    loss: float
    phi: Array | None
    by_part: Array
    block: Array | None = None

    def worse(self, other: Judged) -> tuple[float, float]:
        """By how much this loss exceeds the other's, and the standard error of that difference."""
        gap = self.loss - other.loss
        if self.phi is not None and other.phi is not None:
            return gap, noise(self.phi - other.phi, self.block)
        return gap, float(np.std(self.by_part - other.by_part, ddof=1) / np.sqrt(len(self.by_part)))


def noise(phi: Array, block: Array | None) -> float:
    """Standard error of a difference of scores with these (n,) influences, (n,) blocks of rows counting as one each.

    A few blocks tell little of how much they differ: two of the same gap would leave no noise at all. Then it is at
    least that of the rows.
    """
    se = standard_error(phi, block)
    few = block is not None and len(np.unique(block)) < FEW_BLOCKS
    return max(se, standard_error(phi)) if few else se


def parts(pool: Pool, rng: np.random.Generator, n_parts: int = PARTS) -> Array:
    """(n,) number of the part of each row: whole blocks where there are any, otherwise random."""
    return cut_parts(pool.y, bool(pool.n_classes), pool.block, rng, n_parts)


def cut_parts(y: Array, classes: bool, block: Array | None, rng: np.random.Generator, n_parts: int = PARTS) -> Array:
    """(n,) parts of rows with (n,) targets: whole blocks where there are any, otherwise as ``random_parts``."""
    if block is not None:
        _, first, place, sizes = np.unique(block, return_index=True, return_inverse=True, return_counts=True)
        alike = sizes.min() == sizes.max() or SMALL * n_parts * sizes.max() <= len(y)
        if len(sizes) > 1 and alike and (y == y[first][place]).all():
            # As where each row stands once for each of several splits.
            return random_parts(y[first], classes, rng, n_parts)[place]
        if len(sizes) > 1:
            return whole_blocks(sizes, n_parts)[place]
    return random_parts(y, classes, rng, n_parts)


def random_parts(y: Array, classes: bool, rng: np.random.Generator, n_parts: int = PARTS) -> Array:
    """(n,) parts of the rows; where the (n,) targets are classes, each part has an equal share of them."""
    order = rng.permutation(len(y))
    if classes:
        order = order[np.argsort(y[order], kind="stable")]
    part = np.empty(len(order), dtype=np.int64)
    part[order] = np.arange(len(order)) % n_parts
    return part


def whole_blocks(sizes: Array, n_parts: int) -> Array:
    """(B,) part of each block, the largest first into the part with the fewest rows.

    Args:
        sizes: (B,) rows of the blocks. n_parts: Parts at most.
    """
    part, filled = np.zeros(len(sizes), dtype=np.int64), np.zeros(min(n_parts, len(sizes)))
    for b in np.argsort(-sizes, kind="stable"):
        part[b] = np.argmin(filled)
        filled[part[b]] += sizes[b]
    return part


def judge(pool: Pool, way: Way, part: Array, learning: Sequence[Pool], deadline: Deadline) -> Judged | None:
    """The way on held-out rows; None if the time would not suffice.

    Args:
        pool: All rows. way: What is judged.
        part: (n,) part of each row. learning: For each part the pool of all other rows.
        deadline: When this must be done; the first part tells how long the others take.
    """
    held_out = np.empty(pool.predictions.shape[1:])
    for g, others in enumerate(learning):
        before = deadline.left()
        if not before > 0:
            return None
        rows = np.flatnonzero(part == g)
        weights = way.fit(others, deadline)
        used = np.flatnonzero(weights)
        few = replace(pool.only(used), predictions=pool.predictions[used][:, rows])
        held_out[rows] = few.blend(weights[used], way.pooling)
        # The same for the other parts, once more for all rows, and some air.
        if before < np.inf and deadline.left() < (before - deadline.left()) * (len(learning) - g):
            return None
    return judged(pool, way, None, held_out, part)


def judge_calibration(pool: Pool, plain: Judged, kind: Kind, part: Array, metric: Metric | None = None) -> Judged:
    """The same way with a calibration, which rows of other parts have taught.

    Args:
        pool: All rows. plain: The way without it. kind: Of the calibration. part: (n,) part of each row.
        metric: By which it is judged; the pool's if None.
    """
    moved = np.empty_like(plain.held_out)
    for g in np.unique(part):
        rows, others = part == g, part != g
        weight = None if pool.weight is None else pool.weight[others]
        learnt = fit_calibration(kind, plain.held_out[others], pool.y[others], pool.metric, weight)
        moved[rows] = calibrated(learnt, plain.held_out[rows])
    found = judged(replace(pool, metric=metric or pool.metric), plain.way, kind, moved, part)
    return replace(found, held_out=plain.held_out)


def judged(pool: Pool, way: Way, kind: Kind | None, held_out: Array, part: Array) -> Judged:
    """Held-out predictions with their losses."""
    phi = influence(pool.metric, pool.y, held_out, pool.n_classes, pool.weight)
    losses = [] if phi is not None else [_loss(pool, held_out, part == g) for g in np.unique(part)]
    return Judged(way, kind, held_out, pool.loss(held_out), phi, np.array(losses), pool.block)


def _loss(pool: Pool, prediction: Array, rows: Array) -> float:
    weight = None if pool.weight is None else pool.weight[rows]
    return pool.metric.loss(pool.y[rows], prediction[rows], pool.n_classes, weight)
