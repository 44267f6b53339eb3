"""Where images and series lie: decoded once, in files that are mapped into memory by every process that reads them.

Notation: N objects, S side of an image in pixels, t steps of a series, c channels.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FILES = "files.json"
"""Beside the arrays of images: the files that they came from."""


class MediaStore(ABC):
    """N objects of one kind."""

    kind: ClassVar[str]

    @abstractmethod
    def __len__(self) -> int:
        """N."""

    @abstractmethod
    def digests(self) -> NDArray[np.uint64]:
        """(N,) numbers that are equal for equal objects; never 0."""

    @abstractmethod
    def get(self, row: int) -> NDArray[Any]:
        """One object."""

    def word(self, row: int) -> str:
        """One object in a few words, for people."""
        return f"{self.kind} of {' x '.join(map(str, self.get(row).shape))}"


class _Filed(MediaStore):
    """A store in a folder of npy files, opened on first use. Its pickle holds the folder only."""

    names: ClassVar[tuple[str, ...]]

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()
        self._open: dict[str, NDArray[Any]] = {}

    def array(self, name: str) -> NDArray[Any]:
        """One of its arrays, mapped and not to be written to.

        Raises:
            FileNotFoundError: If the folder is gone.
        """
        if name not in self._open:
            # Empty arrays cannot be mapped.
            file = self.folder / f"{name}.npy"
            try:
                self._open[name] = np.load(file, mmap_mode="r", allow_pickle=False)
            except ValueError:
                self._open[name] = np.load(file, allow_pickle=False)
        return self._open[name]

    def digests(self) -> NDArray[np.uint64]:
        """See ``MediaStore``."""
        return self.array("digests")

    def __len__(self) -> int:
        return len(self.digests())

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder, "_open": {}}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, _Filed) and self.folder == other.folder

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.folder))


class ImageStore(_Filed):
    """Images of one size: ``pixels.npy`` (N, S, S, 3) uint8 RGB, ``sizes.npy`` (N, 2) height and width before."""

    kind = "image"
    names = ("pixels", "sizes", "digests")

    @property
    def side(self) -> int:
        """S."""
        return int(self.array("pixels").shape[1])

    @cached_property
    def files(self) -> tuple[tuple[str, ...], dict[int, str]]:
        """(N,) paths of the files that the images came from, and why some gave none; both empty where not noted."""
        noted = self.folder / FILES
        if not noted.is_file():
            return (), {}
        told = json.loads(noted.read_text(encoding="utf-8"))
        return tuple(told["paths"]), {int(row): why for row, why in told["lost"].items()}

    def word(self, row: int) -> str:
        """The file and its folder, which are enough for a person to find it."""
        paths = self.files[0]
        return "/".join(Path(paths[row]).parts[-2:]) if paths else super().word(row)

    def get(self, row: int) -> NDArray[np.uint8]:
        """(S, S, 3)."""
        return np.asarray(self.array("pixels")[row])

    def pixels(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(n, S, S, 3); grey where the row is ``ABSENT``."""
        pixels = self.array("pixels")
        found: NDArray[np.uint8] = pixels[np.maximum(rows, 0)] if len(pixels) else np.empty(
            (len(rows), *pixels.shape[1:]), np.uint8
        )  # fmt: skip
        if (rows < 0).any():
            found[rows < 0] = 128
        return found


class SeriesStore(_Filed):
    """Series of any length: ``values.npy`` (all steps, c) float32, ``starts.npy`` (N + 1,) int64."""

    kind = "series"
    names = ("values", "starts", "digests")

    @property
    def channels(self) -> int:
        """c."""
        return int(self.array("values").shape[1])

    def lengths(self, rows: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """(n,) steps of these rows, or of all; 0 where the row is ``ABSENT``."""
        lengths = np.diff(self.array("starts"))
        if rows is None:
            return lengths
        return np.where(rows < 0, 0, lengths[np.maximum(rows, 0)] if len(lengths) else 0)

    def get(self, row: int) -> NDArray[np.float32]:
        """(t, c)."""
        starts = self.array("starts")
        return np.asarray(self.array("values")[starts[row] : starts[row + 1]])

    def padded(self, rows: NDArray[np.int64], length: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(n, length, c) values, the first ``length`` steps with zeros behind the end, and the (n,) steps kept."""
        out = np.zeros((len(rows), length, self.channels), np.float32)
        kept = np.minimum(self.lengths(rows), length)
        for place, (row, n) in enumerate(zip(rows, kept, strict=True)):
            if n:
                out[place, :n] = self.get(int(row))[:n]
        return out, kept


class JoinedStore(MediaStore):
    """Stores of one kind behind one another, for columns that are joined.

    Args:
        stores: At least one, all of one kind.
    """

    def __init__(self, stores: Sequence[MediaStore]) -> None:
        if len({type(s) for s in stores}) != 1:
            raise ValueError(f"stores of one kind are needed, but got {[type(s).__name__ for s in stores]}")
        self.stores = tuple(stores)
        self.offsets = np.concatenate([[0], np.cumsum([len(s) for s in stores])])

    @property
    def kind(self) -> str:  # type: ignore[override]
        """That of its parts."""
        return self.stores[0].kind

    def __len__(self) -> int:
        return int(self.offsets[-1])

    def digests(self) -> NDArray[np.uint64]:
        """See ``MediaStore``."""
        return np.concatenate([s.digests() for s in self.stores])

    def get(self, row: int) -> NDArray[Any]:
        """See ``MediaStore``."""
        part = int(np.searchsorted(self.offsets, row, side="right")) - 1
        return self.stores[part].get(row - int(self.offsets[part]))

    def word(self, row: int) -> str:
        """See ``MediaStore``."""
        part = int(np.searchsorted(self.offsets, row, side="right")) - 1
        return self.stores[part].word(row - int(self.offsets[part]))
