"""Numbers as a reader wants them: counts in words, as many digits as the interval supports."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autodl.records import Interval

MISSING = "–"
"""Shown where a number is not defined."""


def count(n: float) -> str:
    """``1234`` -> ``1,234``."""
    return f"{round(n):,}".replace("-", "−") if math.isfinite(n) else MISSING


def plural(n: int, one: str, many: str = "") -> str:
    """``1 row``, ``1,200 rows``."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def words(items: Sequence[str], last: str = "and") -> str:
    """``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def decimals(low: float, high: float, value: float | None = None) -> int:
    """Decimals worth showing for an estimate with this interval; negative ones round to tens, hundreds ...

    One significant digit of the half-width, two when that digit is 1; at least two significant digits of the value
    where a wide interval would leave fewer, but at most two decimals more than the interval's own.
    """
    if value is not None and math.isfinite(value) and low < high:
        own = decimals(low, high)
        return max(own, min(_significant(value, 2), own + 2)) if value else own
    half = abs(high - low) / 2
    if not math.isfinite(half) or half == 0:
        largest = max(abs(low), abs(high))
        return _significant(largest, 3) if math.isfinite(largest) else 3
    exponent = math.floor(math.log10(half))
    return -exponent + (1 if half / 10**exponent < 2 else 0)


def _significant(value: float, digits: int) -> int:
    return digits - 1 - math.floor(math.log10(abs(value))) if value else 0


def fixed(value: float, places: int) -> str:
    """Rounded to ``places`` decimals (negative: tens, hundreds) with thousands separators and a true minus sign."""
    if not math.isfinite(value):
        return MISSING if math.isnan(value) else ("∞" if value > 0 else "−∞")
    # The exponent form only outside the sizes that people read as they stand.
    if abs(value) >= 1e15 or (places > 9 and abs(value) < 1e-4):
        return f"{value:.3g}".replace("-", "−")
    places = min(places, 9)
    rounded = round(value, places)
    text = f"{rounded:,.{max(0, places)}f}"
    return (text.lstrip("-") if rounded == 0 else text).replace("-", "−")


_EXPONENT = re.compile(r"(?<![\w.])([-+−]?)(\d(?:\.\d+)?e[+-]?\d+)(?![\w.])")


def without_exponents(text: str) -> str:
    """A sentence whose figures of everyday size are written out: ``1.6e+02`` -> ``160``; others stay."""

    def written(match: re.Match[str]) -> str:
        sign, size = match.group(1), float(match.group(2))
        return sign + number(size) if 1e-4 <= size < 1e6 else match.group(0)

    return _EXPONENT.sub(written, text)


_OUT_OF_TIME = re.compile(r"did not (?:finish in its|stop at its deadline of) ([\d.]+) s")


def ran_out(error: str | None) -> str:
    """Why a trial has no score although nothing broke: ``ran out of time: needs more than the 5.9 s it had``."""
    found = _OUT_OF_TIME.search(error or "")
    if found:
        return f"ran out of time: needs more than the {found.group(1)} s it had"
    return f"ran out of time: {error}" if error else "ran out of time"


def number(value: float, digits: int = 3) -> str:
    """A bare number with up to ``digits`` significant digits; whole numbers below a million in full."""
    if not math.isfinite(value) or value == 0:
        return fixed(value, 0)
    if value == round(value) and abs(value) < 1e6:
        return fixed(value, 0)
    text = fixed(value, max(0, _significant(value, digits)) if abs(value) < 1e6 else 0)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


UNITS = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"))
NO_UNIT = 1e15
"""From here on numbers are written with an exponent."""


def compact(value: float, largest: float, digits: int = 4) -> str:
    """``number`` for a narrow place, in the unit of the largest beside it: ``0.5M``, ``20M``, ``1.5bn``."""
    fitting = [u for u in UNITS if u[0] <= abs(largest) < NO_UNIT]
    if not fitting or value == 0:
        return number(value, digits)
    scale, unit = fitting[0]
    return f"{number(value / scale, digits)}{unit}"


def common_places(values: Sequence[float], digits: int = 4) -> int:
    """Decimals for a column of scores: ``digits`` significant ones of the largest, from 0 to 12."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=1.0)
    return min(12, max(0, _significant(largest, digits)))


def at_most(places: int, values: Sequence[float]) -> int:
    """Decimals of a column, five at most, or as many as give the largest of small values four significant digits."""
    return min(places, max(5, common_places(values)))


@dataclass(frozen=True)
class Estimate:
    """An interval in words, all three numbers with the same decimals."""

    value: str
    low: str
    high: str

    def __str__(self) -> str:
        return f"{self.value} ({self.low} to {self.high})"


def estimate(interval: Interval, places: int | None = None) -> Estimate:
    """Value and limits with as many digits as the width of the interval supports."""
    p = decimals(interval.low, interval.high, interval.value) if places is None else places
    return Estimate(fixed(interval.value, p), fixed(interval.low, p), fixed(interval.high, p))


def share_base(*shares: float) -> int:
    """100, or 1,000 / 10,000 where rounding to whole hundredths would claim never or always, or hide the interval."""
    finite = [s for s in shares if math.isfinite(10_000 * s)]
    for base in (100, 1_000):
        rounded = [round(s * base) for s in finite]
        honest = all((r not in (0, base)) or s in (0.0, 1.0) for r, s in zip(rounded, finite, strict=True))
        if honest and (len(finite) < 3 or max(finite) - min(finite) >= 1.0 / base):
            return base
    return 10_000


def in_base(share: float, base: int = 100) -> str:
    """``0.83`` -> ``83 in 100``."""
    return f"{count(share * base)} in {base:,}" if math.isfinite(share) else MISSING


def share(x: float) -> str:
    """``83 in 100``, and ``4 in 1,000`` where rounding to hundredths would say never or always."""
    return in_base(x, share_base(x))


def p_value(p: float) -> str:
    """``p < 0.001``, ``p = 0.03``."""
    if not math.isfinite(p):
        return "p not defined"
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.2g}" if p < 0.0995 else f"p = {p:.2f}"


def p_cell(p: float) -> str:
    """A p-value for a table column."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if math.isfinite(p) else MISSING


def seconds(s: float) -> str:
    """``0.42 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if not math.isfinite(s):
        return MISSING
    if s < 0.995:
        return f"{max(0.0, s):.2f} s"
    if s < 9.95:
        return f"{s:.1f} s"
    whole = round(s)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def size(n_bytes: float) -> str:
    """``12 kB``, ``1.4 MB`` (powers of 1000)."""
    if n_bytes <= 0 or not math.isfinite(n_bytes):
        return MISSING
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            value = n_bytes / scale
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"
    return f"{round(n_bytes)} B"


def milliseconds(ms: float) -> str:
    """``0.012``; two significant digits, ``< 0.001`` below that."""
    if ms <= 0 or not math.isfinite(ms):
        return MISSING
    if ms < 0.001:
        return "< 0.001"
    return fixed(ms, max(0, min(6, _significant(ms, 2))))


def wilson(hits: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Wilson's (1927) score interval of a proportion; (0, 1) without rows."""
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
