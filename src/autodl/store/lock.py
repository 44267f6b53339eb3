"""One run at a time in a folder, and names that no two runs share.

The lock is the system's own (flock): it ends with the process, also by ``kill -9``, and needs no clean-up. The file
``.lock`` stays where it is, since removing it would let two processes lock two files of one name.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from autodl.errors import RunError
from autodl.store.atomic import remove_folder, sync_folder, write_atomic
from autodl.store.disk import disk_trouble

LOCK, OWNER = ".lock", ".owner.json"
PATIENCE_S = 0.5
"""Seconds to try: a reader that looks whether the lock is held holds it for a moment itself."""


@dataclass(frozen=True)
class Owner:
    """Who works in a folder; only words for a message, the lock itself decides."""

    pid: int
    host: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


class RunLock:
    """Holds a run folder for this process; use as a context manager.

    Args:
        folder: The run folder; made if needed, and removed again if nothing was left in it.

    Raises:
        RunError: On entering, if another run works in the folder.
        DiskError: If the folder cannot be made or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / LOCK)
        self._made: Path | None = None

    def __enter__(self) -> RunLock:
        self._made = first_missing(self.folder)
        with disk_trouble(self.folder):
            _make_durably(self.folder)
            try:
                self._lock.acquire(timeout=PATIENCE_S, poll_interval=0.05)
                while is_locked(self.folder) is False:
                    # Another run ended between the opening of its file and our lock, and removed the file.
                    self._lock.release()
                    _make_durably(self.folder)
                    self._lock.acquire(timeout=PATIENCE_S, poll_interval=0.05)
            except Timeout:
                raise RunError(
                    f"another autodl ({_owner(self.folder) or 'its process is not known'}) works in {self.folder}",
                    "Wait until it ends, or choose another folder with --out.",
                ) from None
            except NotImplementedError:
                # A few network disks know no locks: then nothing can be checked, and refusing would help no one.
                return self
        now = Owner(os.getpid(), socket.gethostname(), datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"))
        try:
            write_atomic(self.folder / OWNER, json.dumps(vars(now)).encode(), durable=False)
        except BaseException:
            self._release(keep=False)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release(keep=_has_run(self.folder))

    def _release(self, *, keep: bool) -> None:
        if not keep:
            abandon(self.folder, self._made)
        with contextlib.suppress(OSError):  # the folder may be gone, or the disk dead: the lock ends all the same
            (self.folder / OWNER).unlink(missing_ok=True)
        self._lock.release()


def abandon(folder: Path, made: Path | None) -> None:
    """Leave a folder in which this process began nothing as it was found; others' folders are left alone.

    Args:
        folder: The run folder.
        made: The topmost folder that was made for it, see ``first_missing``.
    """
    with contextlib.suppress(OSError):  # it may be gone, or hold files of others by now
        owner = _owner(folder)
        if not _has_run(folder) and (owner is None or owner.pid == os.getpid()):
            clear_debris(folder)
            (folder / OWNER).unlink(missing_ok=True)
            (folder / LOCK).unlink(missing_ok=True)
            while made is not None:
                with contextlib.suppress(FileNotFoundError):  # whoever held the lock has removed it
                    folder.rmdir()
                if folder == made:
                    return
                folder = folder.parent


def is_locked(folder: Path) -> bool | None:
    """Whether a run works in the folder now; None where the system cannot tell. Writes nothing."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return None
    finally:
        os.close(descriptor)
    return False


def is_blank(folder: Path) -> bool:
    """Whether the folder holds nothing but what a run leaves that was killed before it began."""
    return not _has_run(folder) and all(p.name == "records" or _is_debris(p) for p in folder.iterdir())


def was_claimed(folder: Path) -> bool:
    """Whether a run was about to begin in this blank folder when it was killed."""
    return (folder / LOCK).is_file()


def clear_debris(folder: Path) -> None:
    """Remove what a killed process left half-written before its run began."""
    for path in folder.iterdir():
        if path.name == "records":
            remove_folder(path)
        elif _is_debris(path) and path.name not in (LOCK, OWNER):
            path.unlink()


def new_folder(parent: Path, name: str) -> Path:
    """Make a folder that did not exist: ``NAME``, or ``NAME-2`` and so on if others were quicker.

    Raises:
        DiskError: If the system refuses.
    """
    with disk_trouble(parent / name):
        _make_durably(parent)
        number = 1
        while True:
            path = parent / (name if number == 1 else f"{name}-{number}")
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
            else:
                sync_folder(parent)
                return path


def first_missing(folder: Path) -> Path | None:
    """The topmost folder that must be made for ``folder`` to exist."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    return missing[-1] if missing else None


def _make_durably(folder: Path) -> None:
    """Make a folder and its parents so that a power cut does not take them away."""
    top = first_missing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    while top is not None:
        sync_folder(folder.parent)
        if folder == top:
            return
        folder = folder.parent


def _has_run(folder: Path) -> bool:
    return (folder / "run.json").is_file() or any((folder / "trials").glob("*"))


def _is_debris(path: Path) -> bool:
    return path.name in (LOCK, OWNER) or (path.name.startswith(".") and path.name.endswith(".tmp"))


def _owner(folder: Path) -> Owner | None:
    try:
        return Owner(**json.loads((folder / OWNER).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None  # it is being written, or the other run has just ended
