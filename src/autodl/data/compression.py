"""What kind of file bytes are, how compressed ones are unpacked, and when that is refused."""

from __future__ import annotations

import errno
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autodl.data.images.names import is_image_name
from autodl.errors import REFUSALS, DataError

COMPRESSED = {".gz": "gzip", ".gzip": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zip": "zip"}
FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".psv": "csv", ".txt": "csv", ".dat": "csv", ".data": "csv",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather", ".ipc": "feather",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel",
}  # fmt: skip
"""Suffix to format."""

MAX_RATIO, FREE_BYTES = 200, 1 << 28
"""A file that grows more than 200-fold and beyond 256 MiB when decompressed is refused as a bomb."""

_MAGIC = (
    (b"PAR1", "parquet"), (b"ARROW1", "feather"), (b"FEA1", "feather"), (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"), (b"%PDF", "a PDF document"), (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"), (b"GIF8", "a GIF image"), (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x80\x04\x95", "a pickle"), (b"\x80\x05\x95", "a pickle"), (b"\x89HDF", "an HDF5 file"),
    (b"\x7fELF", "a program"), (b"7z\xbc\xaf", "a 7z archive"), (b"Rar!", "a RAR archive"),
)  # fmt: skip
_DOCUMENTS = (
    ("word/document.xml", "a Word document"), ("ppt/presentation.xml", "a PowerPoint file"),
    ("META-INF/manifest.xml", "an OpenDocument file"), ("META-INF/MANIFEST.MF", "a Java archive"),
)  # fmt: skip
"""A member that tells what a zip archive is."""


def suffix_format(name: str) -> tuple[str | None, str | None]:
    """(format, compression) by suffix; None where the suffix does not say.

    >>> suffix_format("a.csv.gz"), suffix_format("a.parquet"), suffix_format("a")
    (('csv', 'gzip'), ('parquet', None), (None, None))
    """
    suffixes = [s.lower() for s in Path(name).suffixes]
    compression = COMPRESSED.get(suffixes[-1]) if suffixes else None
    rest = suffixes[:-1] if compression else suffixes
    return (FORMATS.get(rest[-1]) if rest else None), compression


def magic(head: bytes) -> str | None:
    """The kind of file by its first bytes; None for text and the unknown."""
    return next((kind for mark, kind in _MAGIC if head.startswith(mark)), None)


@contextmanager
def file_errors(path: str, done: str = "read") -> Iterator[None]:
    """Turn the errors of the operating system and of decompressors into ``DataError``.

    Args:
        path: Where, for the message.
        done: What is done there: ``read`` or ``written``.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist", "Check the path and the spelling.") from error
    except (EOFError, zipfile.BadZipFile, lzma.LZMAError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged or cut off", "Copy or download it again.") from error
    except OSError as error:
        if error.errno in (None, errno.EINVAL):  # not the system: bz2 complains, or zip was led to a place before 0
            raise DataError(f"{path} is damaged or cut off", "Copy or download it again.") from error
        why, remedy = REFUSALS.get(error.errno, (error.strerror, "Check the disk and the path"))
        if isinstance(error, PermissionError) and done == "read":
            remedy = f"Ask for access, or try `chmod u+r '{path}'`"
        raise DataError(f"{path} cannot be {done}: {why}", f"{remedy}.") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is an Excel file, whatever its name."""
    with zipfile.ZipFile(path) as archive:
        return "xl/workbook.xml" in archive.namelist()


def zstd_chunks(path: Path, size: int) -> Iterator[bytes]:
    """The content of a ``.zst`` file of ``size`` bytes, chunk by chunk.

    Frame by frame, since the library's stream reader takes a file that is cut off for one that ends.
    """
    import zstandard

    grown = 0
    frame = zstandard.ZstdDecompressor().decompressobj()
    with path.open("rb") as raw:
        while chunk := raw.read(1 << 14):
            while chunk:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                try:
                    out = frame.decompress(chunk)
                except zstandard.ZstdError as error:
                    raise EOFError(_first_line(error)) from error
                chunk = frame.unused_data if frame.eof else b""
                grown += len(out)
                check_growth(grown, size, str(path))
                yield out
    if not frame.eof:
        raise EOFError("the last frame is not complete")


def check_growth(grown: int, size: int, where: str) -> None:
    """Refuse what grows beyond measure: a file of ``size`` bytes that has given ``grown`` so far."""
    limit = max(FREE_BYTES, MAX_RATIO * size)
    if grown > limit:
        raise DataError(
            f"{where} grows from {size / 1e6:.1f} MB to more than {limit / 1e6:,.0f} MB when it is unpacked",
            "Unpack it yourself if you trust it.",
        )


def zip_members(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    """The tables of an archive by name. Their names are only shown: nothing is ever unpacked to the disk.

    Raises:
        DataError: If there is none, one is protected by a password, or together they are a bomb.
    """
    members = [
        m for m in archive.infolist()
        if not m.is_dir() and not Path(m.filename).name.startswith(".") and "__MACOSX" not in m.filename
    ]  # fmt: skip
    if document := next((what for name, what in _DOCUMENTS if any(m.filename == name for m in members)), None):
        raise DataError(f"{path} is no table but {document}", "Save the table in it as CSV or Excel (.xlsx).")
    images = sum(is_image_name(m.filename) for m in members)
    if images > len(members) / 2:
        raise DataError(f"{path} holds {images:,} images", "Unpack it, then name the folder.")
    tables = [m for m in members if suffix_format(m.filename)[0]] or members
    if not tables:
        raise DataError(f"{path} holds no file", "Put a CSV, Parquet or JSON file into it.")
    if any(m.flag_bits & 1 for m in tables):
        raise DataError(f"{path} is protected by a password", "Unpack it first.")
    # What the members state is what they can grow to: the reader stops there.
    check_growth(sum(m.file_size for m in tables), path.stat().st_size, str(path))
    return sorted(tables, key=lambda m: m.filename)
