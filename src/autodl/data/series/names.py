"""Which files hold series, and what their columns are called. Loads no library."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SERIES, LABEL, TARGET = "series", "label", "target"
"""Columns of the table that a file of series becomes: the series, and its class or number."""
TS, NPZ = "ts", "npz"
"""``ReadInfo.format`` of the two kinds of files."""


def stated_target(columns: Iterable[str], form: str) -> str | None:
    """The column of a file of series that the file itself gives as what is to be predicted; None elsewhere."""
    return next((name for name in columns if name in (LABEL, TARGET)), None) if form in (TS, NPZ) else None


def series_format(path: str | Path) -> str | None:
    """The format of a file of series by its suffix; None for other files.

    >>> series_format("a/GunPoint_TRAIN.ts"), series_format("x.NPZ"), series_format("x.ts.gz"), series_format("x.csv")
    ('ts', 'npz', 'ts', None)
    """
    suffixes = [s.lower() for s in Path(path).suffixes[-2:]]
    if not suffixes:
        return None
    if suffixes[-1] == ".npz":
        return NPZ
    packed = suffixes[-1] in (".gz", ".bz2", ".xz", ".zst") and len(suffixes) > 1
    return TS if suffixes[-2 if packed else -1] == ".ts" else None
