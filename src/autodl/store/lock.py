"""One run at a time in a folder, and names that no two runs share.

The lock is the system's own (flock): it ends with the process, also by ``kill -9``, and needs no clean-up. A run that
never began takes its file ``.lock`` away again; whoever gets the lock checks that the name still leads to its file.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from autodl.errors import RunError
from autodl.store.atomic import sync_folder, write_atomic
from autodl.store.disk import disk_trouble

LOCK, OWNER, RECORDS, MEDIA = ".lock", ".owner.json", "records", "media"
PATIENCE_S = 0.5
"""Seconds to try: a reader that looks whether the lock is held holds it for a moment itself."""
_FIRST_RECORDS = frozenset({"rows.json", "profile.json", "plan.json", "options.json"})
"""What is written before ``run.json``, with which a run begins."""
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})
_HALF = re.compile(r"\.(.+)\.\d+\.tmp")
"""A file that ``write_atomic`` had not finished."""
_STORE = re.compile(r"\.?[0-9a-f]{24}(-\d+)?")
"""A folder of decoded images, finished or not; see ``media.place``."""


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
        self._descriptor: int | None = None
        self._made: Path | None = None

    def __enter__(self) -> RunLock:
        self._made = first_missing(self.folder)
        with disk_trouble(self.folder):
            try:
                self._descriptor = _take(self.folder)
            except TimeoutError:
                raise RunError(
                    f"another autodl ({_owner(self.folder) or 'its process is not known'}) works in {self.folder}",
                    "Wait until it ends, or choose another folder with --out.",
                ) from None
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
        if self._descriptor is not None:
            _give_back(self._descriptor)


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
        return not _flock(descriptor, shared=True)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def is_blank(folder: Path) -> bool:
    """Whether the folder holds nothing but what a run leaves that was killed before it began."""
    return not _has_run(folder) and all(p.name in (LOCK, OWNER) or _is_debris(p) for p in folder.iterdir())


def was_claimed(folder: Path) -> bool:
    """Whether a run was about to begin in this blank folder when it was killed."""
    return (folder / LOCK).is_file()


def clear_debris(folder: Path) -> None:
    """Remove what a killed process left half-written before its run began, and nothing else."""
    for path in folder.iterdir():
        if not _is_debris(path):
            continue
        if path.name == RECORDS:
            for record in path.iterdir():
                record.unlink()
            path.rmdir()
        elif path.name == MEDIA:
            shutil.rmtree(path)
        else:
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
    """Whether a killed start has left this: in a folder without its lock file, everything is the user's."""
    if not was_claimed(path.parent):
        return False
    if path.name == MEDIA:
        return not path.is_symlink() and path.is_dir() and all(_STORE.fullmatch(p.name) for p in path.iterdir())
    if path.name != RECORDS:
        return _is_half_of(path.name, {OWNER, "run.json"})
    if path.is_symlink() or not path.is_dir():
        return False
    return all(p.name in _FIRST_RECORDS or _is_half_of(p.name, _FIRST_RECORDS) for p in path.iterdir())


def _is_half_of(name: str, files: Collection[str]) -> bool:
    half = _HALF.fullmatch(name)
    return half is not None and half[1] in files


def _take(folder: Path) -> int | None:
    """Make the folder and lock it.

    Returns:
        The locked file, open; None on a disk that knows no locks, where refusing to work would help no one.

    Raises:
        TimeoutError: If another process holds the lock.
        OSError: If the system refuses.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        _make_durably(folder)
        with contextlib.suppress(FileNotFoundError):  # whoever held it has just removed the folder
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                if _flock(descriptor) and _leads_to(folder / LOCK, descriptor):
                    return descriptor
            except OSError as error:
                os.close(descriptor)
                if error.errno in _NO_LOCKS:
                    return None
                raise
            os.close(descriptor)
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.02)


def _flock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file; False if another process has it."""
    try:
        import fcntl
    except ImportError as error:
        raise OSError(errno.ENOSYS, "this system has no flock") from error
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_file(descriptor: int) -> bool:
    """Lock an open file until it is closed; False if somebody else has it. A disk without locks refuses no one."""
    try:
        return _flock(descriptor)
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return True
        raise


def _give_back(descriptor: int) -> None:
    """Unlock and close, in this order: a child process may have the file open too."""
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _leads_to(path: Path, descriptor: int) -> bool:
    """Whether the name still belongs to the open file, and not to none or to another one."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _owner(folder: Path) -> Owner | None:
    try:
        return Owner(**json.loads((folder / OWNER).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None  # it is being written, or the other run has just ended
