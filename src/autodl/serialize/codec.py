"""A model as one safetensors file: its arrays, and its structure as JSON in the tensor ``structure``.

safetensors checks every length and offset and cannot be compressed, so a small file never becomes a large object.
Reading creates only types on the list of ``allowed``. Not skops: its import alone takes longer than a prediction,
large forests load several times slower than with pickle, and its files may name any of hundreds of types.
"""

from __future__ import annotations

import json
from typing import Any

_STRUCTURE = "structure"
_VERSION = 1


def dump(value: Any) -> bytes:
    """A value of allowed types as bytes.

    Raises:
        UnsupportedValueError: If it holds something else.
    """
    import numpy as np
    from safetensors.numpy import save

    from autodl.serialize.values import Writer

    writer = Writer()
    structure = {"version": _VERSION, "value": writer.write(value)}
    text = json.dumps(structure, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return bytes(save({**writer.arrays, _STRUCTURE: np.frombuffer(text, dtype=np.uint8)}))


def load(data: bytes) -> Any:
    """The value that ``dump`` wrote.

    Raises:
        RefusedTypeError: If the file names a type that is not on the list.
        Exception: Of any type, if the file is not what ``dump`` writes.
    """
    from safetensors.numpy import load as load_arrays

    from autodl.serialize.values import Reader

    arrays = load_arrays(data)
    structure = json.loads(arrays.pop(_STRUCTURE).tobytes().decode("utf-8", "surrogatepass"))
    if structure["version"] != _VERSION:
        raise ValueError(f"version {structure['version']} of the format, not {_VERSION}")
    return Reader(arrays).read(structure["value"])


def is_safe_format(data: bytes) -> bool:
    """Whether bytes are a safetensors file, whose header begins after eight bytes of length; a pickle never does."""
    return data[8:9] == b"{"


def file_suffix(data: bytes) -> str:
    """How the name of a model file with this content ends."""
    return ".safetensors" if is_safe_format(data) else ".pkl"
