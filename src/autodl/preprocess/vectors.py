"""Vectors of images and texts, made once: folds, trials and models of an ensemble ask for the same ones again.

Notation: n objects asked for, m known ones, w numbers for each.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from autodl.clock import NEVER, Deadline
from autodl.preprocess.vector_making import Objects, TooSlowError, fill
from autodl.records import Footprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from autodl.preprocess.vector_making import Maker

TAKES = "takes.json"
_BY_COLUMN = TypeAdapter(dict[str, Footprint])
LIMIT = 256_000_000
"""Bytes of vectors that a process keeps in memory; those in files are mapped and do not count."""


class VectorTable:
    """Vectors of m objects by digest; in a folder, or in memory.

    Args:
        digests: (m,) of the objects, ascending.
        vectors: (m, w) float16.
        folder: Where both lie as npy files; then a pickle holds its name only.

    Attributes:
        takes: What making the vector of a new object takes, by column; without those that were not measured.
    """

    def __init__(self, digests: NDArray[np.uint64], vectors: NDArray[np.float16], folder: Path | None = None) -> None:
        self.digests, self.vectors, self.folder = digests, vectors, folder
        self.takes: dict[str, Footprint] = {}

    @classmethod
    def sorted(cls, digests: NDArray[np.uint64], vectors: NDArray[np.float16]) -> VectorTable:
        """The table of these in any order; of equal digests the first counts."""
        kept, places = np.unique(digests, return_index=True)
        return cls(kept, vectors[places])

    @classmethod
    def open(cls, folder: Path) -> VectorTable:
        """The table that ``save`` has written.

        Raises:
            OSError, ValueError: If there is none, or it is damaged.
        """
        digests = np.load(folder / "digests.npy", allow_pickle=False)
        vectors = np.load(folder / "vectors.npy", mmap_mode="r" if len(digests) else None, allow_pickle=False)
        if vectors.ndim != 2 or len(vectors) != len(digests):
            raise ValueError(f"{folder} holds {len(digests)} digests, but vectors of shape {vectors.shape}")
        table = cls(digests, vectors, folder)
        if (folder / TAKES).is_file():
            table.takes = _BY_COLUMN.validate_json((folder / TAKES).read_bytes())
        return table

    def note(self, takes: Mapping[str, Footprint]) -> None:
        """Keep what making the vector of a new object takes, by column; in the folder too if there is one."""
        self.takes = self.takes | dict(takes)
        if self.folder is not None:
            (self.folder / TAKES).write_bytes(_BY_COLUMN.dump_json(self.takes))

    def save(self, folder: Path) -> VectorTable:
        """Write it; the table in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "vectors.npy", self.vectors)
        np.save(folder / "digests.npy", self.digests)
        return VectorTable.open(folder)

    @classmethod
    def make(
        cls, maker: Maker, digests: NDArray[np.uint64], objects: Objects, folder: Path, deadline: Deadline = NEVER
    ) -> VectorTable:
        """Make the vectors of all objects, written to a folder as they come: memory holds a batch of them.

        Args:
            maker: What makes them.
            digests: (n,) of the objects; 0 where there is none.
            objects: Those at given positions.
            folder: Holds a part of them if this fails.
            deadline: See ``fill``.

        Raises:
            TimeoutError: See ``fill``. OSError: If the disk refuses.
        """
        folder.mkdir(parents=True, exist_ok=True)
        kept, places = np.unique(digests, return_index=True)
        kept, places = kept[kept != 0], places[kept != 0]
        made = fill(maker, places, objects, lambda shape: _file(folder, shape), deadline)
        if isinstance(made, np.memmap):
            made.flush()
        else:  # there is no object at all
            np.save(folder / "vectors.npy", made)
        np.save(folder / "digests.npy", kept)
        return cls.open(folder)

    def rows(self, digests: NDArray[np.uint64]) -> NDArray[np.intp]:
        """(n,) where they stand, -1 where they do not."""
        if not len(self.digests):
            return np.full(len(digests), -1, np.intp)
        places = np.minimum(np.searchsorted(self.digests, digests), len(self.digests) - 1)
        return np.where(self.digests[places] == digests, places, -1)

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "takes": self.takes} if self.folder is not None else self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "digests" not in state:
            try:
                table = VectorTable.open(state["folder"])
            except (OSError, ValueError):  # another machine, or the run folder is gone: they are made anew
                table = VectorTable(np.empty(0, np.uint64), np.empty((0, 0), np.float16))
            state = table.__dict__ | {"takes": state["takes"]}
        self.__dict__.update(state)


