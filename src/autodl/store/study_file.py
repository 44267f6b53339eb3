"""A file in Optuna's journal format that is a copy of something durable: it may be cut off, but never lies.

One JSON line an operation, as ``optuna.storages.journal.JournalFileBackend`` reads them. The lines are written
without Optuna, whose import and storage would cost a short run a good part of a second.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from autodl.errors import DiskError
from autodl.store.atomic import write_atomic

WRITER = "autodl"
"""``worker_id`` of our lines; optuna-dashboard adds its own, such as notes."""
_MARK = f'"worker_id":"{WRITER}"'.encode()


class StudyFile:
    """Appends lines; a fault of the disk costs the rest of the file and nothing else.

    Args:
        path: The file.
        lines: What must stand in it by now, without line ends. A file that has the first of them is completed, any
            other one is written anew.
    """

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self.path = path
        self._broken = False
        try:
            missing = self._known(lines)
            if missing is None:
                write_atomic(path, _joined(lines), durable=False)
            else:
                self._append(missing)
        except (OSError, DiskError) as error:
            self._give_up(error)

    def append(self, lines: Iterable[str]) -> None:
        """Write further lines."""
        if self._broken:
            return
        try:
            self._append(lines)
        except OSError as error:
            self._give_up(error)

    def _known(self, lines: Sequence[str]) -> list[str] | None:
        """The lines that the file lacks; None if it is not a beginning of them. Cuts off a half line."""
        if not self.path.is_file():
            return None
        found = self.path.read_bytes()
        whole = found[: found.rfind(b"\n") + 1]
        ours = [line for line in whole.splitlines() if _MARK in line]
        if not ours or ours != [line.encode() for line in lines[: len(ours)]]:
            return None
        if len(whole) < len(found):
            with self.path.open("r+b") as file:
                file.truncate(len(whole))
        return list(lines[len(ours) :])

    def _append(self, lines: Iterable[str]) -> None:
        content = _joined(lines)
        if content:
            with self.path.open("ab") as file:  # one write: a reader never sees half of a line for long
                file.write(content)

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        logging.getLogger("autodl").warning("the file for optuna-dashboard is not written any more: %s", error)


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
