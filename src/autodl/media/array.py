"""A column of images or series in a pandas frame."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype, register_extension_dtype, take

from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.stores import JoinedStore, MediaStore

if TYPE_CHECKING:
    from numpy.typing import NDArray


@register_extension_dtype
class MediaDtype(ExtensionDtype):
    """The dtype of a ``MediaArray``."""

    name = "autodl.media"
    type = np.ndarray
    kind = "O"
    na_value = None

    @classmethod
    def construct_array_type(cls) -> builtins.type[MediaArray]:
        """See pandas."""
        return MediaArray


def comparable(column: pd.Series[Any]) -> NDArray[Any]:
    """(n,) values of a column that can be compared and hashed: of images and series their digests, 0 where empty."""
    return column.array.batch.digests() if isinstance(column.array, MediaArray) else column.to_numpy()


class MediaArray(ExtensionArray):
    """n cells that are objects of a store. Equal objects are equal cells, wherever they lie.

    Args:
        store: Where they lie. rows: (n,) rows of the store; ``ABSENT`` where the cell is empty.
    """

    def __init__(self, store: MediaStore, rows: NDArray[Any]) -> None:
        self._batch = MediaBatch(store, np.asarray(rows, np.int64))

    @classmethod
    def whole(cls, store: MediaStore) -> MediaArray:
        """All objects of a store, in order."""
        return cls(store, np.arange(len(store)))

    @property
    def batch(self) -> MediaBatch:
        """The same without pandas."""
        return self._batch

    @property
    def store(self) -> MediaStore:
        """Where the objects lie."""
        return self._batch.store

    @property
    def rows(self) -> NDArray[np.int64]:
        """(n,) rows of the store."""
        return self._batch.rows

    @property
    def dtype(self) -> MediaDtype:
        """See pandas."""
        return MediaDtype()

    @property
    def nbytes(self) -> int:
        """Of the row numbers; the store is shared."""
        return int(self.rows.nbytes)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, int | np.integer):
            row = int(self.rows[item])
            return None if row < 0 else self.store.get(row)
        return MediaArray(self.store, self.rows[pd.api.indexers.check_array_indexer(self, item)])

    def word(self, position: int) -> str | None:
        """A cell in a few words, for people; None where it is empty."""
        row = int(self.rows[position])
        return None if row < 0 else self.store.word(row)

    def isna(self) -> NDArray[np.bool_]:
        """(n,) where there is no object."""
        return ~self._batch.present

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> MediaArray:
        """See pandas; what is filled is empty."""
        rows = take(self.rows, np.asarray(indices), allow_fill=allow_fill, fill_value=ABSENT)
        return MediaArray(self.store, np.asarray(rows))

    def copy(self) -> MediaArray:
        """The same cells of the same store."""
        return MediaArray(self.store, self.rows.copy())

    def __eq__(self, other: object) -> NDArray[np.bool_]:  # type: ignore[override]
        if not isinstance(other, MediaArray) or len(other) != len(self):
            return np.zeros(len(self), dtype=bool)
        return np.asarray((self._batch.digests() == other.batch.digests()) & self._batch.present)

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> MediaArray:
        if isinstance(scalars, MediaArray):
            return scalars.copy() if copy else scalars
        raise TypeError("objects must be written to a store before they can be a column")

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[MediaArray]) -> MediaArray:
        stores = list(dict.fromkeys(a.store for a in to_concat))
        if len(stores) == 1:
            return cls(stores[0], np.concatenate([a.rows for a in to_concat]))
        joined = JoinedStore(stores)
        offsets = dict(zip(stores, joined.offsets, strict=False))
        return cls(
            joined, np.concatenate([np.where(a.rows < 0, ABSENT, a.rows + offsets[a.store]) for a in to_concat])
        )

    def _values_for_factorize(self) -> tuple[NDArray[Any], Any]:
        return self._batch.digests(), np.uint64(0)

    def factorize(self, use_na_sentinel: bool = True) -> tuple[NDArray[np.intp], MediaArray]:
        """Codes of equal objects, and the first of each; -1 where there is none."""
        digests = self._batch.digests()
        given = self._batch.present if use_na_sentinel else np.ones(len(self), dtype=bool)
        codes = np.full(len(self), -1, np.intp)
        places = np.flatnonzero(given)
        codes[places], _ = pd.factorize(digests[places])
        first = pd.Series(codes[places]).drop_duplicates().index.to_numpy()
        return codes, MediaArray(self.store, self.rows[places[first]])

    def unique(self) -> MediaArray:
        """The first of each of the equal objects."""
        return self.factorize(use_na_sentinel=False)[1]

    def duplicated(self, keep: Any = "first") -> NDArray[np.bool_]:
        """See pandas; empty cells are equal."""
        return pd.Series(self._batch.digests()).duplicated(keep).to_numpy()

    def _hash_pandas_object(self, *, encoding: str, hash_key: str, categorize: bool) -> NDArray[np.uint64]:
        return self._batch.digests()

    def _formatter(self, boxed: bool = False) -> Any:
        return lambda cell: "-" if cell is None else f"<{self.store.kind} {'x'.join(map(str, cell.shape))}>"
