"""What the series of a column look like."""

from __future__ import annotations

import numpy as np

from autodl.media.array import MediaArray
from autodl.media.stores import SeriesStore
from autodl.records import ColumnInfo, ColumnKind, ParseRule, SeriesStats


def describe_series(name: str, why: str, values: MediaArray, rule: ParseRule) -> ColumnInfo:
    """The record of a column of series."""
    present = ~values.isna()
    return ColumnInfo(
        name=name,
        kind=ColumnKind.SERIES,
        why=why,
        n=len(values),
        n_missing=int((~present).sum()),
        n_unique=len(np.unique(values.batch.digests()[present])),
        parse=rule,
        series=series_stats(values),
    )


def series_stats(values: MediaArray) -> SeriesStats | None:
    """Over the cells that hold a series; None if there is none."""
    store = values.store
    rows = values.rows[values.rows >= 0]
    if not isinstance(store, SeriesStore) or not len(rows):
        return None
    lengths = store.lengths(rows)
    low, middle, high = (int(v) for v in np.quantile(lengths, (0.0, 0.5, 1.0), method="nearest"))
    flat = sum(bool(np.ptp(store.get(int(row)), axis=0).max(initial=0.0) == 0) for row in np.unique(rows))
    return SeriesStats(channels=store.channels, length=(low, middle, high), n_flat=flat)
