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
LACKING = "have a channel without any value, which counts as 0 throughout"
EMPTY = "have no values at all and count as missing"


def count_gaps(raw: pd.Series) -> list[tuple[str, int]]:
    """What is the matter with the series of a raw column, as the end of a sentence, and how many have it."""
    cells = raw.array
    if not isinstance(cells, MediaArray) or isinstance(cells.store, SeriesStore):  # those have no gaps any more
        return []
    series = [cells.store.get(int(row)) for row in cells.rows if row >= 0]
    given = [np.isfinite(one).mean(axis=0) for one in series if has_gaps(one)]
    empty = sum(not shares.any() for shares in given)
    gaps = sum(bool(((shares > 0) & (shares < 1)).any()) for shares in given)
    lacking = sum(not shares.all() for shares in given) - empty
    return [(GAPS, gaps), (LACKING, lacking), (EMPTY, empty)]
