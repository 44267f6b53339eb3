"""Numbers written as text: decimal marks, thousands, money, units, percent.

Everything works on the distinct values of a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodl.data.clocks import clock_seconds
from autodl.data.words import CURRENCIES, NO_NUMBER, UNITS
from autodl.records import ParseRule

_DOTTED = "|".join(re.escape(c) for c in CURRENCIES if c.endswith("."))
"""Money of which the name ends with a point, which is none of the number: ``Rs.500`` is 500."""
BODY = re.compile(
    rf"^(?P<sign>[+-]?)(?P<prefix>(?i:{_DOTTED})|[^\d+\-.,\s]{{0,4}}) ?(?P<sign2>[+-]?)"
    r"(?P<num>\d(?:[\d.,' ]*\d)?[.,]?|[.,]\d+)"
    r"(?P<exp>[eE][+-]?\d+)?(?P<suffix> ?[^\d\s.,][^\d\s]*[23]?)?$"
)
_CURRENCY = {c.lower() for c in CURRENCIES}
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "\u2212": "-"})
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_PLAIN = re.compile(rf"^(?:{_NUMBER}|[+-]?inf(?:inity)?)$", re.IGNORECASE)
BARE = 0.99
"""Share of the distinct texts of a column that are bare numbers, from which the others are slips."""
SLIPS = 0.05
"""Up to this share of the distinct numbers of a column may have several commas where one is that of decimals."""
CHOICES = re.compile(r"^\d{1,2}(,\d{1,2}){2,}$")
"""Several choices in one cell; where there are such, ``1,2`` is no number either."""
MILLIONS = re.compile(r"^\d{1,3}(,\d{3}){2,}(\.\d*)?$")
"""A number of which the commas part thousands."""
_CODE = re.compile(r"^[+-]?0\d+$")
SCALES = {"k": "e3", "K": "e3", "m": "e6", "M": "e6", "b": "e9", "B": "e9"}
"""What thousands, millions and billions are in a number."""
MARKED = 0.95
"""Share of the distinct numbers with such a letter or a currency, from which the letters are taken for that."""


def tidy(text: str) -> str:
    """Plain spaces, plain minus, accounting brackets as a minus.

    >>> tidy(" (1 234) ")
    '-1 234'
    """
    text = text.strip().translate(_SPACES)
    if len(text) > 2 and text[0] == "(" and text[-1] == ")":
        text = "-" + text[1:-1].strip()
    return text


def parse_number(text: str, rule: ParseRule) -> float:
    """The number that a text means under a rule; NaN if it means none.

    >>> parse_number("$1,234.50", ParseRule(thousands=",", strip=("$",)))
    1234.5
    >>> parse_number("12,5 %", ParseRule(decimal=",", percent=True))
    0.125
    >>> parse_number("€1.2M", ParseRule(strip=("€",), scaled=True))
    1200000.0
    """
    if rule.clock:
        return clock_seconds(text, rule.clock_parts)
    text = tidy(text)
    for symbol in rule.strip:
        text = _without(text, symbol)
    if text.startswith("- "):
        text = "-" + text[2:].lstrip()
    percent = rule.percent and text.endswith("%")
    scale = SCALES.get(text[-1:], "") if rule.scaled else ""
    if percent or scale:
        text = text[:-1].rstrip()
    if rule.thousands and rule.thousands in text:
        if not _grouped(text, rule):
            return float("nan")
        text = text.replace(rule.thousands, "")
    if rule.decimal != ".":
        if "." in text:
            return float("nan")
        text = text.replace(rule.decimal, ".")
    text += scale
    if not _PLAIN.match(text):
        return float("nan")
    return float(text) / 100.0 if percent else float(text)


def _without(text: str, symbol: str) -> str:
    """The text without a symbol at its end, or at its start, where a sign may stand before it.

    Only once: what stands there twice is another symbol, as in ``5 mm`` where ``5 m`` was learnt.
    """
    sign = text[:1] if text[:1] in ("+", "-") else ""
    body = text[len(sign) :].strip()
    wanted, n = folded(symbol), len(symbol)
    if folded(body[-n:]) == wanted:
        body = body[:-n]
    elif folded(body[:n]) == wanted:
        body = body[n:]
    return sign + body.strip()


def folded(symbol: str) -> str:
    """A unit or currency as it is told from others: in any capitals, but for a single letter, as in ``5 m``, ``5 M``.

    >>> folded("KG"), folded("M")
    ('kg', 'M')
    """
    return symbol.casefold() if len(symbol) > 1 else symbol


def _grouped(text: str, rule: ParseRule) -> bool:
    """Whether the thousands mark stands between groups of three (or two, as in India) digits.

    No number of thousands begins with a lone zero: ``0,125`` is an eighth, but ``010,831`` of a fixed width is none.
    """
    whole = text.split(rule.decimal)[0].lstrip("+-")
    head, *groups = whole.split(rule.thousands)
    return (
        bool(groups)  # none where the mark stands behind the decimal mark only
        and 1 <= len(head) <= 3
        and head != "0"
        and all(g.isdigit() for g in groups)
        and len(groups[-1]) == 3
        and all(len(g) in (2, 3) for g in groups)
    )


def parse_numbers(values: Sequence[str] | NDArray[np.object_], rule: ParseRule) -> NDArray[np.float64]:
    """(n,) numbers of (n,) texts; NaN where a text is none."""
    if rule in (ParseRule(), ParseRule(missing_words=rule.missing_words)):
        # The plain case is much faster in pandas; what is left (odd minus signs and spaces) goes the long way.
        texts = pd.Series(values, dtype=object)
        numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64, na_value=np.nan).copy()
        for i in np.flatnonzero(np.isnan(numbers)):
            numbers[i] = parse_number(str(values[i]), rule)
        return numbers
    return np.array([parse_number(v, rule) for v in values], dtype=np.float64)


def learn_number_rule(values: Sequence[str], *, decimal_comma: bool | None = None) -> ParseRule | None:
    """How the texts of a column are to be read as numbers.

    Args:
        values: Distinct present texts.
        decimal_comma: Whether other columns of the file use a decimal comma; settles "1,234".

    Returns:
        None if they are codes (leading zeros) or no numbers.
    """
    texts = [tidy(v) for v in values if v.strip().lower() not in NO_NUMBER]
    if not texts or any(_CODE.match(t) for t in texts):
        return None
    if all(_PLAIN.match(t) for t in texts[:50]) and not decimal_comma and all(_PLAIN.match(t) for t in texts):
        return ParseRule()
    matches = [BODY.match(t) for t in texts]
    found = _without_strays([m for m in matches if m])
    if len(found) < 0.8 * len(texts):
        return None
    scaled = _scaled(found)
    strip, percent = (_all_spellings({m["prefix"] for m in found} - {""}), False) if scaled else _symbols(found)
    if strip is None:
        return None
    marks = _marks([m["num"] for m in found], decimal_comma)
    if marks is None:
        return None
    decimal, thousands = marks
    return ParseRule(decimal=decimal, thousands=thousands, strip=strip, percent=percent, scaled=scaled)


def _without_strays(found: list[re.Match[str]]) -> list[re.Match[str]]:
    """The matches without a few texts in which letters stand at numbers, such as the unit in ``kg/m2``, where nearly
    all others are bare numbers."""
    bare = sum(not m["prefix"] and not m["suffix"] for m in found)
    return [m for m in found if _known(m)] if BARE * len(found) <= bare < len(found) else found


def _known(match: re.Match[str]) -> bool:
    """Whether what stands at a number is money, a unit, or nothing."""
    prefix, suffix = match["prefix"].lower(), (match["suffix"] or "").strip().lower()
    return (not prefix or prefix in _CURRENCY) and (not suffix or suffix in _CURRENCY | UNITS | {"%"})


_BROKEN = re.compile(r"[.,](\d{1,2}|\d{4,})$")
"""A number whose mark can part no thousands."""


def _scaled(found: Sequence[re.Match[str]]) -> bool:
    """Whether letters behind the numbers are thousands, millions or billions, as in ``€1.2M`` and ``€600K``.

    One letter alone may be a unit, such as metres and kelvins, a small m at whole numbers beside k may be metres
    (``800m`` and ``1.5k``), and whole numbers may be codes, unless it is money.
    """
    letters = {s for m in found if (s := (m["suffix"] or "").strip())}
    if not letters or not letters <= SCALES.keys() or any(m["prefix"].lower() not in _CURRENCY | {""} for m in found):
        return False
    money = sum(bool(m["prefix"]) for m in found)
    marked = sum(bool(m["prefix"] or m["suffix"]) for m in found)
    marked_by = {(m["suffix"] or "").strip() for m in found if "." in m["num"] or "," in m["num"]}
    small = [m["num"] for m in found if (m["suffix"] or "").strip() == "m"]
    metres = bool(small) and not letters & {"b", "B"} and not any(map(_BROKEN.search, small))
    several = bool(marked_by) and not metres and len({SCALES[s] for s in letters}) > 1
    return (marked if several else money) >= MARKED * len(found)


def _symbols(found: Sequence[re.Match[str]]) -> tuple[tuple[str, ...] | None, bool]:
    """(symbols to strip, percent); None when letters around the numbers are part of codes such as A12."""
    prefixes = {m["prefix"] for m in found} - {""}
    suffixes = {(m["suffix"] or "") for m in found} - {""}
    if any(p.lower() not in _CURRENCY for p in prefixes):
        return None, False
    percent = {s.strip() for s in suffixes} == {"%"}
    if percent:
        if not all((m["suffix"] or "").strip() == "%" or float_zero(m["num"]) for m in found):
            return None, False
        return _all_spellings(prefixes), True
    units = {s.strip() for s in suffixes}
    if len({u.lower() for u in units}) > 1 and not all(u.lower() in _CURRENCY for u in units):
        return None, False
    for suffix in suffixes:
        word = suffix.strip().lower()
        if not (word in _CURRENCY or word in UNITS or suffix.startswith(" ")):
            return None, False
    return _all_spellings(prefixes | units), False


def _all_spellings(symbols: set[str]) -> tuple[str, ...]:
    """The symbols, long ones first; money with and without the point that its name may end with.

    Else a later ``Rs.500`` would be .500 where ``Rs 500`` was learnt.
    """
    pairs = [(c, c.removesuffix(".")) for c in CURRENCIES if c.endswith(".")]
    lowered = {s.lower() for s in symbols}
    more = {c for pair in pairs for c in pair if lowered & {p.lower() for p in pair} and c.lower() not in lowered}
    return tuple(sorted(symbols | more, key=lambda s: (-len(s), s)))


def float_zero(number: str) -> bool:
    """Whether the digits say zero; a bare 0 among percentages needs no sign."""
    return not number.strip("0.,")


def _marks(numbers: Sequence[str], decimal_comma: bool | None) -> tuple[str, str] | None:
    """(decimal mark, thousands mark); None when the column contradicts itself."""
    numbers = [n.strip() for n in numbers]
    space = next((s for s in (" ", "'") if any(s in n for n in numbers)), "")
    if space and not all(
        re.fullmatch(rf"\d{{1,3}}({space}\d{{3}})*([.,]\d+)?|\d+([.,]\d+)?|[.,]\d+", n) for n in numbers
    ):
        return None
    several = sum(n.count(",") > 1 for n in numbers)
    if several > SLIPS * len(numbers):  # several choices in one cell (1,2,5) are no decimals, but 12,,5 is a slip
        comma: bool | None = False
    elif comma_is_decimal(numbers):
        comma = True
    elif dot_is_decimal(numbers) or several:
        comma = False
    else:
        comma = decimal_comma
    has_comma, has_dot = any("," in n for n in numbers), any("." in n for n in numbers)
    if comma is None:  # Only groups of three digits: commas are thousands, a single dot is a decimal point.
        comma = has_dot and any(n.count(".") > 1 for n in numbers)
    if comma:
        return ",", "." if has_dot else space
    return ".", "," if has_comma else space


def comma_is_decimal(numbers: Sequence[str]) -> bool:
    """Whether numbers can only have a decimal comma: ``1,5``, ``0,125``, ``1.234,567``.

    More of them than those in which commas can only part thousands, as in ``1,234,567``: a few may be slips.
    """
    decimal = sum(
        re.search(r"^[^,]*,(\d{1,2}|\d{4,})$|^0,\d+$|^,\d+$|\.\d{3},\d+$|^\d{4,},\d+$", n) is not None
        for n in numbers
    )
    return decimal > sum(MILLIONS.match(n) is not None for n in numbers)


def dot_is_decimal(numbers: Sequence[str]) -> bool:
    """Whether some number can only have a decimal point: ``1.5``, ``0.125``, ``1,234.567``."""
    return any(
        re.search(r"^[^.]*\.(\d{1,2}|\d{4,})$|^0\.\d+$|^\.\d+$|,\d{3}\.\d+$|^\d{4,}\.\d+$", n) is not None
        for n in numbers
    )


def file_uses_decimal_comma(columns: Iterable[NDArray[np.object_]]) -> bool | None:
    """Whether some column of numbers can only be read with a decimal comma.

    Args:
        columns: The distinct texts of each column of text.

    Returns:
        True, or None where nothing tells.
    """
    for column in columns:
        words = [tidy(w) for w in column[:500]]
        if any(CHOICES.match(w) for w in words):
            continue
        numbers = [w.lstrip("+-") for w in words if re.match(r"^[+-]?[\d. ',]*,\d+$", w)]
        if len(numbers) > 0.3 * len(words) and comma_is_decimal(numbers):
            return True
    return None
