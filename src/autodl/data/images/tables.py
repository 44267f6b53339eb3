"""Folders of images as raw tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import pandas as pd

from autodl.data.images.layout import Found, labelled
from autodl.data.images.names import FILE, FORMAT, IMAGE, LABEL
from autodl.errors import DataError
from autodl.records import ColumnKind, ReadInfo, TableSchema, Task, encodable

BATCH = 2_000
"""Images that are predicted at a time, so that little of the disk is needed."""


@dataclass(frozen=True)
class FolderRead:
    """A folder as a table.

    Attributes:
        frame: The column ``image`` with whole paths, and ``label`` with the names of the folders.
        info: How it was read. test: The folder with the test images, if there is one.
    """

    frame: pd.DataFrame
    info: ReadInfo
    test: str | None


def read_labelled(source: str, found: Found) -> FolderRead:
    """Images and their classes, for learning or for a test.

    The rows are in an order that means nothing: sorted by class, as they lie, they would look like a table that
    changes from its beginning to its end.

    Raises:
        DataError: If the folders do not say what the classes are.
    """
    arranged = labelled(found)
    root = found.root
    files = sorted(
        arranged.files, key=lambda f: blake2b(str(f[0].relative_to(root)).encode(errors="replace")).digest()
    )
    frame = pd.DataFrame(
        {
            IMAGE: pd.Series([str(path.absolute()) for path, _ in files], dtype=object),
            LABEL: pd.Series([encodable(name) for _, name in files], dtype=object),
        }
    )
    if not len(frame):
        raise DataError(f"the folder {source} holds no images in folders that name classes", "Put images into them.")
    test = None if arranged.test is None else str(arranged.test)
    return FolderRead(frame, _info(source, found, arranged.notes), test)


def check_folder_target(frame: pd.DataFrame, where: str, asked: str | None) -> None:
    """Whether the folders give what can be predicted.

    Args:
        frame: As ``read_labelled`` gives it. where: Name of the data. asked: The target that the user named.

    Raises:
        DataError: If another target was asked for, or there is one class only.
    """
    if asked not in (None, LABEL):
        raise DataError(
            f"{where} is a folder of images, whose target is the name of the folder ('{LABEL}'), not '{asked}'",
            f"Leave out --target, or give a CSV file with a column of file names and the column '{asked}'.",
        )
    classes = frame[LABEL].unique()
    if len(classes) == 1:
        raise DataError(
            f"all {len(frame):,} images in {where} are in one folder, '{classes[0]}', so there is nothing to tell "
            "apart",
            "Put the images of each class into a folder of its own.",
        )


def check_folder_task(task: Task | None, numbers: bool, example: str, where: str) -> None:
    """Whether the names of the folders are what the user wants to be predicted.

    Args:
        task: What was asked for. numbers: Whether the names are numbers. example: Such a name. where: Of the data.

    Raises:
        DataError: If numbers are to be predicted, and the names are words.
    """
    if task is Task.REGRESSION and not numbers:
        raise DataError(
            f"--task regression needs numbers, but the folders of {where} are named by words, such as '{example}'",
            "To predict a number for each image, give a CSV file with a column of file names and a column of "
            "numbers, and name the latter with --target; to tell the folders apart, leave out --task.",
        )


def check_images_read(schema: TableSchema, n: int, where: str) -> None:
    """Whether any of the n files of a folder gave an image.

    Raises:
        DataError: If none did.
    """
    if schema[IMAGE].kind is not ColumnKind.IMAGE:
        raise DataError(f"none of the {n:,} images in {where} could be read", "Save them again as PNG or JPEG.")


def unlabelled_batches(source: str, found: Found) -> Iterator[tuple[pd.DataFrame, ReadInfo]]:
    """All images of a folder in natural order, to be predicted: the columns ``image`` and ``file``."""
    info = _info(source, found, found.notes())
    root = found.root.absolute()
    for start in range(0, len(found.images), BATCH):
        part = found.images[start : start + BATCH]
        yield (
            pd.DataFrame(
                {
                    IMAGE: pd.Series([str(root / p) for p in part], dtype=object),
                    FILE: pd.Series([encodable(p.as_posix()) for p in part], dtype=object),
                }
            ),
            info,
        )


def _info(source: str, found: Found, notes: tuple[str, ...]) -> ReadInfo:
    return ReadInfo(path=source, format=FORMAT, n_files=len(found.images), n_bytes=found.n_bytes, notes=notes)
