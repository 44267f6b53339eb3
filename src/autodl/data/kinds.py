"""Which role the values of each column can play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodl.data.clocks import within_a_day
from autodl.data.dates import MIXED, learn_date_rule
from autodl.data.number_kinds import judge_number_values, judge_number_words
from autodl.data.numbers import file_uses_decimal_comma
from autodl.data.parsing import Levels, canonical, is_text
from autodl.data.series.kind import judge_series
from autodl.data.statistics import describe
from autodl.data.word_kinds import Verdict, code_digits, judge_words, keep_a_feature
from autodl.data.words import MISSING, MISSING_MARKS, NO_NUMBER, NOTHING, TRUTH
from autodl.errors import DataError, did_you_mean
from autodl.media.array import MediaDtype
from autodl.records import ColumnKind, ParseRule, TableSchema

if TYPE_CHECKING:
    from autodl.media.place import MediaPlace

NOTHING_SHARE = 0.05
"""From this share of the rows on, "none" is an answer and not a missing value."""
FLAG_WORDS = 1000
"""More different words than two words for yes and no, in all their spellings, and all marks of missing values."""


def infer_schema(
    frame: pd.DataFrame,
    *,
    target: str | None = None,
    place: MediaPlace | None = None,
    commas_part: bool = False,
    known: TableSchema | None = None,
) -> TableSchema:
    """Find the kind of every column, how to parse it, and what its values look like.

    Args:
        frame: A raw frame, as ``read_table`` gives it.
        target: The column to predict. It is numeric, categorical or a date by its values alone: never an ID, a
            constant, free text or a boolean (words for yes and no are its class names).
        place: Where images are decoded to; if not given, a folder that lasts as long as this process.
        commas_part: Whether commas part the cells of the file, so that few of its numbers have decimal commas: then
            a column tells nothing of the others.
        known: What an earlier version took the columns for, where its run goes on: they stay what they were.

    Raises:
        DataError: If the target is not a column.
    """
    names = [str(c) for c in frame.columns]
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    levels, verdicts = _judge(names, columns, target, None, commas_part, known)
    return TableSchema(
        columns=tuple(
            describe(name, v.kind, v.why, canonical(column, v.kind, v.rule, level, place), v.rule, level)
            for name, column, level, v in zip(names, columns, levels, verdicts, strict=True)
        )
    )


def learn_table(
    frame: pd.DataFrame,
    *,
    target: str | None = None,
    order: str | None = None,
    place: MediaPlace | None = None,
    commas_part: bool = False,
    known: TableSchema | None = None,
) -> tuple[TableSchema, pd.DataFrame]:
    """``infer_schema`` and ``apply_schema`` in one, in half the time and memory.

    Args:
        frame: A raw frame; it is used up: its columns are taken out of it one by one.
        target, place, commas_part, known: As for ``infer_schema``.
        order: A column that puts the rows in order: its numbers are no keys, even if they look like some.

    Returns:
        The schema, and the canonical values of all columns.

    Raises:
        DataError: If the target is not a column.
    """
    n, names = len(frame), [str(c) for c in frame.columns]
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    levels, verdicts = _judge(names, columns, target, order, commas_part, known)
    infos, values = [], {}
    frame.drop(columns=list(frame.columns), inplace=True)
    columns.reverse()
    levels.reverse()
    for name, v in zip(names, verdicts, strict=True):
        column, level = columns.pop(), levels.pop()
        values[name] = canonical(column, v.kind, v.rule, level, place)
        infos.append(describe(name, v.kind, v.why, values[name], v.rule, level))
    table = pd.DataFrame(
        {name: pd.Series(column, copy=False) for name, column in values.items()},
        index=pd.RangeIndex(n),
        columns=names,
        copy=False,
    )
    return TableSchema(columns=tuple(infos)), table


def _judge(
    names: Sequence[str],
    columns: Sequence[pd.Series],
    target: str | None,
    order: str | None,
    commas_part: bool,
    known: TableSchema | None,
) -> tuple[list[Levels | None], list[Verdict]]:
    """The distinct words of the columns of text, and the verdicts on all columns."""
    if target is not None and target not in names:
        raise DataError(f"column '{target}' is not in the table", did_you_mean(target, names))
    levels = [Levels.of(c) if is_text(c) else None for c in columns]
    comma = None if commas_part else file_uses_decimal_comma(level.words for level in levels if level is not None)
    # The rule by which a series is made follows from the options.
    before = {} if known is None else {c.name: c for c in known.columns if c.kind is not ColumnKind.SERIES}
    verdicts = []
    for name, column, level in zip(names, columns, levels, strict=True):
        if (info := before.get(name)) is not None:
            verdicts.append(Verdict(info.kind, info.why, info.parse))
            continue
        verdict = _judge_column(name, column, level, name == target, comma)
        if name == order and level is not None and verdict.rule.clock and within_a_day(level.words, verdict.rule):
            verdict = _judge_column(name, column, level, True, comma)  # they begin again each day: no order
        elif name == order and verdict.kind in (ColumnKind.ID, ColumnKind.CATEGORICAL):
            by_values = _judge_column(name, column, level, True, comma)
            verdict = by_values if by_values.kind is ColumnKind.NUMERIC else verdict
        verdicts.append(verdict)
    return levels, verdicts if before else keep_a_feature(names, verdicts, levels, target)


def _judge_column(name: str, column: pd.Series, level: Levels | None, is_target: bool, comma: bool | None) -> Verdict:
    if level is None:
        return _judge_numbers(name, column, is_target)
    return _judge_text(name, level, is_target, comma)


def _judge_numbers(name: str, column: pd.Series, is_target: bool) -> Verdict:
    """A column that is not text: bool, int64, float64, datetime64 or series."""
    if isinstance(column.dtype, MediaDtype):
        return judge_series(name, column, is_target)
    if column.dtype.kind == "M":
        return Verdict(ColumnKind.DATETIME, "dates in the file")
    if column.dtype == bool:
        if is_target:
            return Verdict(ColumnKind.CATEGORICAL, "two classes, true and false")
        if column.nunique() == 2:
            rule = ParseRule(true_words=("True",), false_words=("False",))
            return Verdict(ColumnKind.BOOLEAN, "true or false", rule)
        return Verdict(ColumnKind.CONSTANT, f"always {column.iloc[0]}" if len(column) else "no values")
    values = column.to_numpy(np.float64)
    verdict = judge_number_values(name, values, is_target, ParseRule(), "numbers", column.dtype.kind == "i")
    if verdict.kind is ColumnKind.CATEGORICAL:
        return replace(verdict, rule=verdict.rule.model_copy(update={"numbers": True}))
    return verdict


def _judge_text(name: str, levels: Levels, is_target: bool, comma: bool | None) -> Verdict:
    """A column of strings."""
    lowered = np.array([w.lower() for w in levels.words], dtype=object)
    counts = levels.counts()
    present = np.array([w not in MISSING for w in lowered], dtype=bool)
    n = len(levels.codes)
    if not present.any():
        return Verdict(ColumnKind.CATEGORICAL if is_target else ColumnKind.CONSTANT, "no values")
    if not is_target and (images := _image_verdict(levels)) is not None:
        return images
    boolean = _truth_rule(levels.words, lowered, counts)
    if boolean is not None and not is_target:
        return Verdict(ColumnKind.BOOLEAN, f"{boolean.true_words[0]} or {boolean.false_words[0]}", boolean)
    numbers = judge_number_words(name, levels, lowered, counts, is_target, comma)
    if numbers is not None:
        return numbers
    valued = np.array([w not in NO_NUMBER for w in lowered], dtype=bool)
    words = [str(w) for w in levels.words[valued]]
    dates = learn_date_rule(words, this_year=date.today().year, name=name)
    if dates is not None:
        rule, doubt = dates
        form = "mixed forms" if rule.date_format in (None, MIXED) else rule.date_format
        return Verdict(ColumnKind.DATETIME, f"dates ({form})" + (f"; {doubt}" if doubt else ""), rule)
    missing = _missing_words(lowered, counts, n, is_target)
    kept = present & ~np.isin(lowered, missing)
    rule = ParseRule(missing_words=missing, digits=code_digits(levels.words[kept]))
    if is_target:
        return Verdict(ColumnKind.CATEGORICAL, f"{int(kept.sum()):,} classes in words", rule)
    return judge_words(name, levels.words[kept], counts[kept], n, rule)


def _image_verdict(levels: Levels) -> Verdict | None:
    from autodl.data.images.columns import judge_images

    return judge_images(levels)


def _truth_rule(
    words: NDArray[np.object_], lowered: NDArray[np.object_], counts: NDArray[np.intp]
) -> ParseRule | None:
    if len(lowered) > FLAG_WORDS:
        return None
    none = MISSING | MISSING_MARKS | NOTHING
    seen = {w for w in lowered if w not in none}
    for true, false in TRUTH:
        if seen == {true, false}:
            return ParseRule(
                true_words=_spelt(words, lowered, counts, true), false_words=_spelt(words, lowered, counts, false)
            )
    return None


def _spelt(
    words: NDArray[np.object_], lowered: NDArray[np.object_], counts: NDArray[np.intp], word: str
) -> tuple[str, ...]:
    """The spellings of a word in the column, most frequent first."""
    places = np.flatnonzero(lowered == word)
    return tuple(str(words[i]) for i in places[np.argsort(-counts[places], kind="stable")])


def _missing_words(
    lowered: NDArray[np.object_], counts: NDArray[np.intp], n: int, is_target: bool
) -> tuple[str, ...]:
    """The words of a column of categories that mean "missing"."""
    if is_target:
        return ()
    seen: dict[str, int] = {}
    wanted = MISSING_MARKS | NOTHING | {"+"}
    for i in [i for i, word in enumerate(lowered) if word in wanted]:
        seen[lowered[i]] = seen.get(lowered[i], 0) + int(counts[i])
    marks = {w for w in seen if w in MISSING_MARKS and not (w == "-" and "+" in seen)}
    nothing = {w for w in seen if w in NOTHING and seen[w] < NOTHING_SHARE * n}
    return tuple(sorted(marks | nothing))
