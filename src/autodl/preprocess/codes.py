"""Categories as integer codes. Notation: n rows, q columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.preprocess.older import completed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

RARE = "(rare)"
"""Name of the group of rare categories."""
MISSING = "(missing)"
"""Name of the group of rows without a category."""


class CategoryCoder:
    """Numbers the categories of each column in sorted order from 1; 0 is what was never seen in training.

    Where training rows had gaps, missing values have a code of their own, the last, so that new categories are not
    taken for missing. Where there were none, a missing value was never seen: 0. A column without any category knows
    no other code.

    Args:
        columns: Names of object columns of ``str`` and ``None``.
        rare: Categories with a smaller share of the training rows share one code, behind the others. New categories
            have it too: they are rarer still.
    """

    def __init__(self, columns: tuple[str, ...], rare: float = 0.0) -> None:
        self.columns, self.rare = columns, rare
        self._known: list[pd.Index] = []
        self._codes: list[NDArray[np.int32]] = []
        self.labels: list[list[str]] = []
        """Category names of each column; label ``labels[j][c - 1]`` has code ``c``."""
        self.missing: list[int] = []
        """Code of missing values in each column."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Older versions gave what is missing and what was never seen the same code.
        self.__dict__.update(completed(state, {"missing": [0] * len(state["labels"])}))

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Codes of column j lie in ``[0, cardinalities[j])``."""
        return tuple(1 + max(len(labels), gap) for labels, gap in zip(self.labels, self.missing, strict=True))

    def name_of(self, column: int, code: int) -> str:
        """What rows with this code have in the column at this place."""
        labels = self.labels[column]
        return labels[code - 1] if 0 < code <= len(labels) else MISSING

    def fit(self, frame: pd.DataFrame, weight: NDArray[Any] | None = None) -> CategoryCoder:
        """Learn the categories of the training rows; (n,) weights decide what is rare, all alike if None."""
        import pandas as pd

        self._known, self._codes, self.labels, self.missing = [], [], [], []
        for column in self.columns:
            counts = _mass(frame[column], weight)
            total = len(frame) if weight is None else float(np.sum(weight))
            # Sums of weights are not exact: a category of exactly the least share is kept.
            frequent = counts.to_numpy() >= self.rare * total * (1.0 - 1e-12)
            known = pd.Index(counts.index.to_numpy(dtype=object), dtype=object)
            codes = np.cumsum(frequent).astype(np.int32)
            codes[~frequent] = int(frequent.sum()) + 1
            self._known.append(known)
            labels = [*map(str, known[frequent]), *([RARE] if not frequent.all() else [])]
            unseen = 0 if frequent.all() else len(labels)
            self._codes.append(np.append(codes, np.int32(unseen)))
            self.labels.append(labels)
            self.missing.append(len(labels) + 1 if labels and frame[column].isna().any() else 0)
        return self

    def transform(self, frame: pd.DataFrame) -> NDArray[np.int32]:
        """(n, q) codes."""
        import pandas as pd

        out = np.empty((len(frame), len(self.columns)), dtype=np.int32)
        for j, column in enumerate(self.columns):
            values = frame[column].to_numpy(dtype=object)
            # Position -1 (not found) picks the code appended for new categories.
            codes = self._codes[j][self._known[j].get_indexer(pd.Index(values))]
            out[:, j] = np.where(pd.isna(values), self.missing[j], codes)
        return out


def _mass(column: pd.Series, weight: NDArray[Any] | None) -> pd.Series:
    """Rows of each category, or the sum of their weights, in sorted order."""
    import pandas as pd

    if weight is None:
        return column.value_counts(dropna=True).sort_index()
    return pd.Series(np.asarray(weight, dtype=np.float64)).groupby(column.to_numpy(dtype=object), dropna=True).sum()
