"""Raw columns to canonical values under a kind and a rule. Learning and predicting share this code.

Text is handled on its distinct values, so that the cost grows with them and not with the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from autodl.data.dates import COMPACT, known_order, learn_date_rule, parse_dates
from autodl.data.number_words import as_numbers, number_words, with_zeros
from autodl.data.numbers import parse_numbers
from autodl.data.other_numbers import comma_rule, first_thousands, other_rule, plainly_written, times_among
from autodl.data.words import MISSING, NO_NUMBER, TRUTH
from autodl.records import ColumnKind, ParseRule

if TYPE_CHECKING:
    from autodl.media.array import MediaArray
    from autodl.media.place import MediaPlace

MANY_WORDS = 10_000
"""From so many words on, Arrow looks at them: it is quicker, but slower to begin."""
PROBE = 100
"""Distinct dates looked at before all of them are."""
RELEARN = 0.5
"""When more than this share of the present values defies the learnt rule, the column is read anew by its own."""


@dataclass(frozen=True)
class Levels:
    """The distinct values of a text column, stripped, in order of appearance.

    Attributes:
        words: (k,) distinct texts.
        codes: (n,) positions in ``words``; -1 where the cell is empty. int32 or int64.
    """

    words: NDArray[np.object_]
    codes: NDArray[Any]

    @classmethod
    def of(cls, column: pd.Series) -> Levels:
        """The levels of an object column of ``str`` and ``None`` (or NaN), or of a categorical of ``str``."""
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes, raw = _used(column.cat.codes.to_numpy(np.int32), column.cat.categories.to_numpy(object))
        else:
            codes, raw = pd.factorize(column.to_numpy(object), use_na_sentinel=True)
        stripped = np.empty(len(raw), dtype=object)
        stripped[:] = [str(w).strip() for w in raw]
        if all(a is b for a, b in zip(raw, stripped, strict=True)):
            return cls(stripped, codes)
        again, words = pd.factorize(stripped) if len(stripped) else (np.empty(0, np.intp), stripped)
        merged = np.where(codes >= 0, again[codes], -1) if len(stripped) else codes
        return cls(words, merged)

    def counts(self) -> NDArray[np.intp]:
        """(k,) rows of each word."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.words))

    def spread(self, values: NDArray[Any], missing: Any) -> NDArray[Any]:
        """(n,) values of the rows from (k,) values of the words."""
        padded = np.append(values, np.array([missing], dtype=values.dtype))
        return np.asarray(padded[self.codes])


def _used(codes: NDArray[Any], words: NDArray[np.object_]) -> tuple[NDArray[Any], NDArray[np.object_]]:
    """Codes and words without the words that no row has."""
    if not len(words) or np.bincount(codes[codes >= 0], minlength=len(words)).all():
        return codes, words
    fresh, kept = pd.factorize(np.where(codes < 0, np.nan, codes), use_na_sentinel=True)
    return fresh, words[kept.astype(np.intp)]


def is_text(column: pd.Series) -> bool:
    """Whether the raw column holds text."""
    return column.dtype == object or isinstance(column.dtype, pd.CategoricalDtype)


STRINGS = frozenset({ColumnKind.CATEGORICAL, ColumnKind.TEXT, ColumnKind.ID, ColumnKind.CONSTANT})
"""Kinds whose canonical values are strings."""


def canonical(
    column: pd.Series,
    kind: ColumnKind,
    rule: ParseRule,
    levels: Levels | None = None,
    place: MediaPlace | None = None,
    comma: bool | None = None,
    span: tuple[float, float] | None = None,
) -> NDArray[Any] | MediaArray:
    """(n,) canonical values: the dtype is the one that ``ColumnKind`` promises.

    Infinite numbers become missing, since most models cannot use them. ``levels`` saves finding them again. Images
    are decoded into a store in ``place``, by default one that lasts as long as this process. ``comma``: whether the
    file uses a decimal comma. ``span``: the smallest and largest number of the training, where known.
    """
    if kind is ColumnKind.IMAGE:
        return _images(column, rule, place)
    if kind is ColumnKind.SERIES:
        from autodl.data.series.cells import store_series

        assert rule.series is not None, "a column of series has a rule that tells its channels"
        return store_series(column, rule.series.channels, str(column.name), place)
    column = words_of_media(column)
    if levels is None and is_text(column):
        levels = Levels.of(column)
    if kind is ColumnKind.NUMERIC:
        return _numeric(column, rule, levels, comma, span)
    if kind is ColumnKind.BOOLEAN:
        return _boolean(column, rule, levels)
    if kind is ColumnKind.DATETIME:
        return _datetime(column, rule, levels)
    return _strings(column, rule, levels)


