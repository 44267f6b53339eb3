"""Which files a path, a folder or a glob stands for; loads no library, so that a wrong path is told at once."""

from __future__ import annotations

import re
from pathlib import Path

from autodl.data.compression import COMPRESSED, file_errors, suffix_format
from autodl.data.images.layout import Found, find_images, listed_images
from autodl.data.images.names import FOREIGN, is_image_name
from autodl.data.series.names import series_format
from autodl.errors import DataError, did_you_mean

_ADDRESS = re.compile(r"^[a-z][a-z0-9+]{1,9}:/{1,3}", re.IGNORECASE)
_GLOB = re.compile(r"[*?[]")
_ABOUT = re.compile(r"^(readme|licen[cs]e|changelog)\b", re.IGNORECASE)
"""Texts that lie beside data and tell of them."""
_LOOSE = frozenset([".txt", ".json", ".md"])
"""Suffixes of tables that are more often notes, where they lie beside folders of images."""

_ALSO_TABLES = frozenset([".raw"])
"""Suffixes of images that people give to tables as well."""


def source_files(source: str | Path) -> list[Path]:
    """All files that a path, a folder or a glob stands for: tables, or the images of a folder.

    Raises:
        DataError: As ``found_files``.
    """
    images = image_folder(source)
    return found_files(source)[0] if images is None else [images.root / path for path in images.images]


def image_folder(source: str | Path) -> Found | None:
    """What lies in a folder that stands for its images: it has folders of images, or images alone.

    One image, or a glob of images, stands for these, as if they lay alone in their folder. Tables that lie beside the
    images themselves, or beside the one folder that holds them, tell of the images: then the folder stands for the
    tables.

    Raises:
        DataError: If the system refuses.
    """
    path = Path(source).expanduser()
    if _ADDRESS.match(str(source)):
        return None
    with file_errors(str(source)):
        if not path.is_dir():
            return _named_images(path)
        tables = [p for p in path.iterdir() if _is_table(p) and not _ABOUT.match(p.name)]
        if any(p.suffix.lower() not in _LOOSE for p in tables):
            return None  # whatever lies below, which may be much
        found = find_images(path)
    deeper = sum(suffix_format(p.name)[0] is not None for p in found.others)
    if len(found.images) <= (0 if tables else deeper):
        return None
    classes = len(found.first_folders) > 1
    return None if tables and not classes else found


def _named_images(path: Path) -> Found | None:
    """One image, or those that match a glob; None if it stands for anything else."""
    if not path.is_file() and not _GLOB.search(str(path)):
        return None
    root, files = (path.parent, [path]) if path.is_file() else (_fixed_part(path), _matching(path))
    return listed_images(root, files) if files and all(is_image_name(f.name) for f in files) else None


def found_files(source: str | Path) -> tuple[list[Path], tuple[str, ...]]:
    """The files that a path, a folder or a glob stands for, in natural order, and what was left out.

    Of several files the empty ones are skipped, as Spark writes them for parts without rows.

    Returns:
        (files, notes).

    Raises:
        DataError: If there is none, or it is no file that can be read twice.
    """
    files = _files(source)
    if len(files) < 2:
        return files, ()
    notes = []
    with file_errors(str(source)):
        empty = [f for f in files if not f.stat().st_size]
    if empty and len(empty) < len(files):
        files = [f for f in files if f not in empty]
        notes.append(f"Empty files were skipped: {_some([f.name for f in empty])}.")
    about = [f for f in files if f.suffix.lower() == ".txt" and _ABOUT.match(f.name)]
    if about and len(about) < len(files):
        files = [f for f in files if f not in about]
        notes.append(f"Taken for a text about the data, and not read: {_some([f.name for f in about])}.")
    parted = [part for f in files for part in f.parts if re.match(r"^[^=]+=.+$", part) and part != f.name]
    if parted:
        columns = _some([f"'{name}'" for name in dict.fromkeys(part.split("=")[0] for part in parted)])
        notes.append(
            f"The names of the folders hold values ({_some(list(dict.fromkeys(parted)))}) that are not in the files; "
            f"they were not read. To use {columns}, write it into the files as a column."
        )
    return files, tuple(notes)


def _some(names: list[str]) -> str:
    """At most three names."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _files(source: str | Path) -> list[Path]:
    if _ADDRESS.match(str(source)):
        raise DataError(f"{source} is an address, but autodl reads files", "Download it first, then name the file.")
    path = Path(source).expanduser()
    with file_errors(str(source)):
        if path.is_file():
            if path.suffix.lower() in FOREIGN and path.suffix.lower() not in _ALSO_TABLES:
                raise DataError(
                    f"{source} is an image of a format that autodl does not read", "Save it as PNG or JPEG."
                )
            return [path]
        if path.is_dir():
            tables = [p for p in path.iterdir() if _is_table(p)]
            series = _series_files(path)
            # Archives give the same series in several forms; a table of another name is the data itself.
            told = {p.stem for p in series}
            if any(p.suffix.lower() not in _LOOSE and p.stem not in told for p in tables):
                series = []
            found = series or tables or [p for p in path.rglob("*") if _is_table(p)]
            if not found:
                remedy = (
                    "Put CSV, Excel, Parquet, Feather or JSON files into it, a folder of images for each class, or "
                    ".ts or .npz files of series."
                )
                if links := [p.name for p in path.iterdir() if p.is_symlink() and p.is_dir()]:
                    remedy = f"Links to other folders are not followed ({_some(links)}): put the folders there."
                raise DataError(f"the folder {source} holds no table, no images and no series", remedy)
            return sorted(found, key=_natural)
        if _GLOB.search(str(source)):
            if not (found := _matching(path)):
                raise DataError(f"no file matches {source}", "Check the pattern and the folder.")
            return sorted(found, key=_natural)
        if path.exists() or str(source) == "-":
            # Looking at the start and reading are two passes: the second one would miss what the first one took.
            raise DataError(
                f"{source} is a pipe or a device, which can be read only once",
                "Write the data to a file first, then name the file.",
            )
        if path.is_symlink():
            raise DataError(f"{source} is a link that leads nowhere", "Name the file itself.")
        near = ""
        if path.parent.is_dir():
            names = [p.name for p in path.parent.iterdir() if p.is_dir() or _is_table(p)]
            near = did_you_mean(path.name, names)
        raise DataError(f"there is no file {source}", near if near.startswith("Did") else "Check the path.")


def _series_files(folder: Path) -> list[Path]:
    """The files of series right in a folder."""
    return [p for p in folder.iterdir() if p.is_file() and p.name[0] not in "._" and series_format(p) is not None]


def _matching(pattern: Path) -> list[Path]:
    """The files that match a glob."""
    root = Path(pattern.anchor) if pattern.is_absolute() else Path()
    inner = pattern.relative_to(root) if pattern.is_absolute() else pattern
    return [p for p in root.glob(str(inner)) if p.is_file()]


def _fixed_part(pattern: Path) -> Path:
    """The folder before the first part of a glob that stands for several."""
    parts = pattern.parts
    return Path(*parts[: next(i for i, part in enumerate(parts) if _GLOB.search(part))])


def _is_table(path: Path) -> bool:
    if not path.is_file() or path.name.startswith((".", "_")):
        return False
    kind, compression = suffix_format(path.name)
    return kind is not None or (compression is not None and path.suffix.lower() in COMPRESSED)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    return [(0, int(t), "") if t.isdigit() else (1, 0, t) for t in re.split(r"(\d+)", str(path))]
