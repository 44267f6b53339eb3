"""A uniform random sample of a stream of unknown length, drawn in one pass.

Every row, or group, has a random key that depends on the seed and on its place, or name, alone; the rows of the
smallest keys are kept (bottom-k sampling: Cohen and Kaplan 2007, Summarizing data using bottom-k sketches). So the
sample is the same however the stream is cut into blocks, and it stays in file order.

Notation: b rows of a block, m rows kept so far.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SLACK = 1.5
"""Up to this multiple of the limit is kept before the sample is cut back to it."""
SPARE = 1.1
"""With a known number of rows this multiple of the limit is drawn, so that chance does not leave it short."""

MIN_GROUPS = 50
"""With fewer groups than these in a sample of whole groups, rows are drawn instead."""


def row_keys(positions: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """(b,) random keys of row positions; a one-to-one mapping, so no two rows share a key."""
    return _mix(positions.astype(np.uint64) + _mix(np.array([seed], dtype=np.uint64)))


def group_keys(groups: pa.ChunkedArray, positions: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """(b,) random keys, equal for equal group names; a row without a group is a group of its own.

    A name counts as the text of the value, without blanks around it and, for whole numbers, without a ``.0`` behind
    it, which the same number has or has not by the type that a block or a file happens to give it.
    """
    from pandas.util import hash_array

    kind = groups.type
    if pa.types.is_nested(kind) or "binary" in str(kind):
        groups = pa.chunked_array([[None if g is None else str(g) for g in groups.to_pylist()]], pa.string())
    names = pc.utf8_trim_whitespace(groups.cast(pa.string()))
    names = pc.replace_substring_regex(names, r"^([+-]?[0-9]+)\.0*$", r"\1")
    missing = names.is_null().to_numpy()
    words = names.fill_null("").combine_chunks().dictionary_encode()
    hashes = hash_array(words.dictionary.to_numpy(zero_copy_only=False).astype(object))
    keys = _mix(hashes.take(words.indices.to_numpy()) ^ _mix(np.array([seed], dtype=np.uint64)))
    return np.where(missing, row_keys(positions, seed), keys)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64 (Steele, Lea and Flood 2014): a bijection of 64-bit numbers that passes for random."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Draw:
    """Decides which rows of each block are kept, and later which of those must go again.

    Args:
        max_rows: The limit; None keeps all.
        expected: About how many rows will come. With it few rows are kept that must go again later. If it is far too
            high, the sample falls somewhat short of the limit; it is uniform all the same.
    """

    def __init__(self, max_rows: int | None, expected: float | None = None) -> None:
        self.max_rows = max_rows
        self.seen = 0
        """Rows offered so far."""
        self._border: np.uint64 | None = None
        if max_rows is not None and expected is not None and max_rows * SPARE < expected:
            self._border = np.uint64(int(max_rows * SPARE / expected * 2.0**64))
        self._keys: list[NDArray[np.uint64]] = []
        self._positions: list[NDArray[np.int64]] = []

    @property
    def kept(self) -> int:
        """m."""
        return sum(map(len, self._keys))

    @property
    def thinned(self) -> bool:
        """Whether any row was left out."""
        return self._border is not None

    @property
    def few_groups(self) -> bool:
        """Whether too few groups are left of those offered, so that rows should be drawn instead."""
        return self.thinned and len(np.unique(np.concatenate(self._keys))) < MIN_GROUPS

    def offer(self, positions: NDArray[np.int64], keys: NDArray[np.uint64]) -> NDArray[np.bool_] | None:
        """Which rows of a block to keep, (b,); None for all."""
        self.seen += len(keys)
        mask = None if self._border is None else keys <= self._border
        self._keys.append(keys if mask is None else keys[mask])
        self._positions.append(positions if mask is None else positions[mask])
        return mask

    def crowded(self, *, last: bool = False) -> bool:
        """Whether ``cut`` is due; ``last``: no block will follow."""
        return self.max_rows is not None and self.kept > self.max_rows * (1.0 if last else SLACK)

    def cut(self) -> NDArray[np.bool_]:
        """Lower the border to the limit.

        Returns:
            (m,) which of the rows kept so far stay. Groups stay or go whole; the first always stays.
        """
        assert self.max_rows is not None
        if self.kept <= self.max_rows:
            return np.ones(self.kept, dtype=bool)
        keys, positions = np.concatenate(self._keys), np.concatenate(self._positions)
        ordered = np.sort(keys)
        ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) + 1
        place = max(0, int(np.searchsorted(ends, self.max_rows, side="right")) - 1)
        self._border = ordered[ends[place] - 1]
        stay: NDArray[np.bool_] = keys <= self._border
        self._keys, self._positions = [keys[stay]], [positions[stay]]
        return stay

    def positions(self) -> NDArray[np.int64]:
        """(m,) places of the kept rows in the stream, ascending within each source."""
        return np.concatenate(self._positions) if self._positions else np.empty(0, dtype=np.int64)