def words_of_media(column: pd.Series) -> pd.Series:
    """Series or images where something else is expected, as words, so that each cell is told as no such thing."""
    from autodl.media.array import MediaArray

    cells = column.array
    if not isinstance(cells, MediaArray):
        return column
    words = [cells.word(i) for i in range(len(cells))]
    return pd.Series(words, index=column.index, name=column.name, dtype=object)


def _images(column: pd.Series, rule: ParseRule, place: MediaPlace | None) -> MediaArray:
    from autodl.data.images.cells import decode_cells
    from autodl.media.array import MediaArray

    if isinstance(column.array, MediaArray):  # rows that were read before
        return column.array
    # Not ``Levels``: a file may have blanks around its name.
    codes, words = pd.factorize(column.to_numpy(object) if is_text(column) else np.full(len(column), None, object))
    given = np.array([str(w).strip().lower() not in MISSING for w in words], dtype=bool)
    places = np.append(np.where(given, np.cumsum(given) - 1, -1), -1)
    assert rule.side is not None, "a column of images has the side that its images are brought to"
    names = [str(w) for w in words[given]]
    return decode_cells(names, places[codes], rule.side, crop=rule.crop, shades=rule.shades, place=place)


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def _numeric(
    column: pd.Series, rule: ParseRule, levels: Levels | None, comma: bool | None, span: tuple[float, float] | None
) -> NDArray[np.float64]:
    if levels is None:
        if column.dtype.kind == "M":
            return np.full(len(column), np.nan)
        return _finite(column.to_numpy(np.float64))
    if rule.marked and plainly_written(levels.words, rule):
        rule = rule.model_copy(update={"decimal": ".", "thousands": ""})
    values = parse_numbers(levels.words, rule)
    if comma and (other := comma_rule(levels.words, values, rule)) is not None:
        rule, values = other, parse_numbers(levels.words, other)
    if (marked := first_thousands(levels.words[np.isnan(values)], rule, decimal_comma=comma)) is not None:
        rule, values = marked, parse_numbers(levels.words, marked)
    values = _parse(levels, values, np.isnan, lambda w: _other_numbers(w, levels, rule, comma, span))
    return _finite(levels.spread(values, np.nan))


def _other_numbers(
    words: list[str], levels: Levels, rule: ParseRule, comma: bool | None, span: tuple[float, float] | None
) -> NDArray[np.float64] | None:
    """By a rule of their own. Words for true and false are 1 and 0, as where a format gives them as such."""
    if {w.lower() for w in words} <= {"true", "false"}:
        return _truth(levels.words, ("true",), ("false",))
    learnt = other_rule(words, rule, comma, span)
    return times_among(levels.words, rule, span) if learnt is None else parse_numbers(levels.words, learnt)


def _datetime(column: pd.Series, rule: ParseRule, levels: Levels | None) -> NDArray[np.datetime64]:
    if column.dtype.kind == "M":
        return column.to_numpy("datetime64[ns]")
    if levels is None:
        numbers = column.to_numpy(np.float64)
        if rule.date_format == COMPACT:
            words = np.array([str(int(v)) if np.isfinite(v) else "" for v in numbers], dtype=object)
            return parse_dates(words, rule)
        if rule.date_format and rule.date_format.startswith("epoch:"):
            return parse_dates(numbers, rule)
        return np.full(len(column), np.datetime64("NaT"), dtype="datetime64[ns]")
    if rule.date_format is None and not rule.dayfirst:
        # Where the training's file held dates and no text, nothing is known yet of how text writes them.
        own = _other_dates([str(w) for w in levels.words if w.lower() not in NO_NUMBER], levels, rule)
        if own is not None:
            own = np.where(np.isnat(own), parse_dates(levels.words, rule), own)
            return levels.spread(own, np.datetime64("NaT", "ns"))
    values = _parse(levels, parse_dates(levels.words, rule), np.isnat, lambda w: _other_dates(w, levels, rule))
    return levels.spread(values, np.datetime64("NaT", "ns"))


