"""Which network it was: models name the encoder that they were trained with, and refuse another one."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".json", ".txt", ".model")
"""Of weights, configurations and vocabularies; notes about them do not matter."""
_APART = frozenset({"data_config.json"})
"""What sentence-transformers writes about the training data."""


def model_files(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that decide what its network answers, in order."""
    found = (f for f in folder.rglob("*") if f.suffix in _SUFFIXES and f.name not in _APART and f.is_file())
    return tuple(sorted(found))


def digest_of(files: tuple[Path, ...]) -> str:
    """SHA-256 of the files' content in this order; 16 letters of it.

    Raises:
        OSError: If one cannot be read.
    """
    return _digest(tuple((f, f.stat().st_size, f.stat().st_mtime_ns) for f in files))


@lru_cache(maxsize=32)
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    told = hashlib.sha256()
    for file, size, _ in files:
        told.update(f"{size}\n".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                told.update(block)
    return told.hexdigest()[:16]
