"""What a text is cut into for people to see which parts of it decide: words, or groups of characters.

Scripts without spaces between words (Chinese, Japanese, Thai and others) are shown in groups of neighbouring
characters, since where their words end is not known.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from autodl.text_words import UNSPACED, marks

LONGEST_GROUP = 4
"""Characters, each with the marks that stand above and below it."""
_RUN = re.compile(f"[{UNSPACED}]+")


@cache
def _word() -> re.Pattern[str]:
    """A letter and more of them, also behind an apostrophe of either form or a hyphen."""
    letter = rf"[\w{marks()}]"
    return re.compile(rf"\w(?:{letter}|['\u2019-]+(?=\w))+")


@cache
def _letter() -> str:
    return rf"(?:[^\W{UNSPACED}]|[{marks()}])"


def shown_terms(text: str) -> set[str]:
    """Words of two letters and more, in lower case, and groups of characters of scripts without spaces.

    >>> sorted(shown_terms("Good 好看"))
    ['good', '好', '好看', '看']
    """
    lower = text.lower()
    found = set(_word().findall(_RUN.sub(" ", lower)))
    for run in _RUN.findall(lower):
        letters = _letters(run)
        for k in range(1, LONGEST_GROUP + 1):
            found.update("".join(letters[i : i + k]) for i in range(len(letters) - k + 1))
    return found


def without_term(term: str, text: str) -> str:
    """The text without a term, wherever it stands as one, in capitals or not."""
    if _RUN.fullmatch(term):
        return text.replace(term, "")
    return re.sub(rf"(?<!{_letter()}){re.escape(term)}(?!{_letter()})", " ", text, flags=re.IGNORECASE)


def share_letters(term: str, other: str) -> bool:
    """Whether two groups of characters hold one another or overlap at an end; words stand for themselves."""
    if not (_RUN.fullmatch(term) and _RUN.fullmatch(other)):
        return False
    ends = range(1, min(len(term), len(other)))
    return term in other or other in term or any(term[-k:] == other[:k] or other[-k:] == term[:k] for k in ends)


def _letters(run: str) -> list[str]:
    """Characters with the marks that belong to them, such as the vowels above Thai consonants."""
    found: list[str] = []
    for c in run:
        if found and unicodedata.category(c) in ("Mn", "Mc"):
            found[-1] += c
        else:
            found.append(c)
    return found
