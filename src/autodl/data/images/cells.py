"""Cells that name image files to a column of images: decoded in threads, written once, found again later.

Notation: n cells, N distinct files.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.data.images.decoding import Decoded, Lost, LostImageError, decode, opened_pixels
from autodl.data.images.sizes import LOOKED_AT
from autodl.errors import DataError
from autodl.media.array import MediaArray
from autodl.media.batch import ABSENT
from autodl.media.place import MediaPlace, process_place
from autodl.media.stores import FILES, ImageStore
from autodl.media.writing import write_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORM = 2
"""Raised when images are decoded in another way, so that stores of earlier versions are not taken."""
FEW = 4
"""Up to so many files one thread decodes: others would start in vain."""
AHEAD = 16
"""Files that each thread may be ahead of the writing."""
MEMORY_SHARE, PIXEL_BYTES = 0.3, 16
"""Share of the free memory that pictures may take while they are decoded, and bytes of a pixel in all its forms."""
_TRAITS = "traits"


def decode_cells(
    words: Sequence[str],
    codes: NDArray[Any],
    side: int,
    *,
    crop: bool,
    shades: tuple[float, float] | None = None,
    place: MediaPlace | None = None,
) -> MediaArray:
    """The images that cells name; empty where there is no name or no image.

    Args:
        words: (N,) distinct paths; relative ones are taken from the current folder.
        codes: (n,) positions in ``words``; -1 where the cell is empty.
        side, crop, shades: As ``decode`` takes them.
        place: Where the store is made, or found if these files were decoded before.

    Raises:
        DataError: If the disk has no room.
    """
    where = place or process_place()
    key = _key(words, side, crop, shades)
    folder = where.find(key)
    if folder is not None and not _is_whole(folder, len(words)):
        shutil.rmtree(folder)
        folder = None
    if folder is None:
        try:
            with where.make(key) as part:
                _write(part, words, side, crop, shades)
        except OSError as error:
            raise DataError(
                f"the images cannot be kept in {where.folder}: {error.strerror or error}",
                where.remedy,
            ) from error
        folder = where.folder / key
    store = ImageStore(folder)
    lost = store.files[1]
    rows = np.arange(len(words), dtype=np.int64)
    rows[list(lost)] = ABSENT
    return MediaArray(store, np.where(codes < 0, ABSENT, np.append(rows, ABSENT)[codes]))


def _is_whole(folder: Path, n: int) -> bool:
    """Whether a store that was found can be read: a disk may have been full, or a copy of it cut off."""
    store = ImageStore(folder)
    try:
        arrays = [store.array(name) for name in (*ImageStore.names, _TRAITS)]
        return all(len(a) == n for a in arrays) and len(store.files[0]) == n
    except (OSError, ValueError, KeyError, EOFError):
        return False


def store_traits(store: ImageStore) -> NDArray[np.float32]:
    """(N, 4) whether an image is grey, the deviation of its brightness, whether it moves and is transparent."""
    return np.asarray(store.array(_TRAITS), np.float32)


def names_of(column: MediaArray) -> NDArray[np.object_]:
    """(n,) paths of the files behind the cells, as a raw table has them; None where there is no image.

    Raises:
        TypeError: If the store was not made by ``decode_cells``.
    """
    if not isinstance(column.store, ImageStore) or len(column.store.files[0]) != len(column.store):
        raise TypeError("images of a store that notes its files are needed")
    paths = np.array([*column.store.files[0], None], dtype=object)
    return np.asarray(paths[column.rows])


def _key(words: Sequence[str], side: int, crop: bool, shades: tuple[float, float] | None) -> str:
    """Equal for equal files: names, sizes, times of the last change, and the way they are decoded."""
    # Without shades the key is that of earlier versions, whose stores hold the same images.
    told = hashlib.blake2b(
        repr((FORM, side, crop) if shades is None else (FORM, side, crop, shades)).encode(), digest_size=12
    )
    for word in words:
        try:
            found = os.stat(word)  # noqa: PTH116
            about = (word, found.st_size, found.st_mtime_ns)
        except (OSError, ValueError):
            about = (word, 0, 0)
        told.update(repr(about).encode("utf-8", errors="surrogatepass"))
    return told.hexdigest()


def _write(folder: Path, words: Sequence[str], side: int, crop: bool, shades: tuple[float, float] | None) -> None:
    traits = np.zeros((len(words), 4), np.float32)
    lost: dict[int, str] = {}

    def images() -> Iterator[tuple[NDArray[np.uint8], tuple[int, int]]]:
        blank = np.full((side, side, 3), 128, np.uint8)
        for row, image in enumerate(_decoded(words, side, crop, shades)):
            if isinstance(image, Lost):
                lost[row] = image.value
                yield blank, (0, 0)
            else:
                traits[row] = image.grey, image.spread, image.moving, image.clear
                yield image.pixels, image.size

    write_images(folder, images(), len(words), side)
    np.save(folder / f"{_TRAITS}.npy", traits)
    told = {"paths": [str(Path(w).absolute()) for w in words], "lost": lost}
    (folder / FILES).write_text(json.dumps(told, ensure_ascii=True), encoding="utf-8")


def _decoded(
    words: Sequence[str], side: int, crop: bool, shades: tuple[float, float] | None
) -> Iterator[Decoded | Lost]:
    """The images in order. Threads, since reading and decoding leave Python; few are held at a time."""

    def one(word: str) -> Decoded | Lost:
        try:
            return decode(word, side, crop=crop, shades=shades)
        except LostImageError as error:
            return error.why

    threads = _threads(words, side)
    with warnings.catch_warnings(), ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        warnings.simplefilter("ignore")  # Pillow warns of odd notes in files, and of large ones before they are read
        waiting: deque[Future[Decoded | Lost]] = deque()
        try:
            for word in words:
                waiting.append(pool.submit(one, word))
                if len(waiting) > AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for late in waiting:
                late.cancel()


def _threads(words: Sequence[str], side: int) -> int:
    """As many as there are cores, fewer where so many of the largest pictures would not fit the memory."""
    from autodl.machine import this_machine

    if len(words) <= FEW:
        return 1
    largest = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A large one that is missed here is rare, and alone does no harm.
        for word in words[:: max(1, len(words) // LOOKED_AT)]:
            with suppress(LostImageError):
                largest = max(largest, opened_pixels(word, side))
    machine = this_machine()
    return max(1, min(machine.cores, int(MEMORY_SHARE * machine.memory_bytes / (PIXEL_BYTES * largest))))
