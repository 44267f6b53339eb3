"""Files that are there whole or not at all, also after a power cut.

A file is written beside its place, forced to the disk, renamed, and the folder's entry is forced to the disk too:
without the last step a power cut may bring back the old name.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from autodl.store.disk import disk_trouble

SUFFIX = ".tmp"
"""Ends the names of half-written files; a killed process may leave some."""


def write_atomic(path: Path, data: bytes, *, durable: bool = True, listed: bool = True) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Args:
        path: Where to; its folder must exist.
        data: The whole content.
        durable: Wait until the disk has the content, so that it survives a power cut.
        listed: Wait also until the disk has the name; several files of one folder can share one ``sync_folder``.

    Raises:
        DiskError: If the system refuses.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{SUFFIX}")
    with disk_trouble(path):
        try:
            with temporary.open("wb") as file:
                file.write(data)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable and listed:
            sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Wait until the disk has the content of a file or the entries of a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until the disk has the names in a folder; systems that cannot open folders do it by themselves."""
    if os.name == "posix":
        sync_file(path)


def make_folder(path: Path, root: Path) -> None:
    """Make ``path`` and the folders between it and ``root``, which must exist.

    Raises:
        DiskError: If the system refuses, or ``root`` is gone.
    """
    if path == root or path.is_dir():
        return
    make_folder(path.parent, root)
    with disk_trouble(path):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def swap_folder(staged: Path, final: Path, old: Path) -> None:
    """Put a written folder in the place of another; at every moment ``final`` or ``old`` is a whole one.

    Raises:
        DiskError: If the system refuses; what was in place stays, as ``final`` or as ``old``.
    """
    with disk_trouble(final):
        for path in staged.iterdir():
            sync_file(path)
        sync_folder(staged)
        if final.exists():
            remove_folder(old)
            final.rename(old)
        staged.rename(final)
        sync_folder(final.parent)
        remove_folder(old)


def remove_folder(path: Path) -> None:
    """Delete a folder and what is in it; nothing if it is not there."""
    if path.exists():
        shutil.rmtree(path)
