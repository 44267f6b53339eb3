"""Cells that are series: from arrays to a column, and from a column to a store in files."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autodl.errors import DataError
from autodl.media.array import MediaArray
from autodl.media.batch import ABSENT
from autodl.media.memory import SeriesList
from autodl.media.place import MediaPlace, process_place
from autodl.media.stores import SeriesStore
from autodl.media.writing import write_series

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORM = 1
"""Raised when series are stored in another way, so that stores of earlier versions are not taken."""
LARGEST = 1e30
"""Larger magnitudes would overflow float32 or its squares' sums in float64."""


def series_cells(series: Sequence[NDArray[Any] | None]) -> MediaArray:
    """A column of a raw frame.

    Args:
        series: n arrays (t, c), or (t,) for one channel; None or without steps where there is no series.
    """
    rows = np.full(len(series), ABSENT, np.int64)
    kept: list[NDArray[np.float32]] = []
    for place, one in enumerate(series):
        if one is None:
            continue
        steps = np.asarray(one, np.float32)
        steps = steps[:, None] if steps.ndim == 1 else steps
        if steps.size:
            rows[place] = len(kept)
            kept.append(steps)
    return MediaArray(SeriesList(kept), rows)


def is_series_object(value: object) -> bool:
    """Whether a cell of a frame is a series: an array of numbers, (t,) or (t, c), or a pandas series of numbers."""
    if isinstance(value, pd.Series):
        return value.dtype.kind in "iufb"
    return isinstance(value, np.ndarray) and value.ndim in (1, 2) and value.dtype.kind in "iufb"


def objects_to_cells(column: pd.Series) -> MediaArray | None:
    """The column of a frame whose cells are arrays of numbers; None if it is none.

    >>> objects_to_cells(pd.Series([np.arange(3.0), None])).isna().tolist(), objects_to_cells(pd.Series([1, 2]))
    ([False, True], None)
    """
    missing = column.isna().to_numpy()
    present = list(column[~missing])
    if not present or not all(is_series_object(v) for v in present):
        return None
    return series_cells([None if gone else np.asarray(v) for gone, v in zip(missing, column, strict=True)])


def channels_of(column: MediaArray) -> int:
    """c of the first series; 0 if there is none."""
    first = np.flatnonzero(column.rows >= 0)[:1]
    return int(column.store.get(int(column.rows[first[0]])).shape[1]) if len(first) else 0


def as_read(cells: MediaArray) -> MediaArray:
    """The same series in memory, as a raw frame has them."""
    return series_cells([cells[place] for place in range(len(cells))])


def save_cells(cells: MediaArray, file: Path) -> None:
    """Write the series to an ``.npz`` file, for another process."""
    series = [cells[place] for place in range(len(cells))]
    kept = [one for one in series if one is not None]
    values = np.concatenate(kept) if kept else np.empty((0, 1), np.float32)
    np.savez(file, values=values, lengths=np.array([0 if one is None else len(one) for one in series], np.int64))


def load_cells(file: Path) -> MediaArray:
    """What ``save_cells`` wrote, in memory."""
    with np.load(file, allow_pickle=False) as held:
        return series_cells(np.split(held["values"], np.cumsum(held["lengths"])[:-1]))


def store_series(column: pd.Series, channels: int, where: str, place: MediaPlace | None = None) -> MediaArray:
    """The series of a raw column in a store in files, with finite values.

    Missing steps lie on the line between their neighbours, or are equal to the nearest at both ends. A channel
    without any value is 0 in this series; a series without any value is none.

    Args:
        column: A ``MediaArray`` of series; anything else counts as missing in every row.
        channels: c. where: Name of the column in errors.
        place: Where the store is made, by default one that lasts as long as this process.

    Raises:
        DataError: If a series has other channels, or the disk has no room.
    """
    cells = column.array
    if not isinstance(cells, MediaArray):
        cells = MediaArray(SeriesList([]), np.full(len(column), ABSENT))
    if isinstance(cells.store, SeriesStore):
        return cells
    used, codes = np.unique(cells.rows, return_inverse=True)
    wrong = [row for row in used if row >= 0 and cells.store.get(int(row)).shape[1] != channels]
    if wrong:
        place_of = int(np.flatnonzero(cells.rows == wrong[0])[0]) + 1
        found = cells.store.get(int(wrong[0])).shape[1]
        raise DataError(
            f"'{where}': the series of row {place_of} has {found} channel{'s' if found > 1 else ''}, but {channels} "
            f"{'is' if channels == 1 else 'are'} needed",
            "Give all series the same channels in the same order.",
        )
    filled = {int(row): _filled(cells.store.get(int(row))) for row in used if row >= 0}
    kept = [row for row in filled if len(filled[row])]
    home = place or process_place()
    key = _key(cells, kept, channels)
    found = home.find(key)
    if found is not None and not _is_whole(found, len(kept)):
        shutil.rmtree(found)
        found = None
    if found is None:
        try:
            with home.make(key) as folder:
                write_series(folder, _values(filled, kept), channels)
        except OSError as error:
            raise DataError(
                f"the series cannot be kept in {home.folder}: {error.strerror or error}",
                home.remedy,
            ) from error
    numbers = {row: number for number, row in enumerate(kept)}
    rows = np.array([numbers.get(int(row), ABSENT) for row in used], np.int64)
    return MediaArray(SeriesStore(home.folder / key), rows[codes] if len(rows) else np.empty(0, np.int64))


def _is_whole(folder: Path, n: int) -> bool:
    """Whether a store that was found can be read: a disk may have been full, or a copy of it cut off."""
    store = SeriesStore(folder)
    try:
        starts = store.array("starts")
        return len(store) == n and len(starts) == n + 1 and len(store.array("values")) == starts[-1]
    except (OSError, ValueError, EOFError):
        return False


def _values(filled: dict[int, NDArray[np.float32]], kept: Sequence[int]) -> Iterator[NDArray[np.float32]]:
    yield from (filled[row] for row in kept)


def _key(cells: MediaArray, kept: Sequence[int], channels: int) -> str:
    told = hashlib.blake2b(repr((FORM, channels)).encode(), digest_size=12)
    told.update(np.ascontiguousarray(cells.store.digests()[np.asarray(kept, np.int64)]).tobytes())
    return told.hexdigest()


def has_gaps(series: NDArray[Any]) -> bool:
    """Whether some value of (t, c) is missing or infinite."""
    return not bool(np.isfinite(series).all())


def _filled(series: NDArray[Any]) -> NDArray[np.float32]:
    """(t, c) finite values; none at all if none is given."""
    values = np.clip(np.asarray(series, np.float64), -LARGEST, LARGEST)
    values[np.isinf(series)] = np.nan
    missing = np.isnan(values)
    if missing.all():
        return np.empty((0, values.shape[1]), np.float32)
    steps = np.arange(len(values))
    for channel in np.flatnonzero(missing.any(axis=0)):
        gone = missing[:, channel]
        given = steps[~gone]
        values[gone, channel] = np.interp(steps[gone], given, values[given, channel]) if len(given) else 0.0
    return values.astype(np.float32)
