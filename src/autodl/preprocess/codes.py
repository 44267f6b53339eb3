"""Categories as integer codes. Notation: n rows, q columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

RARE = "(rare)"
"""Name of the group of rare categories."""


class CategoryCoder:
    """Numbers the categories of each column in sorted order from 1; 0 is missing or never seen in training.

    Args:
        columns: Names of object columns of ``str`` and ``None``.
        rare: Categories with a smaller share of the training rows share one code, the last.
    """

    def __init__(self, columns: tuple[str, ...], rare: float = 0.0) -> None:
        self.columns, self.rare = columns, rare
        self._known: list[pd.Index] = []
        self._codes: list[NDArray[np.int32]] = []
        self.labels: list[list[str]] = []
        """Category names of each column; label ``labels[j][c - 1]`` has code ``c``."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Codes of column j lie in ``[0, cardinalities[j])``."""
        return tuple(len(labels) + 1 for labels in self.labels)

    def fit(self, frame: pd.DataFrame, weight: NDArray[Any] | None = None) -> CategoryCoder:
        """Learn the categories of the training rows; (n,) weights decide what is rare, all alike if None."""
        import pandas as pd

        self._known, self._codes, self.labels = [], [], []
        for column in self.columns:
            counts = _mass(frame[column], weight)
            total = len(frame) if weight is None else float(np.sum(weight))
            # Sums of weights are not exact: a category of exactly the least share is kept.
            frequent = counts.to_numpy() >= self.rare * total * (1.0 - 1e-12)
            known = pd.Index(counts.index.to_numpy(dtype=object), dtype=object)
            codes = np.cumsum(frequent).astype(np.int32)
            codes[~frequent] = int(frequent.sum()) + 1
            self._known.append(known)
            self._codes.append(np.concatenate([codes, np.zeros(1, dtype=np.int32)]))
            self.labels.append([*map(str, known[frequent]), *([RARE] if not frequent.all() else [])])
        return self

    def transform(self, frame: pd.DataFrame) -> NDArray[np.int32]:
        """(n, q) codes."""
        import pandas as pd

        out = np.empty((len(frame), len(self.columns)), dtype=np.int32)
        for j, column in enumerate(self.columns):
            # Position -1 (not found) picks the appended 0.
            position = self._known[j].get_indexer(pd.Index(frame[column].to_numpy(dtype=object)))
            out[:, j] = self._codes[j][position]
        return out


def _mass(column: pd.Series, weight: NDArray[Any] | None) -> pd.Series:
    """Rows of each category, or the sum of their weights, in sorted order."""
    import pandas as pd

    if weight is None:
        return column.value_counts(dropna=True).sort_index()
    return pd.Series(np.asarray(weight, dtype=np.float64)).groupby(column.to_numpy(dtype=object), dropna=True).sum()
