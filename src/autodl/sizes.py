"""Amounts of memory as people write them: ``2MB``, ``500 kB``, ``1.5 GiB``."""

from __future__ import annotations

import math
import re

from autodl.errors import ConfigError

_BYTES: dict[str, int] = {
    **dict.fromkeys(("b", "byte", "bytes"), 1),
    **{unit: 1000**power for power, unit in enumerate(("kb", "mb", "gb", "tb"), 1)},
    **{unit: 1024**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), 1)},
}
_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)")
_REMEDY = "Write a number with a unit, like 500kB, 2MB or 1.5GiB."


def parse_size(text: str | float, what: str) -> int:
    """Bytes of a size.

    Args:
        text: Bytes, or a number with a unit: kB, MB, GB and TB count in thousands, KiB, MiB, GiB and TiB in 1,024s.
        what: What the value belongs to, for the error.

    Raises:
        ConfigError: If it is no size, or below one byte.

    >>> parse_size("2MB", "--max-size"), parse_size("1.5 KiB", "--max-size")
    (2000000, 1536)
    """
    shown = f"{what} {str(text)!r}"
    if isinstance(text, str):
        words = _SIZE.fullmatch(text.strip().lower())
        if words is None or (words[2] and words[2] not in _BYTES):
            raise ConfigError(f"{shown} is not a size", _REMEDY)
        size = float(words[1]) * _BYTES.get(words[2], 1)
    else:
        size = float(text)
    if not math.isfinite(size):
        raise ConfigError(f"{shown} is not a size", _REMEDY)
    if size < 1:
        raise ConfigError(f"{shown} must be at least one byte", _REMEDY)
    return round(size)


def format_size(size: float) -> str:
    """A size in few characters, in thousands.

    >>> [format_size(s) for s in (12, 2300, 2_000_000, 1.5e9)]
    ['12 B', '2.3 kB', '2 MB', '1.5 GB']
    """
    for unit, count in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        shown = f"{size / count:.3g}"  # rounded first: 999.9 MB are 1 GB
        if float(shown) >= 1:
            return f"{shown} {unit}"
    return f"{size:.0f} B"
