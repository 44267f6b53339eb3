"""The words by which people write missing values, truth, money and keys in tables. All in lower case."""

from __future__ import annotations

import re

MISSING = frozenset(
    ["", "na", "n/a", "#n/a", "n.a.", "#na", "nan", "-nan", "<na>", "nat", "null", "\\n", "?", "(null)", "#null!"]
)
"""Missing wherever they stand."""

MISSING_MARKS = frozenset(["-", "--", "---", ".", "..", "*", "n/d", "nd", "not available", "missing"])
"""Missing in features; in a target they may be a class (``+`` and ``-``)."""

NOTHING = frozenset(["none", "nil"])
"""Missing among numbers, dates and truth words; among other words "none" is often an answer."""

UNSURE = frozenset(["unknown", "not known", "unspecified", "not applicable", "error", "#value!", "#div/0!", "#ref!"])
"""A category of its own among words; no number among numbers."""

NO_NUMBER = MISSING | MISSING_MARKS | NOTHING | UNSURE
"""What may stand in a column of numbers, dates or truth words in place of a value."""

TRUTH: tuple[tuple[str, str], ...] = (
    ("yes", "no"),
    ("true", "false"),
    ("y", "n"),
    ("t", "f"),
    ("on", "off"),
    ("ja", "nein"),
    ("oui", "non"),
    ("si", "no"),
    ("sí", "no"),
    ("是", "否"),
)
"""Pairs of words for true and false."""

_CURRENCIES = (
    "$ € £ ¥ ₹ ₽ ₩ ₪ ₺ ₴ ฿ ₫ ₦ R$ US$ kr. kr zł Rs. Rs USD EUR GBP JPY CHF CAD AUD CNY INR SEK NOK DKK PLN BRL"
)
CURRENCIES = tuple(_CURRENCIES.split())
"""Signs and codes of money, before or after the amount."""

SAME_MONEY = {
    "rs.": "₹", "rs": "₹", "inr": "₹", "usd": "$", "us$": "$", "eur": "€", "gbp": "£", "jpy": "¥", "kr.": "kr",
    "pln": "zł", "brl": "r$",
}  # fmt: skip
"""Other ways to write a currency."""

_UNITS = (
    "kg g mg lb lbs oz km m cm mm mi ft in inch yd mph kmh km/h kph kmpl km/kg mpg l ml cl cc hp bhp ps kw kwh "
    "hz khz mhz ghz kb mb gb tb ms s sec min h hr hrs °c °f °"
)
UNITS = frozenset(_UNITS.split())
"""Units that may follow a number without a space."""

_ID_NAME = re.compile(
    r"(^|[_\s.\-#])(id|ids|uid|uuid|guid|key|index|idx|rownum|rowid|rownames?|row|serial|sha\d*|md5|hash|#)$"
    r"|^(unnamed: ?0|no|nr|sno|s\.no\.?|num|number|record|obs|observation)$"
    r"|(row|record|serial|sequence|case|customer|client|account|order|invoice|transaction|ticket)[_\s.\-]?"
    r"(no|nr|num|number|id|key)$"
    r"|[a-z](Id|ID|Key|Uuid|UUID)$"
)
_ORDER_NAME = re.compile(
    r"(^|[_\s.\-])(time|t|day|days|date|week|month|year|hour|minute|second|step|x|age|rank|ranking|position|score|"
    r"epoch|cycle|period|trend|tick|lag)s?($|[_\s.\-])"
)

_CLOCK_NAME = re.compile(
    r"(time|duration|hour|dauer|zeit|departure|arrival|sunrise|sunset|kick[\W_]?off)s?($|[\W\d_])"
    r"|(^|[\W\d_])(pace|min|minute|start|end|uhr|h)s?($|[\W\d_])"
)
_SCORE_NAME = re.compile(r"(half|full|halb)[\W_]*(time|zeit)|(^|[\W\d_])(ratio|score|aspect|odd)s?($|[\W\d_])")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def is_id_name(name: str) -> bool:
    """Whether a column's name says that it holds keys.

    >>> [is_id_name(n) for n in ("CustomerId", "id", "row_id", "paid", "width", "RowNumber", "Unnamed: 0")]
    [True, True, True, False, False, True, True]
    """
    return bool(_ID_NAME.search(name) or _ID_NAME.search(name.lower()))


def is_order_name(name: str) -> bool:
    """Whether a column's name says that counting up means something (time, age, rank).

    >>> [is_order_name(n) for n in ("day", "time_index", "age", "RowNumber", "price")]
    [True, True, True, False, False]
    """
    return bool(_ORDER_NAME.search(name.lower()))


def is_clock_name(name: str) -> bool:
    """Whether a column's name says that it holds times of day or durations.

    >>> [is_clock_name(n) for n in ("Start_Time", "endHour", "Uhrzeit", "kickoff", "weekend", "Halbzeit", "min_odds")]
    [True, True, True, True, False, False, False]
    """
    words = _CAMEL.sub("_", name).lower()
    return bool(_CLOCK_NAME.search(words)) and not _SCORE_NAME.search(words)
