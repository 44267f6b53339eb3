"""Columns of file names: whether they are columns of images, and where the files lie."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autodl.data.images.names import is_image_name, is_link
from autodl.data.images.sizes import learn_shades, learn_side
from autodl.data.parsing import Levels, is_text
from autodl.data.word_kinds import Verdict
from autodl.data.words import MISSING
from autodl.records import ColumnKind, ParseRule

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMED = 0.9
"""Share of the present cells that must end like the name of an image."""
THERE = 0.5
"""Share of the named files that must be there."""
PROBE = 20
"""First texts of a column that are looked at."""
LOOKED_AT = 200
"""Names looked at to see whether they are there."""
SHOWN = 60
"""Characters of a name in a message."""
SUBFOLDERS = 50
"""Folders beside a table in which its images are looked for."""


def judge_images(levels: Levels) -> Verdict | None:
    """The verdict on a column of text that names image files; None on any other."""
    words, counts = [str(w) for w in levels.words], levels.counts()
    named = _named(words, counts)
    if named is None:
        return None
    paths = [w for w in words if is_image_name(w)]
    if _there(paths) < THERE:
        return None
    learnt = learn_side(paths)
    if learnt is None:
        return None
    side, crop = learnt
    how = "the middle of each picture is taken" if crop else "whole pictures"
    return Verdict(
        ColumnKind.IMAGE,
        f"names of image files, read as {side} x {side} pixels; {how}",
        ParseRule(side=side, crop=crop, shades=learn_shades(paths)),
    )


def image_columns(frame: pd.DataFrame) -> list[str]:
    """Columns of a raw frame that name image files, most of which are there."""
    found = []
    for name, column in frame.items():
        if _begins_named(column):
            levels = Levels.of(column)
            words = [str(w) for w in levels.words]
            if _named(words, levels.counts()) is not None and _there([w for w in words if is_image_name(w)]) >= THERE:
                found.append(str(name))
    return found


def _begins_named(column: pd.Series) -> bool:
    """Whether the first texts of a column name images: what is cheap to see, since most columns end here."""
    if not is_text(column):
        return False
    first = column.iloc[:1000].dropna()
    if first.empty:
        first = column.dropna()
    return any(is_image_name(str(w).strip()) for w in first.iloc[:PROBE])


def _named(words: Sequence[str], counts: NDArray[np.intp]) -> float | None:
    """The share of the present cells that name images; None if it is too small."""
    probe = [w for w in words[: 2 * PROBE] if w.lower() not in MISSING]
    if not any(is_image_name(w) for w in probe):  # nearly all columns of text end here
        return None
    present = np.array([w.lower() not in MISSING for w in words], dtype=bool)
    named = np.array([is_image_name(w) and not is_link(w) for w in words], dtype=bool)
    share = float(counts[named].sum() / max(1, counts[present].sum()))
    return share if share >= NAMED else None


def _there(paths: Sequence[str]) -> float:
    """The share of the files that are there, of some of them."""
    if not paths:
        return 0.0
    probe = np.unique(np.linspace(0, len(paths) - 1, min(len(paths), LOOKED_AT)).astype(int))
    return float(np.mean([_is_file(paths[i]) for i in probe]))


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)  # noqa: PTH113
    except ValueError:  # no name that a file can have
        return False


@dataclass(frozen=True)
class Placed:
    """A raw frame whose names of image files are whole paths.

    Attributes:
        frame: The frame. notes: What was found out, one sentence each.
        folders: Column -> the folder in which its files were found.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    folders: dict[str, Path] = field(default_factory=dict)


def as_named(paths: pd.Series, folder: Path) -> pd.Series:
    """Whole paths as they stood in the table: without the folder in front."""
    front = os.path.join(folder.absolute(), "")  # noqa: PTH118
    return paths.map(lambda p: p.removeprefix(front), na_action="ignore")


def with_whole_paths(frame: pd.DataFrame, folder: Path, words: Collection[str] = ()) -> Placed:
    """The same frame, with the names of image files as whole paths wherever the files are found.

    Names are taken from the folder of the table, or from a folder in it.

    Args:
        frame: A raw frame. folder: Where the table lies; the current folder for a frame in memory.
        words: Columns that are words whatever they look like, since they were when a model was trained.
    """
    folders: dict[str, Path] = {}
    changed: dict[str, pd.Series[Any]] = {}
    notes = []
    for name, column in frame.items():
        if name in words or not _begins_named(column):
            continue
        levels = Levels.of(column)
        names = [str(w) for w in levels.words]
        if _named(names, levels.counts()) is None:
            continue
        base = _base(names, folder)
        if base is None:
            first = next(w for w in names if is_image_name(w))
            notes.append(
                f"'{name}' names image files, but they are not there (such as {first[:SHOWN]!r}, looked for in "
                f"{folder.absolute()}); they are taken as words."
            )
            continue
        if base != folder:
            notes.append(f"The images that '{name}' names were found in the folder '{base.name}'.")
        folders[str(name)] = base
        whole = np.array(
            [os.path.join(base.absolute(), w) if is_image_name(w) else w for w in names],  # noqa: PTH118
            dtype=object,
        )
        changed[str(name)] = pd.Series(levels.spread(whole, None), index=column.index, dtype=object)
    return Placed(frame.assign(**changed) if changed else frame, tuple(notes), folders)


def _base(words: Sequence[str], folder: Path) -> Path | None:
    """The folder in which most of the named files lie; None if there is none."""
    names = [w for w in words if is_image_name(w)]
    if _there([os.path.join(folder, n) for n in names]) >= THERE:  # noqa: PTH118
        return folder
    try:
        below = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))[:SUBFOLDERS]
    except OSError:  # files of a folder may be open to us where its list is not
        return None
    return next((p for p in below if _there([os.path.join(p, n) for n in names]) >= THERE), None)  # noqa: PTH118
