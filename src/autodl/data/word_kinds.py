"""Columns of words: constant, ID, free text or categories."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from autodl.data.images.names import is_image_name, is_link
from autodl.data.series.names import series_format
from autodl.data.words import is_id_name
from autodl.records import ColumnKind, ParseRule

if TYPE_CHECKING:
    from autodl.data.parsing import Levels

MIN_ROWS = 20
"""Below this many rows uniqueness proves nothing."""
CODES = "a different code in every row"
UNIQUE_SHARE = 0.95
"""Share of distinct values from which a column counts as nearly unique."""
LONE_SHARE = 0.9
"""The same of words that are all there is to learn from."""
TEXT_WORDS = 3.0
"""Mean number of words from which strings are free text."""
_TELL_NOTHING = (ColumnKind.ID, ColumnKind.CONSTANT)


@dataclass(frozen=True)
class Verdict:
    """What a column is, why, and how its cells are read."""

    kind: ColumnKind
    why: str
    rule: ParseRule = field(default_factory=ParseRule)


_HEXLIKE = re.compile(
    r"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4,}(-[0-9a-fA-F]{4,})*$|^[0-9a-fA-F]{16,}$|^[^@\s]+@[^@\s]+\.\w+$|^https?://\S+$"
)


def judge_words(name: str, words: NDArray[np.object_], counts: NDArray[np.intp], n: int, rule: ParseRule) -> Verdict:
    """Strings that are neither numbers, dates nor truth words: constant, ID, text or category."""
    total = int(counts.sum())
    k = len(words)
    if k == 0:
        return Verdict(ColumnKind.CONSTANT, "no values", rule)
    if k == 1:
        if total == n:
            return Verdict(ColumnKind.CONSTANT, f"always {str(words[0])[:40]!r}", rule)
        return Verdict(ColumnKind.CATEGORICAL, f"{str(words[0])[:40]!r} or nothing", rule)
    probe = words[:: max(1, k // 1000)]
    n_words = float(np.mean([count_words(w) for w in probe]))
    spaced = float(np.mean([" " in w for w in probe]))
    ratio = k / total
    length = float(np.mean([len(w) for w in probe]))
    if ratio >= UNIQUE_SHARE and spaced < 0.1 and n_words < 2.5 and (length <= 40 or _keys(probe) > 0.9):
        digits = float(np.mean([any(c.isdigit() for c in w) for w in probe]))
        named = is_id_name(name) and k >= 5
        if named or (k >= MIN_ROWS and ((ratio > 0.99 and (digits > 0.5 or k == total)) or _keys(probe) > 0.9)):
            return Verdict(ColumnKind.ID, CODES, rule)
    if n_words > TEXT_WORDS and (ratio > 0.3 or (k > 1000 and n_words > 2 * TEXT_WORDS)) and k >= 5:
        return Verdict(ColumnKind.TEXT, f"free text of about {n_words:.0f} words", rule)
    if k >= MIN_ROWS and ratio >= 0.9 and (n_words > 1.5 or length > 40):
        return Verdict(ColumnKind.TEXT, "a different text in nearly every row", rule)
    why = f"{k:,} different words" if k > 50 else f"{k} categories"
    return Verdict(ColumnKind.CATEGORICAL, why, rule)


def keep_a_feature(
    names: Sequence[str], verdicts: list[Verdict], levels: Sequence[Levels | None], target: str | None
) -> list[Verdict]:
    """Columns that count up are all there is to learn from where no other tells more, unless named as a key.

    So are those of words of which nearly every row has its own, as passwords and links: they are read by their
    pieces. Whether a column that counts up beside them is a dose or the order of the rows cannot be told: it is kept.
    """
    kept, counters = [], []
    for i, (name, verdict, level) in enumerate(zip(names, verdicts, levels, strict=True)):
        kept.append(verdict)
        if name == target:
            continue
        if level is not None and _is_unique_word(verdict, level.words, level.counts()):
            if not is_id_name(name) and not _names_files(level.words):
                kept[i] = Verdict(ColumnKind.TEXT, "different words; no other column tells more", verdict.rule)
        elif verdict.kind not in _TELL_NOTHING:
            return verdicts
        elif verdict.kind is ColumnKind.ID and verdict.why.startswith("counts up") and not is_id_name(name):
            counters.append(i)
    for i in counters:
        kept[i] = Verdict(ColumnKind.NUMERIC, "whole numbers; no other column tells more", verdicts[i].rule)
    return kept


def _names_files(words: NDArray[np.object_]) -> bool:
    """Whether nearly all words name files of images or series: those of files that are not there tell nothing."""
    probe = words[:: max(1, len(words) // 1000)]
    named = [(is_image_name(w) and not is_link(w)) or series_format(w) is not None for w in probe]
    return float(np.mean(named)) >= LONE_SHARE


def _is_unique_word(verdict: Verdict, words: NDArray[np.object_], counts: NDArray[np.intp]) -> bool:
    """Whether nearly every row of a column has a word of its own, so that as categories they tell nothing.

    Args:
        verdict: What the column was taken for.
        words: Its (k,) distinct words.
        counts: (k,) rows of each.
    """
    if verdict.kind is ColumnKind.ID:
        return verdict.why == CODES
    return verdict.kind is ColumnKind.CATEGORICAL and len(words) >= max(MIN_ROWS, LONE_SHARE * int(counts.sum()))


def code_digits(words: NDArray[np.object_]) -> int:
    """The digits of codes of equal length with zeros in front, which a program may take for numbers; else 0."""
    n = len(words[0]) if len(words) else 0
    codes = n > 1 and all(len(w) == n and w.isascii() and w.isdigit() for w in words)
    return n if codes and any(w[0] == "0" for w in words) else 0


def _keys(words: NDArray[np.object_]) -> float:
    """Share of hashes, UUIDs, e-mail addresses and links."""
    return float(np.mean([bool(_HEXLIKE.match(w)) for w in words]))


_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


def count_words(text: str) -> float:
    """Words; in scripts without spaces two characters count as one."""
    wide = len(_IDEOGRAPHS.findall(text))
    return len(text.split()) if not wide else wide / 2 + len(_IDEOGRAPHS.sub(" ", text).split())
