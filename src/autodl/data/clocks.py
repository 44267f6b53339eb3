"""Times of day and durations written as text: seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from autodl.data.words import NO_NUMBER
from autodl.records import ParseRule

_CLOCK = re.compile(
    r"^(?:(?P<days>-?\d+) days?,? ?)?(?P<sign>[+-]?)(?P<hours>\d{1,4}):(?P<minutes>[0-5]\d)"
    r"(?P<rest>:(?P<seconds>[0-5]\d(?:[.,]\d+)?))?(?: ?(?P<half>[ap])\.?m\.?)?$",
    re.IGNORECASE,
)
SHARE = 0.95
"""Share of the distinct texts that must be times."""


def clock_seconds(text: str) -> float:
    """The seconds since midnight, or of a duration; NaN where a text is neither.

    >>> clock_seconds("14:03:22"), clock_seconds("2:30 pm"), clock_seconds("1 days 02:00:00.5")
    (50602.0, 52200.0, 93600.5)
    """
    found = _CLOCK.match(text.strip())
    if found is None:
        return float("nan")
    hours = int(found["hours"])
    if found["half"]:
        if not 1 <= hours <= 12:
            return float("nan")
        hours = hours % 12 + 12 * (found["half"].lower() == "p")
    seconds = 3600.0 * hours + 60.0 * int(found["minutes"]) + float((found["seconds"] or "0").replace(",", "."))
    # Python writes a duration of minus an hour as "-1 days +23:00:00".
    return 86400.0 * int(found["days"] or 0) + (-seconds if found["sign"] == "-" else seconds)


def learn_clock_rule(values: Sequence[str]) -> ParseRule | None:
    """The rule of a column of times of day or durations.

    Args:
        values: Distinct present texts.

    Returns:
        None if they are none, or if some have seconds and others not: the two parts of 12:30 may then be minutes and
        seconds.
    """
    texts = [t for v in values if (t := v.strip()).lower() not in NO_NUMBER]
    found = [m for t in texts if (m := _CLOCK.match(t)) and not math.isnan(clock_seconds(t))]
    if not found or len(found) < SHARE * len(texts) or len({m["rest"] is None for m in found}) > 1:
        return None
    return ParseRule(clock=True)
