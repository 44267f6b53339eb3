"""Files as streams of decompressed bytes, and bytes as checked UTF-8, block by block in little memory."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from autodl.data.compression import (
    check_growth,
    file_errors,
    is_workbook,
    magic,
    suffix_format,
    zip_members,
    zstd_chunks,
)
from autodl.data.encoding import legacy_encoding
from autodl.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK_BYTES = 1 << 22
SMALL_BYTES = 1 << 12
"""A block of a zip archive packed by bzip2 or LZMA, whose reader unpacks all of it at one go, up to 20,000-fold."""
MAPPED_BYTES = 1 << 26
"""Plain files above 64 MiB are mapped, not copied."""
WINDOW_BYTES = 1 << 16
"""Bytes around the first one that is no UTF-8, by which the encoding is found."""


@dataclass(frozen=True)
class Part:
    """One table file, plain or in an archive: ``name`` without the compression's suffix, and how to stream it."""

    name: str
    path: Path
    chunks: Callable[[], Iterator[bytes]]
    plain: bool
    """Whether the file itself holds these bytes, so that it can be opened at any place."""

    def content(self) -> pa.Buffer:
        """All of it."""
        import pyarrow as pa

        if self.plain and self.path.stat().st_size > MAPPED_BYTES:
            return pa.memory_map(str(self.path)).read_buffer()
        out = io.BytesIO()
        for chunk in self.chunks():
            out.write(chunk)
        return pa.py_buffer(out.getbuffer())


class WrongEncoding(Exception):  # noqa: N818 - no fault, but news: reading starts again under another encoding.
    """The text is not in the encoding that its head spoke for; ``encoding`` is the one to try."""

    def __init__(self, encoding: str) -> None:
        super().__init__(encoding)
        self.encoding = encoding


def open_parts(path: Path) -> list[Part]:
    """The tables in a file: its own, or the members of an archive.

    Raises:
        DataError: If the file is missing, unreadable, damaged, or an archive that grows beyond measure.
    """
    with file_errors(str(path)):
        with path.open("rb") as file:
            kind = magic(file.read(16))
        size = path.stat().st_size
        if kind == "zip" and suffix_format(path.name)[0] != "excel" and not is_workbook(path):
            with zipfile.ZipFile(path) as archive:
                members = zip_members(archive, path)
            return [Part(m.filename, path, partial(_zip_chunks, path, m), False) for m in members]
    stem = path.stem if suffix_format(path.name)[1] else path.name
    if kind == "zstd":
        return [Part(stem, path, lambda: zstd_chunks(path, size), False)]
    if kind in ("gzip", "bzip2", "xz"):
        opener: Any = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}[kind]
        return [Part(stem, path, lambda: _limited(lambda: opener(path, "rb"), size, str(path)), False)]
    return [Part(path.name, path, lambda: _blocks(lambda: path.open("rb")), True)]


def read_bytes(path: Path) -> list[tuple[str, pa.Buffer]]:
    """(name, whole content) of each table in a file. Raises ``DataError`` as ``open_parts``, or if it is a bomb."""
    with file_errors(str(path)):
        return [(part.name, part.content()) for part in open_parts(path)]


def _blocks(opener: Callable[[], IO[bytes]], size: int | None = None) -> Iterator[bytes]:
    with opener() as stream:
        while chunk := stream.read(size or BLOCK_BYTES):
            yield chunk


def _limited(opener: Callable[[], IO[bytes]], size: int, where: str) -> Iterator[bytes]:
    grown = 0
    for chunk in _blocks(opener):
        grown += len(chunk)
        check_growth(grown, size, where)
        yield chunk


def _zip_chunks(path: Path, member: zipfile.ZipInfo) -> Iterator[bytes]:
    size = BLOCK_BYTES if member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else SMALL_BYTES
    with zipfile.ZipFile(path) as archive:
        yield from _blocks(lambda: archive.open(member), size)


def head(part: Part, size: int) -> bytes:
    """The first ``size`` bytes of a part, or all if it is shorter."""
    out = b""
    with file_errors(str(part.path)):
        for chunk in part.chunks():
            out += chunk
            if len(out) >= size:
                break
    return out[:size]


def utf8(chunks: Iterator[bytes], encoding: str, where: str) -> Iterator[bytes]:
    """Text of an encoding as UTF-8 without a byte-order mark.

    Raises:
        WrongEncoding: At the first byte that does not fit; with the encoding to try instead.
        DataError: If no encoding fits, or the bytes are no text.
    """
    wide = encoding.startswith(("utf-16", "utf-32"))
    same = encoding in ("utf-8", "utf-8-sig")
    decoder = codecs.getincrementaldecoder(encoding)()
    before, done, clean, wide_before = b"", 0, encoding == "utf-8", False
    for chunk in chunks:
        if not wide and b"\0" in chunk:
            place = done + chunk.index(b"\0")
            raise DataError(
                f"{where} is no text: it holds binary data at byte {place:,}",
                "Give a CSV, Parquet, JSON lines or Excel file.",
            )
        if same and clean and chunk.isascii():
            yield chunk
        else:
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _wrong(encoding, before + chunk, error, done - len(before), where, wide_before) from error
            wide_before = wide_before or not text.isascii()
            clean = not decoder.getstate()[0]
            yield chunk if encoding == "utf-8" else text.encode()
        done += len(chunk)
        before = chunk[-8:]
    try:
        rest = decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _wrong(encoding, before, error, done - len(before), where, wide_before) from error
    if rest:
        yield rest.encode()


def _wrong(
    encoding: str, seen: bytes, error: UnicodeDecodeError, start: int, where: str, wide_before: bool
) -> WrongEncoding | DataError:
    if encoding in ("cp1252", "latin-1"):
        return WrongEncoding("latin-1")
    if encoding == "utf-8":
        place = min(error.start, len(seen) - 1)
        low = max(0, place - WINDOW_BYTES // 2)
        wide = wide_before or not seen[:place].isascii()
        return WrongEncoding(legacy_encoding(seen[low : low + WINDOW_BYTES], wide=wide))
    return DataError(
        f"{where} is not valid {encoding} near byte {start + error.start:,}", "Save the file as UTF-8 and try again."
    )


def single_blanks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines whose runs of blanks are one blank each, none at their ends."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield b"".join(b" ".join(line.split()) + b"\n" for line in lines)
    if rest:
        yield b" ".join(rest.split())


def without_empty_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines without the empty ones behind the last that holds something."""
    held = b""
    for chunk in chunks:
        if body := chunk.rstrip(b"\r\n"):
            yield held + body
            held = b""
        held += chunk[len(body) :]


class ChunkReader(io.RawIOBase):
    """A file of chunks, for libraries that read files; ``failure`` keeps what went wrong inside."""

    def __init__(self, chunks: Iterator[bytes], quote: str = '"') -> None:
        super().__init__()
        self._chunks, self._rest, self._quote = chunks, memoryview(b""), quote.encode()
        self.failure: Exception | None = None
        self.quotes = 0
        """Quotes seen so far."""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the next chunk goes."""
        if not self._rest:
            try:
                chunk = next((c for c in self._chunks if c), b"")
            except Exception as error:
                self.failure = error
                raise
            self.quotes += chunk.count(self._quote)
            self._rest = memoryview(chunk)
        n = min(len(buffer), len(self._rest))
        buffer[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n
