"""What of new data a learnt schema cannot use."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodl.data.dates import DOUBT
from autodl.data.number_words import number_word
from autodl.data.parsing import Levels, date_doubt, is_text, words_of_media
from autodl.data.statistics import SHOWN_LENGTH
from autodl.data.words import NO_NUMBER
from autodl.records import ColumnInfo, ColumnKind, TableSchema

FULL_TOP = 10
"""``ColumnInfo.top`` lists at most so many values; with no more distinct ones it lists them all."""
MANY_NEW = 0.5
"""Among more categories a few new ones are nothing odd: they are told from more than this share of the values on."""
EXAMPLES = 3
FILES = 5
"""Names of files in one note: who wants to look at them must find them."""
UNSEEN = "were never seen in training"
FAR = 1.0
"""A number is far outside the training's range if it lies this many times the length of the range beyond its end."""

_INFINITE = ("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity", "∞", "+∞", "-∞")
_UNREADABLE = {
    ColumnKind.NUMERIC: "are no numbers and count as missing",
    ColumnKind.DATETIME: "are no dates and count as missing",
    ColumnKind.BOOLEAN: "are neither yes nor no and count as missing",
}


@dataclass(frozen=True)
class Misfit:
    """Values of one column that the model cannot use.

    Attributes:
        column: Its name. what: What is the matter with them, as the end of a sentence.
        n: How many they are, of ``of`` present values. examples: A few of them.
        files: Whether the examples are the names of files, of which all are held and the first few shown.
    """

    column: str
    what: str
    n: int
    of: int
    examples: tuple[str, ...] = ()
    files: bool = False

    def __str__(self) -> str:
        shown = [repr(e) for e in self.examples[: FILES if self.files else EXAMPLES]]
        rest = len(self.examples) - len(shown)
        listed = f" ({', '.join(shown)}{f' and {rest:,} more' if rest else ''})" if shown else ""
        return f"'{self.column}': {self.n:,} of {self.of:,} values {self.what}{listed}"


def merge_misfits(found: Iterable[Misfit]) -> list[Misfit]:
    """The misfits of several parts of a table as those of the whole, without the columns that have none."""
    merged: dict[tuple[str, str], Misfit] = {}
    for one in found:
        key = (one.column, one.what)
        if (before := merged.get(key)) is not None:
            examples = tuple(dict.fromkeys((*before.examples, *one.examples)))[: None if one.files else EXAMPLES]
            one = replace(one, n=before.n + one.n, of=before.of + one.of, examples=examples)
        merged[key] = one
    return [one for one in merged.values() if one.n]


def misfits(
    raw: pd.DataFrame, canonical: pd.DataFrame, schema: TableSchema, *, skip: Collection[str] = ()
) -> list[Misfit]:
    """Values that count as missing because they do not fit what was learnt; see ``count_misfits``."""
    return merge_misfits(count_misfits(raw, canonical, schema, skip=skip))


def count_misfits(
    raw: pd.DataFrame, canonical: pd.DataFrame, schema: TableSchema, *, skip: Collection[str] = ()
) -> list[Misfit]:
    """Values that count as missing because they do not fit what was learnt.

    Args:
        raw: (n,) rows as read.
        canonical: The same rows after ``apply_schema``.
        schema: The learnt columns.
        skip: Columns to say nothing about.

    Returns:
        Entries a column, also where ``n`` is 0: unreadable numbers, dates and yes-or-no words, infinite numbers, and
        categories never seen in training (of columns that had more than ten only if they are most of the values; of
        those that had very many none).
    """
    found = []
    for column in schema.columns:
        if column.name not in skip:
            found += _column(column, raw[column.name], canonical[column.name])
    return found


