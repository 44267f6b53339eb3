"""Objects handed to worker processes through one unnamed file: written once, mapped by each worker.

Layout: the number of parts, the size of each part (int64), then the parts, each at a multiple of 64 bytes. The first
part is the pickle stream, the others are the arrays that pickle protocol 5 leaves out of it. A worker maps the file
copy-on-write, so that all workers share the pages of large arrays and none can change them for the others. The file
has no name: it is gone when the last process that holds it ends, even by ``kill -9``.
"""

from __future__ import annotations

import mmap
import os
import pickle
import tempfile
from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np

_ALIGN = 64
_HEAD = np.dtype("<i8")


def write_shared(thing: Any, dumps: Callable[..., bytes] = pickle.dumps) -> IO[bytes]:
    """Write an object; hand the file's descriptor to the workers.

    Args:
        thing: The object.
        dumps: ``pickle.dumps``, or ``cloudpickle.dumps`` for functions that no module has.

    Raises:
        OSError: If the disk of temporary files is full.
    """
    arrays: list[pickle.PickleBuffer] = []
    stream = dumps(thing, protocol=5, buffer_callback=arrays.append)
    parts = [memoryview(stream), *(a.raw() for a in arrays)]
    file = tempfile.TemporaryFile()  # noqa: SIM115  # held by the caller
    file.write(np.array([len(parts), *(p.nbytes for p in parts)], dtype=_HEAD).tobytes())
    for part in parts:
        file.write(b"\0" * (-file.tell() % _ALIGN))
        file.write(part)
    file.flush()
    return file


def read_parts(descriptor: int) -> list[memoryview]:
    """The parts in a file that ``write_shared`` has written: views of the mapped file."""
    mapped = memoryview(mmap.mmap(descriptor, os.fstat(descriptor).st_size, access=mmap.ACCESS_COPY))
    count = int(np.frombuffer(mapped[: _HEAD.itemsize], dtype=_HEAD)[0])
    head = (1 + count) * _HEAD.itemsize
    sizes = np.frombuffer(mapped[_HEAD.itemsize : head], dtype=_HEAD)
    parts, at = [], head
    for size in sizes:
        at += -at % _ALIGN
        parts.append(mapped[at : at + int(size)])
        at += int(size)
    return parts


def join_parts(parts: Sequence[Any]) -> Any:
    """The object that consists of these parts; its arrays are views of them."""
    return pickle.loads(parts[0], buffers=parts[1:])


def read_shared(descriptor: int) -> Any:
    """The object in a file that ``write_shared`` has written; arrays are views of the mapped file."""
    return join_parts(read_parts(descriptor))
