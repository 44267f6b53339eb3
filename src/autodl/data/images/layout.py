"""Folders of images: which files they hold, and what their folders say. Loads no library."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autodl.data.compression import file_errors
from autodl.data.images.names import FOREIGN, is_image_name
from autodl.errors import DataError

TRAIN = frozenset(["train", "training"])
VALIDATION = frozenset(["val", "valid", "validation", "dev"])
TEST = frozenset(["test", "testing"])
PREDICTED = frozenset(["pred", "predict", "predicted", "prediction", "predictions", "inference", "submission"])
PARTS = VALIDATION | TEST | PREDICTED | {"new", "unlabeled", "unlabelled", "eval", "evaluation", "holdout"}
"""Words in the name of a folder whose images need no classes."""
SHOWN = 3
"""Names in one sentence."""
_COLLECTION = re.compile(r"(set|data|images?|imgs?)+$")
"""What the word of a part may end with."""
_HIDDEN = frozenset(["thumbs.db", "desktop.ini", "__macosx"])


@dataclass(frozen=True)
class Found:
    """What lies in a folder and below it.

    Attributes:
        root: The folder.
        images: Paths of the images relative to it, in natural order.
        n_bytes: Their size.
        others: Other files. foreign: images of formats that are not read. outside: links that lead out of the folder.
        linked: links to folders, which are not followed. empty: Folders right below the root without any image.
    """

    root: Path
    images: tuple[Path, ...]
    n_bytes: int
    others: tuple[Path, ...] = ()
    foreign: tuple[Path, ...] = ()
    outside: tuple[Path, ...] = ()
    linked: tuple[Path, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def first_folders(self) -> tuple[str, ...]:
        """Folders right below the root that hold images, in natural order."""
        return tuple(dict.fromkeys(p.parts[0] for p in self.images if len(p.parts) > 1))

    def notes(self) -> tuple[str, ...]:
        """What was left out, one sentence for each reason."""
        notes = []
        if self.foreign:
            notes.append(
                f"{_files(self.foreign)} {_was(self.foreign)} skipped, since autodl does not read the format "
                f"({some(self.foreign)}): save as PNG or JPEG."
            )
        if self.others:
            notes.append(f"{_files(self.others)} {_was(self.others)} skipped as no image: {some(self.others)}.")
        if self.outside:
            notes.append(
                f"{_files(self.outside)} {_was(self.outside)} skipped, since the links lead out of {self.root} "
                f"({some(self.outside)})."
            )
        if self.linked:
            notes.append(
                f"Links to other folders are not followed ({some(self.linked)}): put the folders themselves there if "
                "their images count."
            )
        return tuple(notes)


def find_images(root: Path) -> Found:
    """Look through a folder and all folders below it; links to other folders are not followed.

    Raises:
        DataError: If the system refuses.
    """
    images: list[tuple[Path, int]] = []
    kinds: dict[str, list[Path]] = {"others": [], "foreign": [], "outside": [], "linked": []}
    real = root.resolve()

    def refused(error: OSError) -> None:
        raise error

    with file_errors(str(root)):
        for folder, names, files in os.walk(root, onerror=refused):
            names[:] = [n for n in names if not _hidden(n)]
            here = Path(folder)
            kinds["linked"] += [(here / n).relative_to(root) for n in names if (here / n).is_symlink()]
            for name in files:
                path = here / name
                inner = path.relative_to(root)
                if _hidden(name):
                    continue
                if not is_image_name(name):
                    kinds["foreign" if path.suffix.lower() in FOREIGN else "others"].append(inner)
                elif path.is_symlink() and not path.resolve().is_relative_to(real):
                    kinds["outside"].append(inner)
                elif path.is_file():
                    images.append((inner, path.stat().st_size))
        below = [p.name for p in root.iterdir() if p.is_dir() and not p.is_symlink() and not _hidden(p.name)]
    images.sort(key=lambda i: natural(i[0]))
    ordered = {kind: tuple(sorted(paths, key=natural)) for kind, paths in kinds.items()}
    filled = {p.parts[0] for p, _ in images if len(p.parts) > 1}
    return Found(
        root,
        tuple(p for p, _ in images),
        sum(size for _, size in images),
        **ordered,
        empty=tuple(sorted(set(below) - filled)),
    )


def listed_images(root: Path, files: Sequence[Path]) -> Found:
    """Images that were named one by one, or by a pattern, as if nothing else lay in the folder.

    Args:
        root: The folder. files: Images below it.
    """
    inner = sorted((f.relative_to(root) for f in files), key=natural)
    return Found(root, tuple(inner), sum(f.stat().st_size for f in files))


@dataclass(frozen=True)
class Labelled:
    """Images whose class is the first folder under the root.

    Attributes:
        files: (path, class), in natural order; paths begin with the root.
        test: The folder with the test images, if there is one.
        notes: What was found out, one sentence each.
    """

    files: tuple[tuple[Path, str], ...]
    test: Path | None = None
    notes: tuple[str, ...] = field(default=())


def labelled(found: Found) -> Labelled:
    """Which images are for learning, which for the test, and of which class they are.

    Raises:
        DataError: If the folders do not say what the classes are.
    """
    splits = _splits(found)
    if splits is not None:
        return _of_splits(found, *splits)
    root, images, notes = found.root, found.images, [*found.notes()]
    names = found.first_folders
    if len(names) == 1 and all(len(p.parts) > 2 for p in images):  # an archive often unpacks to a folder in a folder
        inner = labelled(find_images(root / names[0]))
        notes.append(f"The images were taken from the folder '{names[0]}', the only one.")
        return Labelled(inner.files, inner.test, (*notes, *inner.notes))
    if not names:
        raise DataError(
            f"the image {images[0]} alone says nothing about classes"
            if len(images) == 1
            else f"the {len(images):,} images in {root} lie in no folders that name their classes",
            "Put the images of each class into a folder of its own (photos/cat, photos/dog), or give a CSV file with "
            "a column of file names and a column with what is to be predicted.",
        )
    _check_depth(found)
    if found.empty:
        notes.append(f"Folders without images are no classes: {some(found.empty)}.")
    loose = [p for p in images if len(p.parts) == 1]
    if loose:
        notes.append(f"{_files(loose)} beside the folders of the classes {_was(loose)} left out ({some(loose)}).")
    files = tuple((root / p, p.parts[0]) for p in images if len(p.parts) > 1)
    return Labelled(files, None, tuple(notes))


def _splits(found: Found) -> tuple[list[str], list[str], list[str]] | None:
    """The folders for learning, to join them, and for the test; None where the first folders are classes.

    Only a folder whose images lie in folders again can be one of these: 'train' may be a class too.
    """
    nested = {n for n in found.first_folders if all(len(p.parts) > 2 for p in found.images if p.parts[0] == n)}
    roles = [[n for n in found.first_folders if n.lower() in role] for role in (TRAIN, VALIDATION, TEST)]
    train, validation, test = roles
    if len(train) != 1 or train[0] not in nested or not (validation or test):
        return None
    return train, validation, test


def _of_splits(found: Found, train: list[str], validation: list[str], test: list[str]) -> Labelled:
    root, notes = found.root, [*found.notes()]
    nested = {n: all(len(p.parts) > 2 for p in found.images if p.parts[0] == n) for n in (*validation, *test)}
    used = [train[0]]
    for name in validation:
        if nested[name]:
            used.append(name)
            notes.append(f"The images in '{name}' are learnt from too: autodl holds out its own for validation.")
    kept = next((n for n in test if nested[n]), None)
    for name in [n for n in (*validation, *test) if not nested[n]]:
        notes.append(
            f"The images in '{name}' lie in no folders that name their classes, so they are not used; "
            f"`autodl predict RUN {root / name}` predicts them."
        )
    rest = [n for n in found.first_folders if n not in (*train, *validation, *test)]
    if rest:
        notes.append(f"Folders beside '{train[0]}' were left out: {some(rest)}.")
    files = tuple((root / p, p.parts[1]) for p in found.images if p.parts[0] in used and len(p.parts) > 2)
    return Labelled(files, None if kept is None else root / kept, tuple(notes))


def _check_depth(found: Found) -> None:
    """Refuse folders of parts that hold the folders of the classes.

    A part of new images may lie beside them, as in many downloads.

    Raises:
        DataError: If the same two folders or more lie in each of several folders, and in none of them images beside
            folders; beside these may be folders of images whose names tell of a part, but others only where the names
            of two of those folders do.
    """
    inner: dict[str, set[str]] = {}
    outer: dict[str, list[tuple[str, ...]]] = {}
    plain = False
    for path in found.images:
        if len(path.parts) > 1:
            outer.setdefault(path.parts[0], []).append(path.parts[1:-1])
    for name, below in outer.items():
        below = _unpacked(name, below)
        folders = {parts[0] for parts in below if parts}
        if () in below and folders:
            return
        if folders:
            inner[name] = folders
        else:
            plain |= not _tells_of(PARTS, name)
    # One name alone may be that of a class, such as 'train'; there are never fewer than two parts.
    if plain and sum(_tells_of(TRAIN | PARTS, name) for name in inner) < 2:
        return
    common = set.intersection(*inner.values()) if len(inner) > 1 else set()
    if len(common) > 1:
        raise DataError(
            f"the folders {some(list(inner))} of {found.root} hold the same folders ({some(sorted(common))}), so it "
            "is not clear which of them are the classes",
            "Name one of the outer folders if it is enough, call them 'train' and 'test', or put all images of a "
            f"class into one folder right below {found.root}.",
        )


def _tells_of(parts: frozenset[str], name: str) -> bool:
    """Whether one of these words is in the name of a folder: ``seg_pred``, ``test1``, ``TestImages``, ``valset``."""
    words = (word.rstrip("0123456789") for word in re.split(r"[\W_]+", name.lower()))
    return not parts.isdisjoint(_COLLECTION.sub("", word) for word in words)


def _unpacked(name: str, below: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Folders of the images in a folder, from that one on which archives unpack into one of the same name.

    Args:
        name: Of the folder. below: For each image the folders between this one and the file.
    """
    while all(parts and parts[0] == name for parts in below):
        below = [parts[1:] for parts in below]
    return below


def natural(path: Path | str) -> list[tuple[int, int, str]]:
    """A key that sorts 2 before 10."""
    return [(0, int(t), "") if t.isdecimal() else (1, 0, t) for t in re.split(r"(\d+)", str(path))]


def some(names: Sequence[Path] | Sequence[str]) -> str:
    """At most three names."""
    listed = [str(n) for n in names]
    return ", ".join(listed[:SHOWN]) + (f" and {len(listed) - SHOWN:,} more" if len(listed) > SHOWN else "")


def _files(paths: Sequence[Path]) -> str:
    return f"{len(paths):,} file{'' if len(paths) == 1 else 's'}"


def _was(paths: Sequence[Path]) -> str:
    return "was" if len(paths) == 1 else "were"


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _HIDDEN
