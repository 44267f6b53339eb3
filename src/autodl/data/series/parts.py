"""Files that belong together: the part to learn from and the part for the test. Loads no library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from autodl.data.series.names import series_format

_PART = re.compile(r"^(?:(?P<name>.+)[_-])?(?P<part>train|test)$", re.IGNORECASE)
"""As the UEA and UCR archives call their files: GunPoint_TRAIN.ts, GunPoint_TEST.ts."""


def train_and_test(files: Sequence[Path]) -> tuple[list[Path], Path | None]:
    """Of two files that are called train and test, and alike otherwise, these; else all files, and no test."""
    if len(files) == 2:
        for train, test in (files, files[::-1]):
            if _part(train) == "train" and test == _other(train, files):
                return [train], test
    return list(files), None


def hint_at_test(source: str) -> str | None:
    """That a file to learn from has one for the test beside it, in a sentence; None for other data."""
    file = Path(source).expanduser()
    other = other_part(file) if series_format(file) is not None and file.is_file() else None
    return None if other is None else f"{other.name} lies beside: `--test {other}` would test on it."


def other_part(file: Path) -> Path | None:
    """The file of the test in the same folder, where the file is one to learn from."""
    if _part(file) != "train":
        return None
    return _other(file, sorted(p for p in file.parent.iterdir() if series_format(p) is not None))


def _other(train: Path, files: Sequence[Path]) -> Path | None:
    return next((f for f in files if _part(f) == "test" and _name(f) == _name(train)), None)


def _part(file: Path) -> str | None:
    found = _PART.match(file.name.partition(".")[0])
    return None if found is None else found["part"].lower()


def _name(file: Path) -> tuple[str, str]:
    """What the files of one set share: the name without the part, and the suffixes."""
    stem, _, suffixes = file.name.partition(".")
    found = _PART.match(stem)
    return (stem if found is None else found["name"] or ""), suffixes.lower()