def _other_dates(words: list[str], levels: Levels, rule: ParseRule) -> NDArray[np.datetime64] | None:
    learnt = learn_date_rule(words, dayfirst=known_order(rule))
    return parse_dates(levels.words, learnt[0].model_copy(update={"pivot": rule.pivot})) if learnt else None


def date_doubt(column: pd.Series, rule: ParseRule) -> str:
    """What is unclear where a column of text is read by a form of dates of its own; empty where nothing is."""
    if not is_text(column) or known_order(rule) is not None:
        return ""
    levels = Levels.of(column)
    word = np.array([w.lower() not in NO_NUMBER for w in levels.words], dtype=bool)
    words, counts = levels.words[word], levels.counts()[word]
    probe = words[:: max(1, len(words) // PROBE)]
    if rule.date_format is not None and not np.isnat(parse_dates(probe, rule)).any():
        return ""
    if rule.date_format is not None and counts[np.isnat(parse_dates(words, rule))].sum() <= RELEARN * counts.sum():
        return ""
    learnt = learn_date_rule(words)
    return learnt[1] if learnt else ""


def _boolean(column: pd.Series, rule: ParseRule, levels: Levels | None) -> NDArray[np.float64]:
    if levels is None:
        numbers = column.to_numpy(np.float64) if column.dtype.kind in "biuf" else np.full(len(column), np.nan)
        return np.where((numbers == 0) | (numbers == 1), numbers, np.nan)
    own = (tuple(w.lower() for w in rule.true_words), tuple(w.lower() for w in rule.false_words))
    values = _parse(levels, _truth(levels.words, *own), np.isnan, lambda words: _other_truth(words, levels.words))
    return levels.spread(values, np.nan)


def _truth(words: NDArray[np.object_], true: tuple[str, ...], false: tuple[str, ...]) -> NDArray[np.float64]:
    return np.array([1.0 if w.lower() in true else 0.0 if w.lower() in false else np.nan for w in words])


def _other_truth(present: list[str], words: NDArray[np.object_]) -> NDArray[np.float64] | None:
    lowered = {w.lower() for w in present}
    pairs = (*TRUTH, ("1", "0"), ("1.0", "0.0"))
    return next((_truth(words, (t,), (f,)) for t, f in pairs if lowered <= {t, f}), None)


def _parse(
    levels: Levels,
    values: NDArray[Any],
    is_missing: Callable[[NDArray[Any]], NDArray[np.bool_]],
    relearn: Callable[[list[str]], NDArray[Any] | None],
) -> NDArray[Any]:
    """(k,) values of the words by the learnt rule, or by a fresh one where the learnt rule fails most rows."""
    counts = levels.counts()
    lost = is_missing(values)
    if not lost.any():
        return values
    word = np.array([w.lower() not in NO_NUMBER for w in levels.words], dtype=bool)
    present = counts[word].sum()
    if present and counts[word & lost].sum() > RELEARN * present:
        fresh = relearn([str(w) for w in levels.words[word]])
        if fresh is not None and counts[word & is_missing(fresh)].sum() < counts[word & lost].sum():
            return fresh
    return values


def _strings(column: pd.Series, rule: ParseRule, levels: Levels | None) -> NDArray[np.object_]:
    if levels is not None:
        kept = as_numbers(levels.words) if rule.numbers else levels.words.copy()
        kept = with_zeros(kept, rule.digits) if rule.digits else kept
        kept[~present_words(levels, rule)] = None
        return levels.spread(kept, None)
    codes, values = pd.factorize(column.to_numpy(), use_na_sentinel=True)
    words = number_words(values)
    words = with_zeros(words, rule.digits) if rule.digits else words
    return Levels(words, codes).spread(words, None)


def present_words(levels: Levels, rule: ParseRule) -> NDArray[np.bool_]:
    """(k,) which of the words do not stand for a missing value."""
    gone = MISSING | set(rule.missing_words)
    if len(levels.words) > MANY_WORDS:
        lowered = pc.utf8_lower(pa.array(levels.words, pa.string()))
        return ~np.asarray(pc.is_in(lowered, value_set=pa.array(sorted(gone))).to_numpy(zero_copy_only=False))
    return np.fromiter((w.lower() not in gone for w in levels.words), dtype=bool, count=len(levels.words))
