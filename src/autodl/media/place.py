"""The folder in which stores are made, and how one that is there already is found again."""

from __future__ import annotations

import os
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
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder).absolute()

    def find(self, key: str) -> Path | None:
        """The finished folder of this key; None if it was not made, or not to its end."""
        made = self.folder / key
        return made if made.is_dir() else None

    @contextmanager
    def make(self, key: str) -> Iterator[Path]:
        """An empty folder to fill; ``place / key`` once all went well, and gone if not.

        The files may be mapped into memory at once: renaming their folder does not move them.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
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


@contextmanager
def passing_place() -> Iterator[MediaPlace]:
    """A place that is taken away at the end, for rows that are predicted and forgotten."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        yield MediaPlace(folder)


@cache
def process_place() -> MediaPlace:
    """The place of this process where no other is named; taken away when it ends."""
    import atexit

    folder, owner = tempfile.mkdtemp(prefix=PREFIX), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # a forked child ends earlier
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return MediaPlace(folder)
