"""What the images of a column look like."""

from __future__ import annotations

from collections import Counter

import numpy as np

from autodl.data.images.cells import store_traits
from autodl.media.array import MediaArray
from autodl.media.stores import ImageStore
from autodl.records import ColumnInfo, ColumnKind, ImageStats, ParseRule

BLANK = 2.0
"""Below this standard deviation of the brightness (0 to 128) nothing can be seen."""


def describe_images(name: str, why: str, values: MediaArray, rule: ParseRule) -> ColumnInfo:
    """The record of a column of images."""
    n_missing = int(values.isna().sum())
    return ColumnInfo(
        name=name,
        kind=ColumnKind.IMAGE,
        why=why,
        n=len(values),
        n_missing=n_missing,
        n_unique=len(np.unique(values.batch.digests()[~values.isna()])),
        parse=rule,
        image=image_stats(values),
    )


def image_stats(values: MediaArray) -> ImageStats | None:
    """Over the distinct files; None if there is no image."""
    store = values.store
    rows = np.unique(values.rows[values.rows >= 0])
    if not isinstance(store, ImageStore) or not len(rows):
        return None
    sizes = np.asarray(store.array("sizes"))[rows]
    grey, spread, moving, clear = store_traits(store)[rows].T
    lost = Counter(store.files[1].values())
    low, middle, high = (np.quantile(sizes, q, axis=0) for q in (0.0, 0.5, 1.0))
    height, width = ((int(low[i]), int(middle[i]), int(high[i])) for i in (0, 1))
    return ImageStats(
        height=height,
        width=width,
        n_sizes=len(np.unique(sizes, axis=0)),
        n_grey=int((grey > 0).sum()),
        n_moving=int((moving > 0).sum()),
        n_clear=int((clear > 0).sum()),
        n_blank=int((spread < BLANK).sum()),
        n_lost=sum(lost.values()),
        lost=tuple((why.removesuffix(" and count as missing"), n) for why, n in lost.most_common()),
    )
