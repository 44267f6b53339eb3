"""Objects in memory: what a table of objects is before they are written to a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.media.stores import MediaStore
from autodl.media.writing import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SeriesList(MediaStore):
    """Series as they were read: (t, c) each, NaN where a step is missing.

    Args:
        series: N arrays.
    """

    kind = "series"

    def __init__(self, series: Sequence[NDArray[Any]]) -> None:
        self.series = tuple(series)
        self._digests: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return len(self.series)

    def digests(self) -> NDArray[np.uint64]:
        """See ``MediaStore``."""
        if self._digests is None:
            self._digests = np.array([digest(one) for one in self.series], np.uint64)
        return self._digests

    def get(self, row: int) -> NDArray[Any]:
        """(t, c)."""
        return self.series[row]
