"""The folder in which stores are made, and how one that is there already is found again."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PREFIX = "autodl-media-"


class MediaPlace:
    """A folder of stores. Each lies in a folder of its own, whose name follows from what was put into it.

    Args:
        folder: Where; made when the first store is.
        private: Whether other users of the machine are kept out, as from what lies among the temporary files.
    """

    def __init__(self, folder: str | Path, *, private: bool = False) -> None:
        self.folder, self.private = Path(folder).absolute(), private

    @property
    def remedy(self) -> str:
        """What to do where its disk refuses."""
        larger = "set TMPDIR to a folder on a larger one" if self.private else "begin on a larger one with --out"
        return f"Make room on that disk, or {larger}."

    def find(self, key: str) -> Path | None:
        """The finished folder of this key; None if it was not made, or not to its end."""
        made = self.folder / key
        return made if made.is_dir() else None

    @contextmanager
    def make(self, key: str) -> Iterator[Path]:
        """An empty folder to fill; ``place / key`` once all went well, and gone if not.

        The files may be mapped into memory at once: renaming their folder does not move them.
        """
        # Without parents: a run folder that was taken away must not come back.
        self.folder.mkdir(0o700 if self.private else 0o777, exist_ok=True)
        self._clear()
        part = self.folder / f".{key}-{os.getpid()}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        try:
            yield part
            if (self.folder / key).is_dir():  # another process was quicker
                shutil.rmtree(part)
            else:
                part.rename(self.folder / key)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def _clear(self) -> None:
        """Remove what processes have left that were killed."""
        import psutil

        for part in self.folder.glob(".*-*"):
            owner = part.name.rpartition("-")[2]
            if owner.isdigit() and not psutil.pid_exists(int(owner)):
                shutil.rmtree(part, ignore_errors=True)


@contextmanager
def passing_place() -> Iterator[MediaPlace]:
    """A place that is taken away at the end, for rows that are predicted and forgotten; costs nothing if not used."""
    place = _new()
    try:
        yield place
    finally:
        if place.folder.is_dir():
            shutil.rmtree(place.folder, ignore_errors=True)


@cache
def process_place() -> MediaPlace:
    """The place of this process where no other is named; taken away when it ends, unless by ``os._exit``."""
    import atexit

    place, owner = _new(), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # a forked child ends earlier
            shutil.rmtree(place.folder, ignore_errors=True)

    atexit.register(remove)
    return place


def _new() -> MediaPlace:
    """A place among the temporary files that nobody else has."""
    return MediaPlace(Path(tempfile.gettempdir()) / f"{PREFIX}{secrets.token_hex(12)}", private=True)
