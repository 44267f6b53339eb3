"""Which text encoding bytes are in."""

from __future__ import annotations

import codecs
import io
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
_RUN = re.compile(rb"[\x80-\xff]+")
MIXED = "utf-8-cp1252"
"""UTF-8 in which some bytes are Windows-1252, as when files of both kinds are put together; a codec of our own."""
TELLING_BYTES = 1 << 16
"""So much of the lines that are no ASCII is looked at."""
FEW_ZEROS = 0.05
"""Text in which no more than this share of bytes is zero is damaged text; more zeros mean that it is no text."""
_WESTERN = re.compile(r"[A-Za-z\s0-9]?[À-ÖØ-öø-ÿŒœŠšŽžŸ’‘“”–—…€£¥§°ºª²³¼½¾«»¿¡©®·´µ±×]")

_POLISH = re.compile(rb"[A-Za-z][\xb3\xb9\xbf](?=[a-z])")
"""Polish letters of Windows-1250 within words; Windows-1252 has signs there: ``Wroc³aw``, ``D¹browa``, ``Ko¿uch``."""
POLISH = 0.05
"""Share of such among the high characters, from which the text is Polish and not a slip."""


def find_encoding(head: bytes, where: str, *, whole: bool) -> str:
    """The encoding of text.

    Args:
        head: The first bytes, or all.
        where: Named in the error.
        whole: Whether ``head`` is all there is; otherwise a character cut at its end is forgiven.

    Returns:
        A name that ``bytes.decode`` knows. UTF-8 where it fits; else UTF-16 by its zero bytes; else
        ``legacy_encoding``.

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
    zeros, controls = head[:65536].count(0), len(_CONTROL.findall(head[:65536]))
    if 0 < zeros <= FEW_ZEROS * len(head[:65536]) and controls - zeros <= 0.001 * len(head[:65536]) and b"\n" in head:
        line = head[: head.index(0)].count(b"\n") + 1
        raise DataError(
            f"{where} holds zero bytes, which text never has (the first one on line {line:,})",
            "Remove such bytes, e.g. by `tr -d '\\000' < old.csv > new.csv`.",
        )
    if b"\0" in head or controls > 0.01 * min(len(head), 65536):
        raise DataError(f"{where} is no text: it holds binary data", "Give a CSV, Parquet, JSON lines or Excel file.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        return legacy_encoding(_telling(head))
    return "utf-8"


def _telling(head: bytes) -> bytes:
    """The first lines that are no ASCII, of which the encoding is to be seen."""
    found, size = [], 0
    for line in io.BytesIO(head):
        if not line.isascii():
            if len(line) > TELLING_BYTES:
                start = next(_RUN.finditer(line)).start()
                line = line[start : start + TELLING_BYTES]
            found.append(line)
            size += len(found[-1])
            if size >= TELLING_BYTES:
                break
    return b"".join(found)


def legacy_encoding(head: bytes, *, wide: bool = False) -> str:
    """The encoding of text that is no UTF-8.

    Windows-1250 where it has Polish letters, Windows-1252 where it looks Western, else charset-normalizer's guess.

    ``MIXED`` where lines that are no UTF-8 look Western and stand beside others that are UTF-8 and no ASCII;
    ``wide``: there are such others before ``head``.
    """
    other: list[bytes] = []
    for line in head.splitlines(keepends=True):
        if not line.isascii():
            if _is_utf8(line):
                wide = True
            else:
                other.append(line)
    if wide and _looks_western(b"".join(other)):
        return MIXED
    if len(_POLISH.findall(head)) > POLISH * len(_RUN.findall(head)):
        return "cp1250"
    if _looks_western(head):
        return "cp1252"
    if _looks_chinese(head):
        return "gb18030"
    from charset_normalizer import from_bytes

    best = from_bytes(head, threshold=0.3).best()
    return best.encoding if best else "latin-1"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _looks_western(head: bytes) -> bool:
    """Whether Windows-1252 gives single accented letters between plain ones.

    Other scripts give long runs of high bytes, and Chinese in pairs of them runs of even length.
    """
    text = head.decode("cp1252", errors="replace")
    high = re.findall(r"[^\x00-\x7f]", text)
    western = len(_WESTERN.findall(text))
    lengths = [len(run) for run in _RUN.findall(head)]
    return (
        "\ufffd" not in text
        and western >= 0.9 * len(high)
        and sum(n > 2 for n in lengths) <= 0.02 * len(high)
        and sum(n == 1 for n in lengths) >= 0.5 * len(lengths)
    )


def _looks_chinese(head: bytes) -> bool:
    """Whether pairs of high bytes are the common characters of GB 2312 (first bytes B0 to D7).

    Korean pairs (EUC-KR) have first bytes up to C8 only; charset-normalizer confuses the two in short texts.
    """
    runs = _RUN.findall(head)
    leads = [byte for run in runs for byte in run[::2]]
    even = sum(len(run) % 2 == 0 for run in runs)
    common, chinese = (sum(low <= byte <= 0xD7 for byte in leads) for low in (0xB0, 0xC9))
    return bool(leads) and even >= 0.98 * len(runs) and common >= 0.8 * len(leads) and chinese >= 0.15 * len(leads)


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8, by Windows-1252; an error handler for decoders."""
    assert isinstance(error, UnicodeDecodeError)
    raw = error.object[error.start : error.end]
    try:
        return raw.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return raw.decode("latin-1"), error.end


class _MixedDecoder(codecs.BufferedIncrementalDecoder):
    def _buffer_decode(self, data: bytes, errors: str, final: bool) -> tuple[str, int]:  # type: ignore[override]
        return codecs.utf_8_decode(data, MIXED, final)


def _codec(name: str) -> codecs.CodecInfo | None:
    if name.replace("_", "-") != MIXED:
        return None
    return codecs.CodecInfo(
        encode=codecs.utf_8_encode,
        decode=lambda raw, errors="strict": codecs.utf_8_decode(raw, MIXED, True),
        incrementaldecoder=_MixedDecoder,
        name=MIXED,
    )


codecs.register_error(MIXED, _as_cp1252)
codecs.register(_codec)


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
