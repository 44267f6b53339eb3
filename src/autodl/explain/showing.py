"""Cells of test rows as a record that the report can show. Notation: n rows, k pictures of P pixels a side."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autodl.records import ColumnKind
from autodl.records.examples import ShownExample

if TYPE_CHECKING:
    import pandas as pd

    from autodl.media.array import MediaArray
    from autodl.media.batch import MediaBatch

PICTURE_SIDE = 96
MAX_POINTS, MAX_LINES = 120, 4
MAX_TEXT = 400


def shown_cell(example: ShownExample, column: pd.Series[Any], place: int) -> ShownExample:
    """The example with what its cell holds, pictures aside.

    Args:
        example: Of row ``place``. column: (n,) cells. place: Position.
    """
    if example.kind == "text":
        text = " ".join(str(column.iloc[place]).split())
        cut = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1].rstrip() + "…"
        return example.model_copy(update={"text": cut})
    array: MediaArray = column.array
    example = example.model_copy(update={"name": array.word(place) or ""})
    if example.kind == "image":
        return example
    values = array[place]
    drawn = [_thinned(values[:, c]) for c in range(min(values.shape[1], MAX_LINES))]
    lines = tuple(tuple(float(f"{v:.5g}") for v in line) for line in drawn)
    return example.model_copy(update={"lines": lines, "channels": values.shape[1], "steps": len(values)})


def _thinned(line: NDArray[Any]) -> NDArray[Any]:
    """A line of at most ``MAX_POINTS`` points with its peaks: both ends, and the lowest and highest of each part.

    Args:
        line: (t,) values, NaN where one is missing.
    """
    if len(line) <= MAX_POINTS:
        return line
    last = len(line) - 1
    edges = np.linspace(1, last, MAX_POINTS // 2).round().astype(int)
    kept = [0]
    for start, stop in pairwise(edges):
        part = line[start:stop]
        low, high = np.where(np.isnan(part), np.inf, part).argmin(), np.where(np.isnan(part), -np.inf, part).argmax()
        # A part that is missing or level is drawn by two points too, so that all parts are equally wide.
        kept += sorted((start + int(low), start + int(high)))
    return line[[*kept, last]]


def small_pictures(batch: MediaBatch, places: list[int]) -> NDArray[np.uint8]:
    """(k, P, P, 3) copies of the images at these places, made smaller where they are larger than ``PICTURE_SIDE``."""
    from PIL import Image

    originals = [np.asarray(batch.store.get(int(batch.rows[i]))) for i in places]
    side = min(PICTURE_SIDE, max(o.shape[0] for o in originals))
    size = (side, side)
    pictures = [
        o if o.shape[:2] == size else Image.fromarray(o).resize(size, Image.Resampling.LANCZOS) for o in originals
    ]
    return np.stack([np.asarray(p, np.uint8) for p in pictures])


def usable(column: pd.Series[Any], kind: ColumnKind) -> NDArray[np.bool_]:
    """(n,) where the cell holds something to look at."""
    present = column.notna().to_numpy()
    if kind is ColumnKind.TEXT:
        return np.asarray(present & (column.astype("string").str.strip().fillna("") != "").to_numpy(dtype=bool))
    if kind is ColumnKind.SERIES:
        array: MediaArray = column.array
        return np.array([bool(p) and len(array[i]) > 1 for i, p in enumerate(present)])
    return np.asarray(present)
