"""Column names as words, and small helpers to write figures in plain English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPLIT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^\w]+|_+|(?<=[^\W\d_])(?=\d)")


def tokens(name: str) -> tuple[str, ...]:
    """Lower-case words of a column name, without accents.

    >>> tokens("medianHouse_value.2")
    ('median', 'house', 'value', '2')
    """
    return tuple(plain(t) for t in _SPLIT.split(name) if t)


def plain(text: str) -> str:
    """Lower case without accents; scripts other than Latin stay as they are."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    stripped = "".join(c for c in decomposed if not ("\u0300" <= c <= "\u036f"))
    return unicodedata.normalize("NFKC", stripped).strip()


def count(n: int, noun: str, many: str | None = None) -> str:
    """A number with its noun: ``1 row``, ``2,500 rows``."""
    return f"{n:,} {noun if n == 1 else many or plural(noun)}"


def plural(noun: str) -> str:
    """The noun of several: ``texts``; ``series`` stays as it is."""
    return noun if noun.endswith("s") else noun + "s"


def share(x: float) -> str:
    """A share as percent: ``0.2 %``, ``20 %``, ``less than 0.1 %``."""
    percent = 100 * x
    if percent <= 0:
        return "0 %"
    if percent < 0.1:
        return "less than 0.1 %"
    if percent > 99.9 and percent < 100:
        return "more than 99.9 %"
    return f"{percent:.1f} %" if percent < 10 or percent > 99 else f"{percent:.0f} %"


def moments(values: NDArray[Any]) -> list[str]:
    """Dates as ``2024-03-01``, with the time of day where one of them has one: ``2024-03-01 12:30``."""
    units = ("D", "m", "s", "ns")
    unit = next(u for u in units if (values.astype(f"datetime64[{u}]") == values).all())
    return [str(value).replace("T", " ") for value in values.astype(f"datetime64[{unit}]")]


def number(x: float) -> str:
    """A number for people: ``500,001``, ``0.0312``, ``1.2e+09``."""
    if x == int(x) and abs(x) < 1e12:
        return f"{int(x):,}"
    return f"{x:,.0f}" if 1e3 <= abs(x) < 1e12 else f"{x:.3g}"


def plain_number(x: float) -> str:
    """A number as a file has it: six digits, from a million on as many as a whole number has: ``1234567``.

    >>> [plain_number(x) for x in (0.1234567, 1234567.0, 2e15)]
    ['0.123457', '1234567', '2e+15']
    """
    return f"{x:.0f}" if 1e6 <= abs(x) < 1e15 else f"{x:.6g}"


def listing(names: Iterable[str], limit: int = 5) -> str:
    """Names in quotes: ``'a', 'b' and 3 more``."""
    items = [f"'{n}'" for n in names]
    if len(items) > limit:
        return f"{', '.join(items[:limit])} and {len(items) - limit} more"
    return " and ".join(", ".join(items).rsplit(", ", 1)) if items else "none"