class VectorMemory:
    """What this process knows of vectors: tables that it was told of, and what it made itself.

    Args:
        limit: Bytes of vectors of its own that it keeps at most; those made last, of whatever maker.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._told: dict[str, VectorTable] = {}
        self._own: OrderedDict[str, VectorTable] = OrderedDict()
        self._lock = threading.RLock()
        self._here = threading.local()

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """In this thread all objects are made as if nobody had seen them, however often they come, as new ones are.

        Only just the same objects, asked for together again, are known: the models of an ensemble do so.
        """
        before, self._here.asked = self._asked, {}
        try:
            yield
        finally:
            self._here.asked = before

    @property
    def _asked(self) -> _Asked | None:
        """What was asked for while all was unseen; None where all that is known may be used."""
        found: _Asked | None = getattr(self._here, "asked", None)
        return found

    def learn(self, key: str, table: VectorTable) -> None:
        """Know the vectors of a table from now on, made by the maker of this key."""
        with self._lock:
            self._told[key] = table

    def forget(self, key: str) -> None:
        """Know nothing any more of what the maker of this key has made."""
        with self._lock:
            self._told.pop(key, None)
            self._own.pop(key, None)

    def get(
        self,
        maker: Maker,
        digests: NDArray[np.uint64],
        objects: Objects,
        deadline: Deadline = NEVER,
    ) -> NDArray[np.float32]:
        """(n, w) vectors; NaN where there is no object, and w = 0 if there is none at all.

        Args:
            maker: Makes those that are not known.
            digests: (n,) of the objects; 0 where there is none.
            objects: Those at given positions.
            deadline: See ``fill``; what was made by then is kept.

        Raises:
            TimeoutError: If the deadline passes, or all will not be done by then.
        """
        if self._asked is not None:
            return _anew(self._asked, maker, digests, objects)
        with self._lock:  # one thread makes them, the others find them here
            known_tables = (self._told.get(maker.key), self._own.get(maker.key))
            tables = [t for t in known_tables if t is not None and (t.rows(digests) >= 0).any()]
            known = np.zeros(len(digests), dtype=bool)
            for table in tables:
                known |= table.rows(digests) >= 0
            _, first = np.unique(digests, return_index=True)
            missing = np.sort(first[~known[first] & (digests[first] != 0)])
            if len(missing):
                tables.append(self._made(maker, digests, missing, objects, deadline))
                self._keep(maker.key, tables[-1])
        width = max((t.vectors.shape[1] for t in tables), default=0)
        out = np.full((len(digests), width), np.nan, np.float32)
        for table in tables:
            rows = table.rows(digests)
            out[rows >= 0] = table.vectors[rows[rows >= 0]]
        return out

    def told(self, key: str) -> VectorTable | None:
        """What it was told of the maker of this key."""
        return self._told.get(key)

    def table(self, key: str) -> VectorTable | None:
        """What was made here by the maker of this key."""
        return self._own.get(key)

    def _made(
        self,
        maker: Maker,
        digests: NDArray[np.uint64],
        places: NDArray[np.intp],
        objects: Objects,
        deadline: Deadline,
    ) -> VectorTable:
        kept: list[NDArray[np.float16]] = []

        def allocate(shape: tuple[int, int]) -> NDArray[np.float16]:
            kept.append(np.empty(shape, np.float16))
            return kept[0]

        try:
            vectors = fill(maker, places, objects, allocate, deadline)
        except TooSlowError as error:
            if len(error.done):
                self._keep(maker.key, VectorTable.sorted(digests[places[error.done]], kept[0][error.done]))
            raise
        return VectorTable.sorted(digests[places], vectors)

    def _keep(self, key: str, new: VectorTable) -> None:
        old = self._own.pop(key, None)
        if old is not None and old.vectors.nbytes + new.vectors.nbytes <= self._limit:
            new = VectorTable.sorted(
                np.concatenate([old.digests, new.digests]), np.concatenate([old.vectors, new.vectors])
            )
        self._own[key] = new
        while len(self._own) > 1 and sum(t.vectors.nbytes for t in self._own.values()) > self._limit:
            self._own.popitem(last=False)


_Asked = dict[tuple[str, bytes], "NDArray[np.float32]"]
"""Vectors by the key of their maker and the digests of all objects that were asked for together."""


def _anew(asked: _Asked, maker: Maker, digests: NDArray[np.uint64], objects: Objects) -> NDArray[np.float32]:
    """What ``VectorMemory.get`` gives, made now unless just these were asked for; equal objects are made each."""
    key = maker.key, digests.tobytes()
    if key not in asked:
        places = np.flatnonzero(digests)
        made = fill(maker, places, objects, lambda shape: np.empty(shape, np.float16))
        asked[key] = np.full((len(digests), made.shape[1]), np.nan, np.float32)
        asked[key][places] = made
    return asked[key]


def _file(folder: Path, shape: tuple[int, int]) -> NDArray[np.float16]:
    open_memmap: Callable[..., NDArray[np.float16]] = np.lib.format.open_memmap
    return open_memmap(folder / "vectors.npy", mode="w+", dtype=np.float16, shape=shape)


vector_memory = VectorMemory()
"""Of this process. Nothing depends on what it holds but the time that vectors take."""
