"""Texts as the numbers of their tokens, in memory. Notation: N texts, T tokens of all of them, L most tokens read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.media.stores import JoinedStore, MediaStore
from autodl.media.writing import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.media.batch import MediaBatch

PADDING, UNKNOWN, MASK, FIRST = 0, 1, 2, 3
"""What stands behind the end, for what was never seen, for what training hides, and the first number of a token."""
HEAD = 0.75
"""Share of what is read of a longer text that is from its start; the rest is from its end."""


class TokenStore(MediaStore):
    """N texts of any length behind one another.

    Args:
        flat: (T,) int32 tokens, from 0 to ``size - 1``. starts: (N + 1,) int64 where each text starts.
        size: How many different ones there may be.
    """

    kind = "tokens"

    def __init__(self, flat: NDArray[np.int32], starts: NDArray[np.int64], size: int) -> None:
        self.flat, self.starts, self.size = flat, starts, size

    def __len__(self) -> int:
        return len(self.starts) - 1

    def digests(self) -> NDArray[np.uint64]:
        """See ``MediaStore``."""
        return np.array([digest(self.get(row)) for row in range(len(self))], np.uint64)

    def get(self, row: int) -> NDArray[Any]:
        """(t,) tokens."""
        return self.flat[self.starts[row] : self.starts[row + 1]]

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) tokens of these rows; 0 where the row is ``ABSENT``."""
        safe = np.maximum(rows, 0)
        return np.where(rows < 0, 0, self.starts[safe + 1] - self.starts[safe])

    def padded(self, rows: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """(n, L') tokens of these rows, of longer ones both ends; L' is what the longest takes, at least 1."""
        lengths = self.lengths(rows)
        kept = np.minimum(lengths, length)
        place = np.arange(max(1, int(kept.max(initial=0))))[None, :]
        head = np.where(lengths > length, int(HEAD * length), length)[:, None]
        source = place + np.where(place >= head, (lengths - kept)[:, None], 0)
        there = place < kept[:, None]
        out = np.full(there.shape, PADDING, np.int64)
        out[there] = self.flat[(self.starts[np.maximum(rows, 0)][:, None] + source)[there]]
        return out


def token_stores(batch: MediaBatch) -> tuple[tuple[TokenStore, ...], NDArray[np.int64]]:
    """The stores of a column of texts and where each starts.

    Raises:
        TypeError: If it holds no texts.
    """
    store = batch.store
    stores, starts = ((store,), np.zeros(1, np.int64)) if not isinstance(store, JoinedStore) else (
        store.stores, store.offsets[:-1]
    )  # fmt: skip
    found = tuple(s for s in stores if isinstance(s, TokenStore))
    if len(found) != len(stores):
        raise TypeError(f"tokens of texts are needed, but got {store.kind}")
    return found, starts


def padded_tokens(batch: MediaBatch, rows: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """(b, L') tokens of rows of the store of a column; see ``TokenStore.padded``."""
    stores, starts = token_stores(batch)
    if len(stores) == 1:
        return stores[0].padded(rows, length)
    of = np.searchsorted(starts, rows, side="right") - 1
    parts = []
    for k, store in enumerate(stores):
        here = np.flatnonzero((of == k) & (rows >= 0))
        parts.append((here, store.padded(rows[here] - starts[k], length)))
    out = np.full((len(rows), max(p.shape[1] for _, p in parts)), PADDING, np.int64)
    for here, part in parts:
        out[here, : part.shape[1]] = part
    return out


def token_lengths(batch: MediaBatch) -> NDArray[np.int64]:
    """(n,) tokens of the rows of a column; 0 where there is no text."""
    stores, _ = token_stores(batch)
    lengths = np.concatenate([np.diff(s.starts) for s in stores])
    return np.where(batch.rows < 0, 0, lengths[np.maximum(batch.rows, 0)] if len(lengths) else 0)
