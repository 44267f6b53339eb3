"""The candidates of an ensemble side by side on the rows where all of them predict.

Notation: m candidates, n rows, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.ensemble.known_rows import rows_for_others
from autodl.ensemble.objective import BlendLoss, blend_loss, picking_loss
from autodl.ensemble.pooling import pooled
from autodl.evaluate.base import Metric
from autodl.records.ensemble import Pooling

Array = NDArray[Any]
MAX_CANDIDATES = 25
"""Models considered, the best by loss; the best of each family is always one more."""
MAX_ROWS = 15_000
MAX_CELLS = 4_000_000
"""Prediction values (m x n x K) looked at while choosing; rows are sampled above it."""


@dataclass(frozen=True)
class Pool:
    """Candidates sorted by loss, best first.

    Attributes:
        ids: (m,) trials. families: (m,) their families.
        losses: (m,) on these rows.
        predictions: (m, n, K) or (m, n).
        y: (n,) targets.
        metric: To be optimized. n_classes: K; 0 for regression.
        weight: (n,) weights of the rows; None if all count alike.
        block: (n,) rows of the same number are judged together; None if each stands for itself.
    """

    ids: tuple[str, ...]
    families: tuple[str, ...]
    losses: Array
    predictions: Array
    y: Array
    metric: Metric
    n_classes: int
    weight: Array | None = None
    block: Array | None = None

    def part(self, rows: Array) -> Pool:
        """The same candidates in the same order on some of the rows, with their losses there."""
        weight = None if self.weight is None else self.weight[rows]
        block = None if self.block is None else self.block[rows]
        part = replace(self, predictions=self.predictions[:, rows], y=self.y[rows], weight=weight, block=block)
        return replace(part, losses=np.array([part.loss(wide(p)) for p in part.predictions]))

    def only(self, chosen: Array) -> Pool:
        """Some of the candidates.

        Args:
            chosen: Their places, ascending.
        """
        return replace(
            self,
            ids=tuple(self.ids[i] for i in chosen),
            families=tuple(self.families[i] for i in chosen),
            losses=self.losses[chosen],
            predictions=self.predictions[chosen],
        )

    def loss(self, prediction: Array) -> float:
        """Loss of (n, K) or (n,) predictions for these rows."""
        return self.metric.loss(self.y, prediction, self.n_classes, self.weight)

    def picking_loss(self, prediction: Array) -> float:
        """Loss of (n, K) or (n,) predictions by which members are chosen."""
        return picking_loss(self.metric, prediction, self.y, self.n_classes, self.weight)

    def blend(self, weights: Array, pooling: Pooling = "mean") -> Array:
        """(n, K) or (n,) combination with (m,) weights."""
        return pooled(((float(weights[i]), self.predictions[i]) for i in np.flatnonzero(weights)), pooling)

    def objective(self) -> BlendLoss:
        """Losses of many blends at once."""
        return blend_loss(self.metric, self.predictions, self.y, self.n_classes, self.weight)


def gather(
    predictions: Mapping[str, Array],
    y: Array,
    metric: Metric,
    n_classes: int,
    families: Mapping[str, str],
    rng: np.random.Generator,
    most: int,
    weight: Array | None = None,
    block: Array | None = None,
) -> Pool:
    """The candidates: the best by loss, and the best of each family.

    Args:
        predictions: Trial id -> (n, K) or (n,); rows that are not finite are left out.
        y: (n,) targets. metric: To be optimized. n_classes: K; 0 for regression.
        families: Trial id -> family, of all that may be candidates.
        rng: Draws rows where there are too many.
        most: Candidates at most, besides the best of each family.
        weight: (n,) weights of the rows; rows of weight 0 are left out.
        block: (n,) see ``Pool``.

    Raises:
        ValueError: If there is no candidate with predictions, or no row common to all.
    """
    present = {i: np.isfinite(predictions[i]).reshape(len(y), -1).all(axis=1) for i in families}
    present = {i: rows for i, rows in present.items() if rows.any()}
    if not present:
        raise ValueError("no model has out-of-fold predictions")
    # A model that covers far fewer rows than the best covered would shrink the common ground for all.
    widest = max(int(rows.sum()) for rows in present.values())
    ids = [i for i, rows in present.items() if rows.sum() >= 0.9 * widest]
    common = np.logical_and.reduce([present[i] for i in ids])
    if weight is not None:
        common &= np.asarray(weight) > 0
    if not common.any():
        raise ValueError("no row has out-of-fold predictions of all models")
    rows = np.flatnonzero(common)

    def losses(rows: Array, ids: list[str]) -> dict[str, float]:
        w = None if weight is None else weight[rows]
        return {i: metric.loss(np.asarray(y)[rows], wide(predictions[i][rows]), n_classes, w) for i in ids}

    loss = losses(rows, ids)
    ranked = sorted((i for i in ids if np.isfinite(loss[i])), key=lambda i: (loss[i], i)) or ids[:1]
    first = {families[i]: i for i in reversed(ranked)}
    chosen = [i for n, i in enumerate(ranked) if n < most or first[families[i]] == i]
    counts = np.bincount(np.asarray(y)[rows].astype(np.int64), minlength=n_classes).tolist() if n_classes else ()
    limit = most_rows(counts, len(chosen))
    if len(rows) > limit:
        rows = np.sort(rng.choice(rows, size=limit, replace=False))
        loss = losses(rows, chosen)
        chosen.sort(key=lambda i: (loss[i], i))
    kind = np.float32 if n_classes else np.float64
    return Pool(
        ids=tuple(chosen),
        families=tuple(families[i] for i in chosen),
        losses=np.array([loss[i] for i in chosen]),
        predictions=np.stack([np.asarray(predictions[i][rows], dtype=kind) for i in chosen]),
        y=np.asarray(y)[rows],
        metric=metric,
        n_classes=n_classes,
        weight=None if weight is None else np.asarray(weight, dtype=np.float64)[rows],
        block=None if block is None else np.asarray(block)[rows],
    )


def most_rows(counts: Sequence[int], candidates: int = MAX_CANDIDATES) -> int:
    """Rows that so many candidates are looked at on, at most.

    Args:
        counts: Rows of each class; empty for regression. candidates: How many.
    """
    wanted = max(MAX_ROWS, rows_for_others(counts)) if counts else MAX_ROWS
    return max(2_000, min(wanted, MAX_CELLS // (candidates * max(1, len(counts)))))


def wide(prediction: Array) -> Array:
    """As float64 like the blends: metrics clip by the precision of the type, and would favour float32."""
    return np.asarray(prediction, dtype=np.float64)
