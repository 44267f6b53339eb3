"""Which text encoding bytes are in."""

from __future__ import annotations

import codecs
import re

from autodl.errors import DataError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_WESTERN = re.compile(r"[A-Za-z\s0-9]?[À-ÖØ-öø-ÿŒœŠšŽžŸ’‘“”–—…€£¥§°ºª²³¼½¾«»¿¡©®·´µ±×]")


def find_encoding(head: bytes, where: str, *, whole: bool) -> str:
    """The encoding of text.

    Args:
        head: The first bytes, or all.
        where: Named in the error.
        whole: Whether ``head`` is all there is; otherwise a character cut at its end is forgiven.

    Returns:
        A name that ``bytes.decode`` knows. UTF-8 where it fits; else UTF-16 by its zero bytes; else Windows-1252
        where the result looks Western; else what charset-normalizer finds.

    Raises:
        DataError: If the bytes are no text.
    """
    for bom, name in _BOMS:
        if head.startswith(bom):
            return name
    if head.count(b"\0") > len(head) // 5:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) > 3 * min(even, odd):
            return "utf-16-le" if odd > even else "utf-16-be"
    if b"\0" in head or len(_CONTROL.findall(head[:65536])) > 0.01 * min(len(head), 65536):
        raise DataError(f"{where} is no text: it holds binary data", "Give a CSV, Parquet, JSON lines or Excel file.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return legacy_encoding(head[: 1 << 16])
    return "utf-8"


def legacy_encoding(head: bytes) -> str:
    """The encoding of text that is no UTF: Windows-1252 where it looks Western, else charset-normalizer's guess."""
    text = head.decode("cp1252", errors="replace")
    high = re.findall(r"[^\x00-\x7f]", text)
    western = len(_WESTERN.findall(text))
    # Western text has single accented letters between plain ones; other scripts give long runs of high characters.
    runs = len(re.findall(r"[^\x00-\x7f]{3,}", text))
    if "\ufffd" not in text and western >= 0.9 * len(high) and runs <= 0.02 * len(high):
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(head, threshold=0.3).best()
    return best.encoding if best else "latin-1"


def decode(raw: bytes, encoding: str, where: str) -> str:
    """Text of bytes. Raises ``DataError`` with the place of the first byte that the encoding does not know."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding in ("cp1252", "latin-1"):
            return raw.decode("latin-1")
        raise DataError(
            f"{where} is not valid {encoding} at byte {error.start:,}", "Save the file as UTF-8 and try again."
        ) from error
