"""Bytes of plain and compressed files, and what kind of file the bytes are."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from autodl.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

COMPRESSED = {".gz": "gzip", ".gzip": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd", ".zip": "zip"}
FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".psv": "csv", ".txt": "csv", ".dat": "csv", ".data": "csv",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather", ".ipc": "feather",
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".xlsx": "excel", ".xlsm": "excel", ".xls": "excel",
}  # fmt: skip
"""Suffix to format."""

MAX_RATIO, FREE_BYTES = 200, 1 << 28
"""A file that grows more than 200-fold and beyond 256 MiB when decompressed is refused as a bomb."""
MAPPED_BYTES = 1 << 26
"""Plain files above 64 MiB are mapped, not copied."""

_MAGIC = (
    (b"PAR1", "parquet"), (b"ARROW1", "feather"), (b"FEA1", "feather"), (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"), (b"%PDF", "PDF"), (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"), (b"GIF8", "GIF image"), (b"\x80\x04\x95", "pickle"), (b"\x80\x05\x95", "pickle"),
    (b"SQLite format 3\x00", "SQLite"), (b"\x89HDF", "HDF5"), (b"\x7fELF", "program"), (b"7z\xbc\xaf", "7z archive"),
    (b"Rar!", "RAR archive"),
)  # fmt: skip


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
def file_errors(path: str) -> Iterator[None]:
    """Turn the errors of the operating system and of decompressors into ``DataError``."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist", "Check the path and the spelling.") from error
    except PermissionError as error:
        raise DataError(f"{path} cannot be read: permission denied", f"Try `chmod u+r '{path}'`.") from error
    except (EOFError, zipfile.BadZipFile, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path} is damaged or cut off: {_first_line(error)}", "Copy or download it again."
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or _first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def read_bytes(path: Path) -> list[tuple[str, pa.Buffer]]:
    """The content of a file, decompressed.

    Returns:
        (name without the compression's suffix, content) of the file; of each member that is a table for a zip.

    Raises:
        DataError: If the file is missing, unreadable, damaged, or grows beyond measure when decompressed.
    """
    import pyarrow as pa

    with file_errors(str(path)):
        with path.open("rb") as file:
            head = file.read(16)
        size = path.stat().st_size
        kind = magic(head)
        if kind == "zip" and suffix_format(path.name)[0] != "excel":
            return _unzip(path)
        if kind in ("gzip", "bzip2", "xz", "zstd"):
            stem = path.stem if suffix_format(path.name)[1] else path.name
            return [(stem, pa.py_buffer(_decompress(path, kind, size)))]
        if size > MAPPED_BYTES:
            return [(path.name, pa.memory_map(str(path)).read_buffer())]
        return [(path.name, pa.py_buffer(path.read_bytes()))]


def _decompress(path: Path, kind: str, size: int) -> bytes:
    if kind == "zstd":
        return _unzstd(path, size)
    openers: dict[str, Any] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
    with openers[kind](path, "rb") as stream:
        return _read_limited(stream, size, str(path))


def _unzstd(path: Path, size: int) -> bytes:
    """Frame by frame, since the library's stream reader takes a file that is cut off for one that ends."""
    import zstandard

    out = io.BytesIO()
    frame = zstandard.ZstdDecompressor().decompressobj()
    with path.open("rb") as raw:
        while chunk := raw.read(1 << 14):
            while chunk:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                try:
                    out.write(frame.decompress(chunk))
                except zstandard.ZstdError as error:
                    raise EOFError(_first_line(error)) from error
                chunk = frame.unused_data if frame.eof else b""
                _check_growth(out.tell(), size, str(path))
    if not frame.eof:
        raise EOFError("the last frame is not complete")
    return out.getvalue()


def _read_limited(stream: IO[bytes], size: int, where: str) -> bytes:
    out = io.BytesIO()
    while chunk := stream.read(1 << 20):
        out.write(chunk)
        _check_growth(out.tell(), size, where)
    return out.getvalue()


def _check_growth(grown: int, size: int, where: str) -> None:
    limit = max(FREE_BYTES, MAX_RATIO * size)
    if grown > limit:
        raise DataError(
            f"{where} grows from {size:,} to more than {limit:,} bytes when decompressed",
            "Decompress it yourself if you trust it.",
        )


def _unzip(path: Path) -> list[tuple[str, pa.Buffer]]:
    import pyarrow as pa

    with zipfile.ZipFile(path) as archive:
        members = [
            m for m in archive.infolist()
            if not m.is_dir() and not Path(m.filename).name.startswith(".") and "__MACOSX" not in m.filename
        ]  # fmt: skip
        tables = [m for m in members if suffix_format(m.filename)[0]] or members
        if not tables:
            raise DataError(f"{path} holds no file", "Put a CSV, Parquet or JSON file into it.")
        out = []
        for member in sorted(tables, key=lambda m: m.filename):
            if member.flag_bits & 1:
                raise DataError(f"{path} is protected by a password", "Unpack it first.")
            with archive.open(member) as stream:
                data = _read_limited(stream, max(1, member.compress_size), f"{path}:{member.filename}")
            out.append((member.filename, pa.py_buffer(data)))
        return out
