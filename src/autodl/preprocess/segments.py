"""Bent lines for models that add columns up: a number as how far it has come through each of its segments.

Notation: n rows, p columns, k segments of a column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.preprocess.scaling import column_quantiles
from autodl.records.recipe import BENT_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_VALUES = 10
"""Columns with fewer distinct values stay as they are."""


class Segments:
    """Piecewise-linear encoding (Gorishniy et al. 2022, "On embeddings for numerical features").

    A column with quantiles b_0 < ... < b_k becomes k columns clip((x - b_(i-1)) / (b_i - b_(i-1)), 0, 1), the first
    and last clipped two further segments out; a weighted sum of them is a line with bends at the quantiles.

    Args:
        most: k at most; less where all columns together would become more than ``BENT_COLUMNS``.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._edges: list[NDArray[np.float64]] = []

    def fit(self, x: NDArray[np.float64], weight: NDArray[Any] | None = None) -> Segments:
        """Learn the quantiles of (n, p) values without NaN; (n,) weights, all alike if None."""
        self._edges = []
        most = min(self.most, BENT_COLUMNS // max(1, x.shape[1]))
        levels = tuple(np.linspace(0.0, 1.0, most + 1).tolist())
        for column in x.T:
            values = np.unique(column)
            edges = np.unique(column_quantiles(column[:, None], levels, weight)) if len(values) else values
            bent = len(values) >= FEWEST_VALUES and len(edges) >= 3
            self._edges.append(edges if bent else np.empty(0))
        return self

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, sum of k) encoded values; columns of few values are left out."""
        parts = [np.empty((len(x), 0))]
        for column, edges in zip(x.T, self._edges, strict=True):
            if len(edges):
                part = (column[:, None] - edges[:-1]) / np.diff(edges)
                low = np.where(np.arange(part.shape[1]) == 0, -2.0, 0.0)
                high = np.where(np.arange(part.shape[1]) == part.shape[1] - 1, 3.0, 1.0)
                parts.append(np.clip(part, low, high))
        return np.hstack(parts)

    def names(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Names such as ``age:segment 2``."""
        return tuple(
            f"{name}:segment {i + 1}"
            for name, edges in zip(columns, self._edges, strict=True)
            for i in range(max(0, len(edges) - 1))
        )
