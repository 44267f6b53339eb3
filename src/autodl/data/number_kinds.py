"""Columns of numbers, also as words: ID, date, constant or quantity."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autodl.data.clocks import learn_clock_rule
from autodl.data.dates import learn_date_numbers
from autodl.data.numbers import learn_number_rule, parse_numbers
from autodl.data.parsing import Levels
from autodl.data.word_kinds import MIN_ROWS, UNIQUE_SHARE, Verdict
from autodl.data.words import NO_NUMBER, is_id_name, is_order_name
from autodl.records import ColumnKind, ParseRule

JUNK_SHARE, JUNK_WORDS = 0.05, 3
"""A column of numbers may hold this share of rows, and this many different words, that are none."""
LITTLE_JUNK = 0.01
"""With no more than this share of rows, the words may be as different as they like."""
LONG_DIGITS = 17
"""From so many digits on, neighbouring whole numbers are one in float64."""
PROBE = 1000
"""Distinct texts looked at before all of them are."""


def judge_number_values(
    name: str, values: NDArray[np.float64], is_target: bool, rule: ParseRule, what: str, exact: bool
) -> Verdict:
    """Numbers: ID, date, category, constant or quantity.

    Args:
        name: Of the column. values: (n,), NaN where missing. is_target: Whether they are to be predicted.
        rule: How they were read. what: The same in words. exact: Whether the file holds whole numbers alone.
    """
    present = values[np.isfinite(values)]
    if is_target:
        return Verdict(ColumnKind.NUMERIC, what, rule)
    n_unique = len(np.unique(present))
    if n_unique == 0:
        return Verdict(ColumnKind.CONSTANT, "no values", rule)
    if n_unique == 1 and len(present) == len(values):
        return Verdict(ColumnKind.CONSTANT, "the same number in every row", rule)
    infinite = int(np.isinf(values).sum())
    if infinite:
        what += f"; {infinite} infinite values count as missing"
    if not (exact or bool((present % 1 == 0).all())):
        return Verdict(ColumnKind.NUMERIC, what, rule)
    dates = learn_date_numbers(name, present)
    if dates is not None:
        return Verdict(ColumnKind.DATETIME, f"whole numbers that are dates ({dates.date_format})", dates)
    unique = n_unique == len(present)
    if is_id_name(name):
        if n_unique >= UNIQUE_SHARE * len(present) and len(present) >= 5:
            return Verdict(
                ColumnKind.ID, f"{'unique' if unique else 'nearly unique'} whole numbers named as a key", rule
            )
        if n_unique > 2 and re.search(r"(?i)(^|[_\s.-])(id|uuid|key)$|[a-z]I[dD]$", name):
            return Verdict(ColumnKind.CATEGORICAL, f"keys that repeat ({n_unique:,} values)", rule)
    steps = np.diff(present)
    if unique and len(present) == len(values) >= MIN_ROWS and not is_order_name(name):
        if bool((steps == 1).all()):
            return Verdict(ColumnKind.ID, "counts up by one from row to row", rule)
        if len(present) >= 5 * MIN_ROWS and present.max() - present.min() == len(present) - 1:
            return Verdict(ColumnKind.ID, "counts up: every number of a range stands in one row", rule)
    return Verdict(ColumnKind.NUMERIC, "whole " + what if what.startswith("numbers") else what, rule)


def judge_number_words(
    name: str,
    levels: Levels,
    lowered: NDArray[np.object_],
    counts: NDArray[np.intp],
    is_target: bool,
    comma: bool | None,
) -> Verdict | None:
    """Numbers written as text; None if the words are something else.

    Args:
        name: Of the column. levels: Its words. lowered: (k,) these in small letters. counts: (k,) rows of each.
        is_target: Whether it is to be predicted. comma: Whether the file writes decimal commas; None if unknown.
    """
    valued = np.array([w not in NO_NUMBER for w in lowered], dtype=bool)
    words = [str(w) for w in levels.words[valued]]
    if not words or sum(any(c.isdigit() for c in w) for w in words[:200]) < 0.8 * min(200, len(words)):
        return None
    if not is_target and _long_keys(words, int(counts[valued].sum())):
        return Verdict(ColumnKind.ID, f"a different number of {LONG_DIGITS} digits or more in every row")
    probe = words[:: max(1, len(words) // PROBE)]
    rule = learn_number_rule(probe, decimal_comma=comma)
    if rule is not None and len(probe) < len(words):
        rule = learn_number_rule(words, decimal_comma=comma)
    if rule is None and not is_target and learn_clock_rule(probe, name) is not None:  # those of a target are classes
        rule = learn_clock_rule(words, name)
    if rule is None:
        return None
    values = parse_numbers(levels.words, rule)
    junk = valued & np.isnan(values)
    if counts[junk].sum() > (LITTLE_JUNK if junk.sum() > JUNK_WORDS else JUNK_SHARE) * counts[valued].sum():
        return None
    what = "numbers written as text"
    if rule.clock:
        what = "times in seconds"
    elif rule.percent:
        what = "percentages"
    elif rule.scaled:
        what = "numbers with K for thousands, M for millions or B for billions"
    elif rule.strip:
        what = f"numbers with {' and '.join(repr(s) for s in rule.strip)}"
    if rule.decimal == ",":
        what += ", decimal comma"
    if rule.thousands:
        what += f", thousands set off by {rule.thousands!r}"
    if junk.any():
        what += f"; {int(counts[junk].sum())} cells such as {levels.words[junk][0]!r} are none and count as missing"
    return judge_number_values(name, levels.spread(values, np.nan), is_target, rule, what, exact=False)


def _long_keys(words: Sequence[str], n: int) -> bool:
    """Whether nearly every one of n rows has a whole number of its own that is too long for float64 to tell apart."""
    if len(words) < max(MIN_ROWS, UNIQUE_SHARE * n):
        return False
    return sum(w.isdigit() and len(w) >= LONG_DIGITS for w in words) >= UNIQUE_SHARE * len(words)
