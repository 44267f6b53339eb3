"""A disk that fails: the process dies, the power goes or the disk is full at the k-th operation.

All writing goes through a few functions of ``os``, which are replaced here. Each operation that changes the disk is
counted. Until a folder is synced, the names made, renamed and removed in it can be lost by a power cut; until a file
is synced, its content can. ``cut_power`` takes back what was never synced, so that the folder looks as it may look
afterwards.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


class Died(BaseException):
    """The process is gone: no handler may do anything any more."""


class FaultyDisk:
    """Counts operations below ``root`` and fails at the chosen one.

    Args:
        root: Only changes below count.
        fail_at: The operation that does not happen any more, from 0; None counts only.
        error: Raised there once; None means that the process dies, and every later operation too.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path, fail_at: int | None, error: int | None) -> None:
        self.root, self.fail_at, self.error = root, fail_at, error
        self.count = 0
        self.dead = False
        self._undo: list[tuple[Path, Callable[[], None]]] = []
        self._unsynced: dict[Path, None] = {}
        self._real = {n: getattr(os, n) for n in ("replace", "rename", "mkdir", "unlink", "rmdir", "fsync", "open")}
        self._names: dict[int, Path] = {}
        for name in ("replace", "rename", "mkdir", "unlink", "rmdir", "fsync", "open"):
            monkeypatch.setattr(os, name, getattr(self, name))
        monkeypatch.setattr(Path, "open", self._path_open(Path.open))

    # --- the operations -----------------------------------------------------------------------------------------

    def replace(self, source, target, **given):
        self._step(target)
        source, target = Path(source), Path(target)
        old = target.read_bytes() if target.is_file() else None
        self._real["replace"](source, target)
        self._moved(source, target)
        self._later(target.parent, lambda: self._restore(target, old))

    def rename(self, source, target, **given):
        self._step(target)
        source, target = Path(source), Path(target)
        self._real["rename"](source, target)
        self._moved(source, target)
        self._later(target.parent, lambda: self._real["rename"](target, source))

    def mkdir(self, path, mode=0o777, **given):
        self._step(path)
        self._real["mkdir"](path, mode)
        self._later(Path(path).parent, lambda: shutil.rmtree(path, ignore_errors=True))

    def unlink(self, path, *, dir_fd=None):
        path = self._absolute(path, dir_fd)
        self._step(path)
        content = path.read_bytes() if path.is_file() else None
        self._real["unlink"](path)
        self._later(path.parent, lambda: self._restore(path, content))

    def rmdir(self, path, *, dir_fd=None):
        path = self._absolute(path, dir_fd)
        self._step(path)
        self._real["rmdir"](path)
        self._later(path.parent, lambda: self._real["mkdir"](path))

    def open(self, path, flags, mode=0o777, *, dir_fd=None):
        descriptor = self._real["open"](path, flags, mode, dir_fd=dir_fd)
        self._names[descriptor] = self._absolute(path, dir_fd)
        return descriptor

    def fsync(self, descriptor):
        self._step(self.root)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        self._unsynced.pop(path, None)
        self._undo = [(folder, undo) for folder, undo in self._undo if folder != path]

    def _path_open(self, real):
        def opened(path, mode="r", *args, **given):
            if "w" in mode and self._below(path):
                self._step(path)
                self._unsynced[Path(path)] = None
                if not path.exists():
                    self._later(Path(path).parent, lambda: self._drop(Path(path)))
            return real(path, mode, *args, **given)

        return opened

    # --- what comes after ---------------------------------------------------------------------------------------

    def cut_power(self) -> None:
        """Take back every change that was not forced to the disk."""
        self.dead = False
        self.fail_at = None
        for path in list(self._unsynced):
            if path.is_file():
                with path.open("rb+") as file:
                    file.truncate(0)
        for _, undo in reversed(self._undo):
            undo()
        self._undo.clear()

    def heal(self) -> None:
        """Let everything work again; what was written stays as it is."""
        self.dead, self.fail_at = False, None

    # --- private ------------------------------------------------------------------------------------------------

    def _step(self, path) -> None:
        if not self._below(path):
            return
        if self.dead:
            raise Died
        if self.count == self.fail_at:
            self.count += 1
            if self.error is None:
                self.dead = True
                raise Died
            raise OSError(self.error, os.strerror(self.error), str(path))
        self.count += 1

    def _below(self, path) -> bool:
        text = os.fspath(path)
        return text.startswith(str(self.root)) and text[len(str(self.root)) :][:1] in ("", "/")

    def _absolute(self, path, dir_fd) -> Path:
        return Path(path) if dir_fd is None else Path(f"/proc/self/fd/{dir_fd}").readlink() / path

    def _later(self, folder: Path, undo: Callable[[], None]) -> None:
        self._undo.append((folder, undo))

    def _moved(self, source: Path, target: Path) -> None:
        if source in self._unsynced:
            self._unsynced[target] = self._unsynced.pop(source)
        if not target.is_dir():
            return
        for path in [p for p in self._unsynced if source in p.parents]:
            self._unsynced[target / path.relative_to(source)] = self._unsynced.pop(path)
        self._undo = [
            (target / f.relative_to(source) if f == source or source in f.parents else f, u) for f, u in self._undo
        ]

    def _restore(self, path: Path, content: bytes | None) -> None:
        if content is None:
            self._drop(path)
        elif path.parent.is_dir():
            path.write_bytes(content)

    def _drop(self, path: Path) -> None:
        if path.is_file():
            self._real["unlink"](path)


FULL = errno.ENOSPC
