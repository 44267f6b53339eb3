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
"""Different lines or tracebacks that a run tells in all."""

_TRACEBACK = "Traceback (most recent call last)"


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
    """Passes on what workers say, once, however many of them say it."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, text: str) -> None:
        """Write what is new to standard error, which a command keeps in the log of its run.

        Single lines are told once each; a text with a traceback is told whole, since its lines make sense together.
        """
        whole = _TRACEBACK in text
        for part in [text.strip()] if whole else text.splitlines():
            if part.strip() and part not in self._told and len(self._told) < MOST_LINES:
                self._told.add(part)
                sys.stderr.write("".join(f"[worker] {line}\n" for line in part.splitlines()))
