"""What a word is in any script: letters, digits and the marks that stand on them.

Python's own word characters leave out combining marks, so that the vowel signs of Hindi, Bengali or Tamil and accents
that were typed on their own would cut words apart (Unicode Standard Annex 29, rule WB4: marks belong to the letter
before them).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff"  # Kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # Chinese characters
)
"""Scripts that are written without spaces, as the inside of a class of characters."""
_FIRST, _LAST = 0x300, 0xFFFF
_ZERO_WIDTH = "\u200c\u200d"
"""Joiners and non-joiners, which stand within words of Persian and of Indian scripts."""
LONG_RUN = 30
"""Letters without a space from which on a run is no word."""
LOOKED_AT, MOST_CHARACTERS = 1000, 20_000
"""Texts, and characters of each, that are looked at for such runs."""


@cache
def marks() -> str:
    """Combining marks of all scripts in which words have spaces between them, as the inside of a class."""
    unspaced = re.compile(f"[{UNSPACED}]")
    every = (chr(k) for k in range(_FIRST, _LAST + 1))
    return _ZERO_WIDTH + "".join(
        c for c in every if unicodedata.category(c) in ("Mn", "Mc") and not unspaced.match(c)
    )


@cache
def word(with_marks: bool = True) -> str:
    """A pattern of a word: a letter, digit or underscore, and what belongs to it.

    Args:
        with_marks: False for what was learnt by a version that cut words at marks.
    """
    return rf"\w[\w{marks()}]*" if with_marks else r"\w+"


@cache
def word_pattern(with_marks: bool = True) -> re.Pattern[str]:
    """``word``, compiled."""
    return re.compile(word(with_marks))


@cache
def part_pattern(with_marks: bool = True) -> re.Pattern[str]:
    """A character of a script without spaces, a word of another, or a sign; argument as for ``word``."""
    letter = rf"[^\W{UNSPACED}]"
    words = rf"{letter}(?:{letter}|[{marks()}])*" if with_marks else rf"{letter}+"
    return re.compile(rf"[{UNSPACED}]|{words}|[^\w\s]")


def in_long_runs(texts: Sequence[str]) -> bool:
    """Whether most letters stand in runs that are too long for words, as in sequences of bases."""
    letters = long = 0
    for text in texts[:LOOKED_AT]:
        for part in part_pattern().findall(text[:MOST_CHARACTERS]):
            letters += len(part)
            long += len(part) * (len(part) > LONG_RUN)
    return 2 * long > letters
