"""Which named files gave no image, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodl.data.images.decoding import Lost, short_name
from autodl.media.array import MediaArray
from autodl.media.stores import ImageStore

if TYPE_CHECKING:
    import pandas as pd


def lost_images(raw: pd.Series, values: pd.Series) -> list[tuple[Lost, list[str]]]:
    """For each reason the files, once for each cell that names one.

    Args:
        raw: (n,) names of files. values: (n,) the images.
    """
    array = values.array
    if not isinstance(array, MediaArray) or not isinstance(array.store, ImageStore):
        return []
    paths, lost = array.store.files
    why = {paths[row]: Lost(reason) for row, reason in lost.items()}
    found: dict[Lost, list[str]] = {reason: [] for reason in Lost}
    named = raw.notna().to_numpy() & np.asarray(array.isna())
    for name in raw[named].astype(str) if not isinstance(raw.array, MediaArray) else ():
        reason = why.get(str(Path(name).absolute()))
        if reason is not None:
            found[reason].append(short_name(name))
    return list(found.items())
