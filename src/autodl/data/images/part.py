"""Of very many images the part that can be decoded in time and kept on the disk."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodl.data.allowance import Allowance
from autodl.data.images.columns import image_columns
from autodl.data.images.decoding import LostImageError, decode
from autodl.data.images.sizes import learn_side
from autodl.data.large import row_sample, sample_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from autodl.records import RowSample

DECODING = 0.15
"""Share of the budget that decoding may take; the rest is for learning."""
DISK = 0.5
"""Share of the free disk that decoded images may fill."""
FEWEST = 500
"""Fewer images are not timed unless their files are large; of a test so many are read however few are learnt from."""
LEAST = 100
"""However short the time, so many images are used."""
LARGE_BYTES = 1_000_000
"""Files of this size may take a tenth of a second each, so that some hundred of them are worth timing."""
TIMED, TIMED_S = 24, 2.0
"""Images that are decoded to see how long one takes, and seconds that this may take."""


def draw_images(
    frame: pd.DataFrame, allowance: Allowance, folder: Path, why: str = "as when this run began"
) -> tuple[NDArray[np.int64], RowSample | None]:
    """Which rows of a table of images are used.

    Args:
        frame: (n,) raw rows. allowance: Time and cores, or a limit that is settled. folder: Where images are kept.
        why: The reason of a limit that is settled.

    Returns:
        (m,) positions, ascending; and the record of the sample, None where all rows are used.
    """
    every = np.arange(len(frame))
    if len(frame) <= LEAST:
        return every, None
    columns = image_columns(frame)
    if not columns:
        return every, None
    limit = allowance.max_rows
    if limit is None:
        paths = [frame[name].dropna().astype(str).tolist() for name in columns]
        if len(frame) <= FEWEST and not any(_large(names) for names in paths):
            return every, None
        limit, why = _limit(paths, allowance, folder)
    if limit is None or len(frame) <= limit:
        return every, None
    rows, sample = sample_rows(frame, replace(allowance, max_rows=limit))
    if sample is None:
        return every, None
    return rows, row_sample(len(frame), len(rows), limit, why, sample.group, sample.seed)


def _limit(columns: Sequence[list[str]], allowance: Allowance, folder: Path) -> tuple[int | None, str]:
    """The most rows, and why; None where nothing can be told."""
    seconds_each, bytes_each = 0.0, 0
    for paths in columns:
        learnt = learn_side(paths)
        if learnt is None:
            continue
        side, crop = learnt
        seconds_each += _decode_seconds(paths, side, crop)
        bytes_each += 3 * side * side
    if not bytes_each:
        return None, ""
    there = next(p for p in (folder, *folder.absolute().parents) if p.is_dir())
    room = DISK * shutil.disk_usage(there).free / bytes_each
    limits = [(room, "more images would not fit the disk")]
    if allowance.seconds is not None and seconds_each:
        timely = DECODING * allowance.seconds * allowance.cores / seconds_each
        limits.append((timely, f"more images could not be read in time for a budget of {allowance.seconds:g} s"))
    most, why = min(limits)
    return max(LEAST, int(most)), why


def _large(paths: list[str]) -> bool:
    """Whether the first files are large."""
    sizes = []
    for path in paths[:TIMED]:
        with suppress(OSError, ValueError):  # what is not there, or may not be looked at, is told when it is read
            sizes.append(Path(path).stat().st_size)
    return bool(sizes) and float(np.median(sizes)) >= LARGE_BYTES


def _decode_seconds(paths: list[str], side: int, crop: bool) -> float:
    """Median seconds of one image: the first ones may wait for the disk."""
    taken: list[float] = []
    for place in np.unique(np.linspace(0, len(paths) - 1, min(len(paths), TIMED)).astype(int)):
        if sum(taken) > TIMED_S and len(taken) >= 3:
            break
        begun = time.perf_counter()
        try:
            decode(paths[place], side, crop=crop)
        except LostImageError:
            continue
        taken.append(time.perf_counter() - begun)
    return float(np.median(taken)) if taken else 0.0
