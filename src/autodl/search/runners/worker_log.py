"""What trials print on workers: kept by the worker, handed over with the answer, told to the user once."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST_BYTES = 8_000
"""Of one call; of more, the beginning and the end are kept."""
MOST_LINES = 2_000
"""Different lines that a run tells in all."""


@contextmanager
def captured() -> Iterator[Callable[[], str]]:
    """Everything that this process writes to standard output and error meanwhile, native libraries included.

    Yields:
        A function that tells what was written so far.
    """
    _flush()
    with tempfile.TemporaryFile() as file:
        kept = [os.dup(1), os.dup(2)]
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)

        def said() -> str:
            _flush()
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            if size <= MOST_BYTES:
                return file.read().decode(errors="replace")
            head = file.read(MOST_BYTES // 2)
            file.seek(size - MOST_BYTES // 2)
            return f"{head.decode(errors='replace')}\n...\n{file.read().decode(errors='replace')}"

        try:
            yield said
        finally:
            _flush()
            for number, saved in zip((1, 2), kept, strict=True):
                os.dup2(saved, number)
                os.close(saved)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


class Told:
    """Passes on each line once, however many workers say it."""

    def __init__(self) -> None:
        self._lines: set[str] = set()

    def tell(self, text: str) -> None:
        """Write the lines that are new to standard error, which a command keeps in the log of its run."""
        for line in text.splitlines():
            if line.strip() and line not in self._lines and len(self._lines) < MOST_LINES:
                self._lines.add(line)
                sys.stderr.write(f"[worker] {line}\n")
