"""What of raw series cannot be used as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autodl.data.series.cells import has_gaps
from autodl.media.array import MediaArray
from autodl.media.stores import SeriesStore

if TYPE_CHECKING:
    import pandas as pd

GAPS = "have missing steps, which are filled in between their neighbours"
EMPTY = "have no values at all and count as missing"


def count_gaps(raw: pd.Series) -> list[tuple[str, int]]:
    """What is the matter with the series of a raw column, as the end of a sentence, and how many have it."""
    cells = raw.array
    if not isinstance(cells, MediaArray) or isinstance(cells.store, SeriesStore):  # those have no gaps any more
        return []
    series = [cells.store.get(int(row)) for row in cells.rows if row >= 0]
    empty = sum(not np.isfinite(one).any() for one in series)
    gaps = sum(has_gaps(one) for one in series)
    return [(GAPS, gaps - empty), (EMPTY, empty)]
