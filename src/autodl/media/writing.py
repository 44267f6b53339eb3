"""Objects into the folders of stores, one at a time, so that memory holds one of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.media.stores import ImageStore, SeriesStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def digest(array: NDArray[Any]) -> int:
    """A number of 64 bits from the values and their shape; never 0.

    >>> digest(np.zeros(3)) == digest(np.zeros(3)), digest(np.zeros(3)) == digest(np.zeros((3, 1)))
    (True, False)
    """
    told = hashlib.blake2b(repr((array.shape, array.dtype.str)).encode(), digest_size=8)
    told.update(np.ascontiguousarray(array).tobytes())
    return int.from_bytes(told.digest(), "little") or 1


def write_images(
    folder: Path, images: Iterable[tuple[NDArray[np.uint8], tuple[int, int]]], n: int, side: int
) -> ImageStore:
    """Write n images.

    Args:
        folder: Made if it is not there.
        images: n of them: ((side, side, 3) pixels, height and width of the original).
        n: How many. side: S.

    Raises:
        ValueError: If an image has another shape, or there are more or fewer.
        OSError: If the disk has no room.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shape = (n, side, side, 3)
    file = folder / "pixels.npy"
    pixels: NDArray[np.uint8] = np.empty((0, *shape[1:]), np.uint8)
    if n:
        pixels = np.lib.format.open_memmap(file, "w+", np.uint8, shape)  # type: ignore[no-untyped-call]
    if n and hasattr(os, "posix_fallocate"):
        # Without room for a page of a mapped file the system would end the process.
        with file.open("r+b") as there:
            os.posix_fallocate(there.fileno(), 0, file.stat().st_size)
    sizes, digests = np.zeros((n, 2), np.int32), np.zeros(n, np.uint64)
    seen = 0
    for seen, (image, size) in enumerate(images, start=1):
        if seen > n or image.shape != shape[1:]:
            raise ValueError(f"{n} images of {shape[1:]} were announced, but number {seen} has {image.shape}")
        pixels[seen - 1], sizes[seen - 1], digests[seen - 1] = image, size, digest(image)
    if seen != n:
        raise ValueError(f"{n} images were announced, but {seen} came")
    if isinstance(pixels, np.memmap):
        pixels.flush()
    else:
        np.save(file, pixels)
    np.save(folder / "sizes.npy", sizes)
    np.save(folder / "digests.npy", digests)
    return ImageStore(folder)


def write_series(folder: Path, series: Iterable[NDArray[Any]], channels: int) -> SeriesStore:
    """Write series, each (t, channels) of its own length.

    Raises:
        ValueError: If one has other channels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts: list[NDArray[np.float32]] = []
    for place, one in enumerate(series):
        if one.ndim != 2 or one.shape[1] != channels:
            raise ValueError(f"(t, {channels}) is needed, but series {place} has {one.shape}")
        parts.append(np.asarray(one, np.float32))
    starts = np.concatenate([[0], np.cumsum([len(p) for p in parts], dtype=np.int64)]).astype(np.int64)
    np.save(folder / "values.npy", np.concatenate(parts) if parts else np.empty((0, channels), np.float32))
    np.save(folder / "starts.npy", starts)
    np.save(folder / "digests.npy", np.array([digest(p) for p in parts], np.uint64))
    return SeriesStore(folder)
