"""Times of day and durations written as text: seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autodl.data.words import NO_NUMBER, is_clock_name
from autodl.records import ParseRule

_CLOCK = re.compile(
    r"^(?:(?P<days>-?\d+) days?,? ?)?(?P<sign>[+-]?)(?P<hours>\d{1,4}):(?P<minutes>[0-5]\d)"
    r"(?P<rest>:(?P<seconds>[0-5]\d(?:[.,]\d+)?))?(?: ?(?P<half>[ap])\.?m\.?)?$",
    re.IGNORECASE,
)
SHARE = 0.95
"""Share of the distinct texts that must be times, and of one form."""
DAY = 86400.0
"""Seconds."""


def clock_seconds(text: str, parts: int = 0) -> float:
    """The seconds since midnight, or of a duration; NaN where a text is neither, or may be minutes and seconds.

    Args:
        text: Of a cell.
        parts: Of the times of the column, 2 without seconds (or with none, as programs write ``12:30:00``) and 3 with
            them; 0, where all end in ``:00``: all that may be times are.

    >>> clock_seconds("14:03:22"), clock_seconds("2:30 pm"), clock_seconds("1 days 02:00:00.5")
    (50602.0, 52200.0, 93600.5)
    >>> clock_seconds("12:30", parts=3)
    nan
    """
    found = _CLOCK.match(text.strip())
    if found is None or not _has_parts(found, parts):
        return float("nan")
    hours = int(found["hours"])
    if found["half"]:
        if not 1 <= hours <= 12:
            return float("nan")
        hours = hours % 12 + 12 * (found["half"].lower() == "p")
    seconds = 3600.0 * hours + 60.0 * int(found["minutes"]) + _rest(found)
    # Python writes a duration of minus an hour as "-1 days +23:00:00".
    return DAY * int(found["days"] or 0) + (-seconds if found["sign"] == "-" else seconds)


def learn_clock_rule(values: Sequence[str], name: str | None = None) -> ParseRule | None:
    """The rule of a column of times of day or durations, which few of its texts may defy.

    Args:
        values: Distinct present texts.
        name: Of the column, which must tell of times where ``16:10`` may be a ratio, a score or a verse; None where
            something else tells.

    Returns:
        None if they are none, or if some have seconds and others not: the two parts of 12:30 may then be minutes and
        seconds.
    """
    texts = [t for v in values if (t := v.strip()).lower() not in NO_NUMBER]
    found = [m for t in texts if (m := _CLOCK.match(t)) and not math.isnan(clock_seconds(t))]
    bare = sum(m["rest"] is None for m in found)
    whole = not any(_rest(m) for m in found)
    # Where all are written as 12:30:00 nothing is doubtful: neither 12:30:15 nor 12:30 in later rows.
    parts = 0 if whole and not bare else 2 if whole or 2 * bare > len(found) else 3
    alike = [m for m in found if _has_parts(m, parts)]
    if not alike or len(alike) < SHARE * len(texts):
        return None
    doubtful = [m for m in alike if m["rest"] is None and not _is_clear(m)]
    if parts == 2 and doubtful and name is not None and not is_clock_name(name) and not _of_day(doubtful):
        return None
    return ParseRule(clock=True, clock_parts=parts)


def _has_parts(found: re.Match[str], parts: int) -> bool:
    """Whether a time has so many parts, or cannot be taken for another in any case."""
    fits = not _rest(found) if parts == 2 else found["rest"] is not None
    return not parts or fits or _is_clear(found)


def _rest(found: re.Match[str]) -> float:
    """The seconds beside hours and minutes."""
    return float((found["seconds"] or "0").replace(",", "."))


def _is_clear(found: re.Match[str]) -> bool:
    """Whether days, am or pm tell that the first part of a time is its hours."""
    return bool(found["days"] or found["half"])


def _of_day(found: Sequence[re.Match[str]]) -> bool:
    """Whether hours and minutes are written as times of day: with two digits, up to 24, and some as ``08``."""
    padded = [m for m in found if len(m["hours"]) == 2 and int(m["hours"]) <= 24 and not m["sign"]]
    return len(padded) >= SHARE * len(found) and any(m["hours"][0] == "0" for m in padded)


def within_a_day(words: Sequence[str] | NDArray[np.object_], rule: ParseRule) -> bool:
    """Whether the times of a column may begin again each day, so that they do not order rows of several days."""
    seconds = [clock_seconds(str(w), rule.clock_parts) for w in words]
    return not any(s < 0 or s > DAY for s in seconds)