def count_far(canonical: pd.DataFrame, schema: TableSchema, *, skip: Collection[str] = ()) -> list[Misfit]:
    """Numbers far outside the range of the training, such as a column in another unit.

    Args:
        canonical: (n,) rows after ``apply_schema``.
        schema: The learnt columns.
        skip: Columns to say nothing about.

    Returns:
        An entry for each column of numbers, also where ``n`` is 0.
    """
    found = []
    for column in schema.columns:
        if column.numeric is None or column.kind is not ColumnKind.NUMERIC or column.name in skip:
            continue
        low, high = column.numeric.minimum, column.numeric.maximum
        values = canonical[column.name].to_numpy()
        values = values[~np.isnan(values)]
        # Halved, since the range of numbers near 1e308 has no float64.
        reach = FAR * (high / 2 - low / 2)
        bad = values[(values / 2 - high / 2 > reach) | (low / 2 - values / 2 > reach)]
        what = f"lie far outside what the training had ({number_word(low)} to {number_word(high)})"
        examples = tuple(number_word(float(f"{v:.6g}")) for v in dict.fromkeys(bad[:100].tolist()))[:EXAMPLES]
        found.append(Misfit(column.name, what, len(bad), len(values), examples))
    return found


def _column(column: ColumnInfo, raw: pd.Series, values: pd.Series) -> list[Misfit]:
    if column.kind not in (ColumnKind.IMAGE, ColumnKind.SERIES):
        raw = words_of_media(raw)
    present, lost = _present(raw), values.isna().to_numpy()
    doubts = _doubts(column, raw, int((present & ~lost).sum())) if column.kind is ColumnKind.DATETIME else []
    if column.kind in _UNREADABLE:
        if not (present & lost).any():  # of a wide table this is nearly every column
            return doubts + [
                Misfit(column.name, what, 0, int(present.sum()))
                for what in ("are infinite and count as missing", _UNREADABLE[column.kind])
            ]
        words = raw[present & lost].astype(str).str.strip()
        infinite = words.str.lower().isin(_INFINITE)
        return [
            *doubts,
            *_said(column.name, words[infinite], present, "are infinite and count as missing"),
            *_said(column.name, words[~infinite], present, _UNREADABLE[column.kind]),
        ]
    if column.kind is ColumnKind.SERIES:
        from autodl.data.series.misfits import count_gaps

        return [Misfit(column.name, what, n, int(present.sum())) for what, n in count_gaps(raw)]
    if column.kind is ColumnKind.IMAGE:
        from autodl.data.images.misfits import lost_images

        n = int(present.sum())
        return [
            Misfit(column.name, why.value, len(names), n, tuple(dict.fromkeys(names)), files=True)
            for why, names in lost_images(raw, values)
        ]
    few = column.n_unique <= FULL_TOP
    seen = tuple(value for value, _ in column.top) if few else column.words
    if column.kind is ColumnKind.CATEGORICAL and seen:
        new = raw[present & ~lost & ~_known(values, seen)].astype(str).str.strip()
        new = new if few or len(new) > MANY_NEW * present.sum() else new[:0]
        return _said(column.name, new, present, UNSEEN)
    return []


def _known(values: pd.Series, words: Collection[str]) -> NDArray[np.bool_]:
    """(n,) whether a value, as long as the record of the training shows it, is one of the words."""
    seen = set(words)
    codes, levels = pd.factorize(values.to_numpy(object), use_na_sentinel=True)
    known = np.array([str(w)[:SHOWN_LENGTH] in seen for w in levels], dtype=bool)
    return np.append(known, False)[codes]


def _doubts(column: ColumnInfo, raw: pd.Series, n: int) -> list[Misfit]:
    """Dates that may have been read with the wrong number as the month: entries also where there are none."""
    doubt = date_doubt(raw, column.parse)
    whats = [f"{DOUBT} {first} first" for first in ("day", "month")]
    return [Misfit(column.name, f"are dates whose {what}", n if what == doubt else 0, n) for what in whats]


def _present(raw: pd.Series) -> NDArray[np.bool_]:
    """(n,) whether a cell holds a value. Text is judged by its distinct words, of which there are fewer."""
    if not is_text(raw):
        return raw.notna().to_numpy()
    levels = Levels.of(raw)
    filled = np.array([bool(w) and w.lower() not in NO_NUMBER for w in levels.words], dtype=bool)
    return levels.spread(filled, False)


def _said(name: str, bad: pd.Series, present: NDArray[np.bool_], what: str) -> list[Misfit]:
    return [Misfit(name, what, len(bad), int(present.sum()), tuple(bad.drop_duplicates()[:EXAMPLES]))]
