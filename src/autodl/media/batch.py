"""Rows of a store: what a model is given of a media column. Notation: n rows, N objects of the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl.media.stores import MediaStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABSENT = -1
"""The row number of an object that is missing or could not be read."""


@dataclass(frozen=True)
class MediaBatch:
    """Objects of a store, by their row numbers.

    Attributes:
        store: Where they lie. Pickled by its place where it lies in files, so that a batch is cheap to send.
        rows: (n,) int64 rows of the store; ``ABSENT`` where there is no object.
    """

    store: MediaStore
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def present(self) -> NDArray[np.bool_]:
        """(n,) where there is an object."""
        return np.asarray(self.rows >= 0)

    def take(self, positions: NDArray[np.int_]) -> MediaBatch:
        """The objects at these positions, in this order."""
        return MediaBatch(self.store, self.rows[positions])

    def digests(self) -> NDArray[np.uint64]:
        """(n,) numbers that are equal for equal objects; 0 where there is none."""
        out = np.zeros(len(self.rows), np.uint64)
        out[self.present] = self.store.digests()[self.rows[self.present]]
        return out
