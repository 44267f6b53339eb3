"""What a disk can refuse, in one line: full, read-only, not allowed, gone."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from autodl.errors import REFUSALS, DiskError

MIN_FREE = 20_000_000
"""Bytes that must be free before a run begins: room for its records, its report and a small model."""

_GO_ON = "what was finished is kept; `autodl fit ... --resume` goes on from there"
_FOR_A_WHILE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Refusals that may end, so that the run can go on in its folder."""


@contextlib.contextmanager
def disk_trouble(path: Path) -> Iterator[None]:
    """Turn a refusal of the system while ``path`` is written into one line with its remedy.

    Raises:
        DiskError: For every ``OSError`` in the block.
    """
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOENT:
            why, remedy = "its folder is gone; was it deleted or moved?", "Start the run again."
        elif error.errno in REFUSALS:
            why, remedy = REFUSALS[error.errno]
            remedy += f": {_GO_ON}." if error.errno in _FOR_A_WHILE else " with --out."
        else:
            why, remedy = error.strerror or str(error), f"Once the disk works again: {_GO_ON}."
        raise DiskError(f"cannot write {path}: {why}", remedy) from error


def require_space(folder: Path) -> None:
    """Check that a run has room to begin.

    Args:
        folder: An existing folder on the disk in question.

    Raises:
        DiskError: If less than ``MIN_FREE`` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE:
        raise DiskError(
            f"only {free / 1e6:.1f} MB are free in {folder}, and a run needs at least {MIN_FREE / 1e6:.0f} MB",
            "Free some space, or choose a folder on another disk with --out.",
        )
