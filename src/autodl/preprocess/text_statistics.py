"""How texts look, whatever they say: length, words, capitals, digits, signs. Notation: n rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATISTICS = (
    "length", "words", "word length", "capitals", "digits", "signs", "other alphabets", "number of digits",
    "exclamation marks", "question marks", "lines",
)  # fmt: skip
"""Counts are logarithms of one more; capitals, digits, signs and what is not ASCII are shares of the characters."""
_UPPER, _DIGIT, _SPACE, _LETTER = 1, 2, 4, 8


def text_statistics(texts: Sequence[str]) -> NDArray[np.float64]:
    """(n, 11) statistics, see ``STATISTICS``; an empty text has zeros."""
    n = len(texts)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=n)
    out = np.zeros((n, len(STATISTICS)))
    filled = np.flatnonzero(lengths)
    if len(filled) == 0:
        return out
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    starts = (np.cumsum(lengths) - lengths)[filled]
    kinds = _kinds()[np.minimum(codes, 0xFFFF)]
    kinds = np.where(codes > 0xFFFF, np.uint8(0), kinds)

    def count(found: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.add.reduceat(found, starts, dtype=np.int64).astype(np.float64)

    space = (kinds & _SPACE) > 0
    # A word begins at a character that is no space, after a space or where the text begins.
    begins = ~space
    begins[1:] &= space[:-1]
    begins[starts] = ~space[starts]
    size = lengths[filled].astype(np.float64)
    words, digits = count(begins), count((kinds & _DIGIT) > 0)
    plain = (kinds & (_LETTER | _DIGIT | _SPACE)) > 0
    out[filled] = np.column_stack([
        np.log1p(size), np.log1p(words), count(~space) / np.maximum(1.0, words),
        count((kinds & _UPPER) > 0) / size, digits / size, count(~plain) / size, count(codes > 127) / size,
        np.log1p(digits), np.log1p(count(codes == ord("!"))), np.log1p(count(codes == ord("?"))),
        np.log1p(count(codes == ord("\n"))),
    ])  # fmt: skip
    # A single endless word must not count for more than a long one.
    out[:, 2] = np.minimum(out[:, 2], 50.0)
    return out


@cache
def _kinds() -> NDArray[np.uint8]:
    """(65536,) flags of the characters of the basic plane."""
    table = np.zeros(0x10000, dtype=np.uint8)
    for code in range(0x10000):
        c = chr(code)
        table[code] = _UPPER * c.isupper() | _DIGIT * c.isdigit() | _SPACE * c.isspace() | _LETTER * c.isalpha()
    return table
