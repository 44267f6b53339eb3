"""Durations as people write them: ``60``, ``90s``, ``5m``, ``1h30m``, ``5 min``, ``20ms``."""

from __future__ import annotations

import math
import re

from autodl.errors import ConfigError

_SECONDS = {
    **dict.fromkeys(("us", "\u00b5s", "\u03bcs", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z\u00b5\u03bc]*)\s*,?")
_REMEDY = "Write seconds or a number with a unit, like 60, 90s, 5m or 1h30m."
_SHORT_REMEDY = "Write a number with a unit, like 5ms, 0.1s or 2s."
_LONGEST = 365 * 86400.0


def parse_duration(text: str | float, what: str = "--time-budget", least: float = 1.0) -> float:
    """Seconds of a duration.

    Args:
        text: Seconds, or numbers each followed by a unit (ms, s, m, h, d or their words); a number alone is seconds.
        what: What the value belongs to, for the error.
        least: Seconds below which it is refused; 1, too short to train anything, unless something else is timed.

    Raises:
        ConfigError: If it is no duration, not positive, below ``least`` or above one year.

    >>> parse_duration("1h30m")
    5400.0
    """
    shown, remedy = f"{what} {str(text)!r}", _REMEDY if least >= 1 else _SHORT_REMEDY
    if isinstance(text, int | float):
        seconds = float(text)
    else:
        seconds = _sum_parts(text.strip().lower(), shown, remedy)
    if math.isnan(seconds):
        raise ConfigError(f"{shown} is not a duration", remedy)
    if seconds <= 0:
        raise ConfigError(f"{shown} must be above zero", remedy)
    if seconds < least:
        if least == 1:
            raise ConfigError(f"{shown} is under one second, too short to train anything", remedy)
        raise ConfigError(f"{shown} is shorter than {1e6 * least:g} microseconds", remedy)
    if seconds > _LONGEST:
        raise ConfigError(f"{shown} is longer than a year", remedy)
    return seconds


def _sum_parts(text: str, shown: str, remedy: str) -> float:
    if re.fullmatch(r"-\s*\d.*", text):
        raise ConfigError(f"{shown} must be above zero", remedy)
    total, at, bare = 0.0, 0, False
    while at < len(text):
        part = _PART.match(text, at)
        # A number without a unit is seconds only when it stands alone: "5 30" could mean anything.
        if part is None or bare or (part[2] and part[2] not in _SECONDS) or (not part[2] and at > 0):
            raise ConfigError(f"{shown} is not a duration", remedy)
        bare = not part[2]
        total += float(part[1]) * _SECONDS.get(part[2], 1.0)
        at = part.end()
    if not text:
        raise ConfigError(f"{shown} is not a duration", remedy)
    return total


def format_duration(seconds: float) -> str:
    """A duration in few characters.

    >>> [format_duration(s) for s in (0.004, 2.34, 60, 125, 3725)]
    ['4 ms', '2.3 s', '60 s', '2 min 5 s', '1 h 2 min']
    """
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole <= 90:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
