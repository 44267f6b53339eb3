"""Numbers as people read them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Text without the characters that command a terminal: names and cells must not move its cursor or turn lines.

    >>> printable("\\x1b[2Jprice\\u202e")
    '[2Jprice'
    """
    return _UNSEEN.sub("", text)


def number(value: float, digits: int = 4) -> str:
    """About ``digits`` significant digits, thousands separated, no exponent for everyday sizes.

    >>> [number(v) for v in (0.93124, 1834.2, 0.5, 250000)]
    ['0.9312', '1,834', '0.5000', '250,000']
    """
    if math.isnan(value) or math.isinf(value):
        return "n/a" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == 0:
        return "0"
    if abs(value) < 1e-4 or abs(value) >= 1e12:
        return f"{value:.{digits - 1}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if abs(value) >= 1 else digits
    return f"{value:,.{decimals}f}"


def with_interval(value: float, low: float, high: float) -> str:
    """A value and its interval with as many decimals as the interval's width supports.

    >>> with_interval(0.93124, 0.8941, 0.9622)
    '0.93 (0.89 to 0.96)'
    """
    decimals = interval_decimals(low, high, value)
    if decimals is None:
        return number(value)
    return f"{rounded(value, decimals)} ({rounded(low, decimals)} to {rounded(high, decimals)})"


def rounded(value: float, decimals: int | None) -> str:
    """As many decimals as an interval supports, thousands separated; an exponent where zeros would fill a line.

    >>> [rounded(v, d) for v, d in ((1834.21, 1), (0.000032, 6), (3.21e-11, 12), (0.93124, None))]
    ['1,834.2', '0.000032', '3.21e-11', '0.9312']
    """
    if decimals is None:
        return number(value)
    return f"{value:.3g}" if decimals > 9 and 0 < abs(value) < 1e-4 else f"{value:,.{decimals}f}"


def interval_decimals(low: float, high: float, value: float = 0.0) -> int | None:
    """Decimals that an interval's width supports; None where it has none.

    Up to two more where a wide interval would leave the value fewer than two significant digits.
    """
    width = high - low
    if not math.isfinite(width) or width <= 0:
        return None
    magnitude = math.floor(math.log10(width))
    coarse = width < 3 * 10.0**magnitude  # one digit would leave only two or three steps inside the interval
    own = coarse - magnitude
    if value and math.isfinite(value):
        own = max(own, min(own + 2, 1 - math.floor(math.log10(abs(value)))))
    return min(12, max(0, own))


def in_hundred(share: float) -> str:
    """A share as a count that can be pictured.

    >>> [in_hundred(s) for s in (0.824, 0.998, 1.0, 0.001)]
    ['82 in 100', 'more than 99 in 100', '100 in 100', 'fewer than 1 in 100']
    """
    count = round(100 * share)
    if count == 100 and share < 1:
        return "more than 99 in 100"
    if count == 0 and share > 0:
        return "fewer than 1 in 100"
    return f"{count} in 100"


def listed(names: Sequence[str], most: int = 6, last: str = "and") -> str:
    """Names in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} {last} {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "model"), plural(1200, "row")
    ('1 model', '1,200 rows')
    """
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
