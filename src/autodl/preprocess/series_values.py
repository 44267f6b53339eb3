"""Series of a column as regular arrays. Notation: n rows, t steps of the longest series, c channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl.media.stores import SeriesStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from autodl.media.batch import MediaBatch

PART_CELLS = 1 << 24
"""Numbers that are held at a time: 64 MiB."""
MOST_FILLED = 4.0
"""A series is a measure for the others up to this multiple of the median length: one that is very long is none."""


@dataclass(frozen=True)
class SeriesValues:
    """Series side by side, the steps first: neighbours in memory are the same step of several series.

    Attributes:
        values: (t, n, c) float32, finite; zeros behind the end of a series.
        lengths: (n,) steps; 0 where there is no series.
    """

    values: NDArray[np.float32]
    lengths: NDArray[np.int64]

    @property
    def even(self) -> bool:
        """Whether all series have t steps."""
        return bool((self.lengths == len(self.values)).all())

    def take(self, rows: slice) -> SeriesValues:
        """Some of them, without the steps that none of these has."""
        lengths = self.lengths[rows]
        longest = int(lengths.max(initial=0))
        return SeriesValues(self.values[:longest, rows], lengths)


def lengths_of(batch: MediaBatch) -> NDArray[np.int64]:
    """(n,) steps; 0 where there is no series."""
    if isinstance(batch.store, SeriesStore):
        return np.asarray(batch.store.lengths(batch.rows), np.int64)
    return np.array([0 if row < 0 else len(batch.store.get(int(row))) for row in batch.rows], np.int64)


def most_steps(lengths: NDArray[np.int64]) -> int:
    """Steps of the longest of (n,) series, or ``MOST_FILLED`` times the median where that is less; at least 1.

    >>> most_steps(np.array([60, 0, 70, 65])), most_steps(np.array([60, 70, 9_000])), most_steps(np.array([0]))
    (70, 280, 1)
    """
    filled = lengths[lengths > 0]
    return min(int(filled.max()), int(MOST_FILLED * np.median(filled))) if len(filled) else 1


def series_values(batch: MediaBatch, channels: int, most: int | None = None) -> SeriesValues:
    """The series of some rows; what is not finite is 0.

    Args:
        batch: n cells.
        channels: c; lacking ones are 0, further ones are left out.
        most: Steps after which a series is cut off; None: nowhere.
    """
    lengths = lengths_of(batch)
    lengths = lengths if most is None else np.minimum(lengths, most)
    out = np.zeros((int(lengths.max(initial=0)), len(batch), channels), np.float32)
    for place, row in enumerate(batch.rows):
        if row >= 0:
            one = batch.store.get(int(row))[:most, :channels]
            out[: len(one), place, : one.shape[1]] = np.nan_to_num(one, nan=0.0, posinf=0.0, neginf=0.0)
    return SeriesValues(out, lengths)


def part_size(longest: int, channels: int) -> int:
    """Series of so many steps that are held at a time, at least one."""
    return max(1, PART_CELLS // (max(1, longest) * max(1, channels)))


def parts(batch: MediaBatch, channels: int, filled: int = 0) -> Iterator[tuple[slice, SeriesValues]]:
    """The series of all rows, so many at a time that memory holds them.

    Args:
        batch: n cells. channels: c. filled: Steps to which shorter series are filled up later.
    """
    import dataclasses

    size = part_size(max(filled, int(lengths_of(batch).max(initial=0))), channels)
    for start in range(0, len(batch), size):
        rows = slice(start, min(start + size, len(batch)))
        yield rows, series_values(dataclasses.replace(batch, rows=batch.rows[rows]), channels)
