"""From ``Features`` to the tensors that tabular networks read, safe against what no recipe has scaled.

Notation: n rows, p numeric columns that vary, q categorical columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from autodl.features import Features

TOO_WIDE = 20.0
"""Columns with values beyond this are standardized here; a recipe that scales keeps them well below."""
CLIP = 10.0
MAX_ROWS_FOR_STATS = 50_000


@dataclass(frozen=True)
class InputPlan:
    """What was learnt from the training rows.

    Attributes:
        smooth: Numeric columns with more than two values, which embeddings suit.
        flat: Numeric columns with two values (indicators, one-hot columns). Constant ones are in neither.
        center, scale: (p_all,) applied to all numeric columns; 0 and 1 where the recipe has scaled them.
        categories: Categorical columns with at least one known value. cardinalities: their sizes.
    """

    smooth: NDArray[np.int64]
    flat: NDArray[np.int64]
    center: NDArray[np.float32]
    scale: NDArray[np.float32]
    categories: NDArray[np.int64]
    cardinalities: tuple[int, ...]

    @classmethod
    def learn(cls, X: Features) -> InputPlan:
        """Look at the training rows."""
        numeric = _finite(X.dense())
        stride = max(1, len(numeric) // MAX_ROWS_FOR_STATS)
        low, high = numeric.min(axis=0, initial=np.inf), numeric.max(axis=0, initial=-np.inf)
        varies = low < high
        two_valued = np.array(
            [bool(np.all((column == a) | (column == b))) for column, a, b in zip(numeric.T, low, high, strict=True)],
            dtype=bool,
        )
        center = np.zeros(numeric.shape[1], np.float32)
        scale = np.ones(numeric.shape[1], np.float32)
        wild = varies & (np.maximum(np.abs(low), np.abs(high)) > TOO_WIDE)
        if wild.any():
            part = numeric[::stride, wild].astype(np.float64)
            center[wild] = part.mean(axis=0)
            scale[wild] = np.maximum(part.std(axis=0), 1e-6 * np.maximum(1.0, np.abs(center[wild])))
        kept = np.array([c > 1 for c in X.cardinalities], dtype=bool)
        return cls(
            smooth=np.flatnonzero(varies & ~two_valued),
            flat=np.flatnonzero(varies & two_valued),
            center=center,
            scale=scale,
            categories=np.flatnonzero(kept),
            cardinalities=tuple(c for c in X.cardinalities if c > 1),
        )

    def tensors(self, X: Features) -> tuple[Tensor, Tensor, Tensor]:
        """(n, flat) float32, (n, smooth) float32, (n, q) int64; a column of zeros where there is no input at all."""
        import torch

        numeric = (_finite(X.dense()) - self.center) / self.scale
        np.clip(numeric, -CLIP, CLIP, out=numeric, where=(self.scale != 1.0) | (self.center != 0.0))
        np.clip(numeric, -1e3, 1e3, out=numeric)
        flat = numeric[:, self.flat]
        if self.is_empty:
            flat = np.zeros((len(X), 1), np.float32)
        codes = X.categorical[:, self.categories].astype(np.int64)
        limits = np.asarray(self.cardinalities, dtype=np.int64)
        codes = np.where((codes < 0) | (codes >= limits), 0, codes) if codes.size else codes
        return (
            torch.from_numpy(np.ascontiguousarray(flat)),
            torch.from_numpy(np.ascontiguousarray(numeric[:, self.smooth])),
            torch.from_numpy(np.ascontiguousarray(codes)),
        )

    @property
    def is_empty(self) -> bool:
        """Whether no column varies; the network then learns a constant."""
        return not (len(self.smooth) or len(self.flat) or len(self.categories))

    @property
    def n_flat(self) -> int:
        """Width of the first tensor."""
        return 1 if self.is_empty else len(self.flat)


def _finite(numeric: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.nan_to_num(numeric, nan=0.0, posinf=1e30, neginf=-1e30)
