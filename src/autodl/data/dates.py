"""Dates and times written as text or counted as seconds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodl.data.words import NO_NUMBER
from autodl.records import ParseRule

_LOOKS = re.compile(
    r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?\b|\b\d{1,2}[-/.]\d{4}\b|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[\s,\-/.]*\d"
    r"|\d[\s\-/.]*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|^\d{8}(T?\d{4,6})?$",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"^\s*\d{1,2}\.\d{1,2}\.\d{2,4}\b")
_PAIR = re.compile(r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{2,4}\b")
_NUMBERLIKE = re.compile(r"^[+-]?(\d+([.,]\d+)?|[.,]\d+)$|^\d{1,3}([.,]\d{3})+$")
_DATE_NAME = re.compile(r"(date|datum|day|time|_dt$|^dt$|_at$)", re.IGNORECASE)
_EPOCH_NAME = re.compile(
    r"epoch|unix|time|deadline|(^|_)ts$|_at$|_utc$|(?-i:[a-z]At$)"
    r"|(?<!consoli)(?<!vali)(?<!man)(?<!candi)(?<!liqui)(?<!accommo)(?<!out)(?<!up)date(?![ni])"
    r"|updated?($|[\s_.-]?(at|on|time|utc)$)",
    re.IGNORECASE,
)
_WRITTEN = ("%Y%m%d%H", "%y%m%d%H%M")
"""Ten digits that spell a moment; those of seconds since 1970 hardly ever do."""
_BIRTH = re.compile(r"dob|birth|born|geburt|naissance|nacimiento", re.IGNORECASE)
_VERSION = re.compile(r"^\d{1,2}([-/.])\d{1,2}\1\d$")
"""Three numbers of which the last has one digit, as no year is written: a version or a section."""

_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
_PAIRS = [(f"%d{s}%m{s}{y}", f"%m{s}%d{s}{y}") for s, y in product("/-.", ("%Y", "%y"))]
_WORDY = ("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y",
          "%d/%b/%Y", "%d %b, %Y", "%d. %B %Y", "%a, %d %b %Y", "%Y-%b-%d", "%d%b%Y")  # fmt: skip
_MONTHS = ("%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%m/%Y", "%Y/%m", "%m-%Y", "%Y.%m")

EPOCH_S, EPOCH_MS = "epoch:s", "epoch:ms"
"""``ParseRule.date_format`` of seconds and milliseconds since 1970."""
COMPACT = "%Y%m%d"
MIXED = "mixed"
"""Several forms, the month first where that is open."""
DOUBT = "day and month cannot be told apart and were read with the"
"""How what is unclear of dates begins: "month first" or "day first" follows."""
SHARE = 0.95
"""Share of the distinct texts that a format must read."""
AHEAD = 20
"""Columns with dates more than so many years ahead of the training hold births and the like, not what is due."""
APART = 5
"""A few dates ahead are slips if more than so many years lie between them and the others; else they are due."""
LAST_READ = 2068
"""As which 68 is read without a century; 69 is 1969 (POSIX)."""


def parse_dates(
    values: Sequence[str] | NDArray[np.object_] | NDArray[np.float64], rule: ParseRule
) -> NDArray[np.datetime64]:
    """(n,) datetime64[ns] without time zone (UTC where the text names one); NaT where a value is no date."""
    if rule.date_format in (EPOCH_S, EPOCH_MS):
        unit: Literal["s", "ms"] = "s" if rule.date_format == EPOCH_S else "ms"
        numbers = pd.to_numeric(pd.Series(values), errors="coerce")
        return _plain(pd.to_datetime(numbers, unit=unit, errors="coerce", utc=True))
    texts = pd.Series(values, dtype=object)
    if len(texts) == 0:
        return np.empty(0, "datetime64[ns]")
    texts = texts.str.strip().mask(texts.str.strip().str.lower().isin(NO_NUMBER))
    if rule.date_format == COMPACT:  # beside gaps a program writes such numbers with a fraction
        texts = texts.str.replace(r"\.0*$", "", regex=True)
    form, first = rule.date_format or MIXED, rule.dayfirst and rule.date_format is None
    dates = pd.to_datetime(texts, format=form, dayfirst=first, errors="coerce", utc=True)
    if rule.pivot is not None and "%y" in form:
        dates = dates.mask(dates.dt.year > rule.pivot, dates - pd.DateOffset(years=100))
    return _plain(dates)


def _plain(dates: pd.Series) -> NDArray[np.datetime64]:
    return np.asarray(dates.dt.tz_localize(None).to_numpy("datetime64[ns]"))


def _share(values: Sequence[str], rule: ParseRule) -> float:
    return float(1.0 - np.isnat(parse_dates(values, rule)).mean()) if len(values) else 0.0


def known_order(rule: ParseRule) -> bool | None:
    """Whether a learnt rule says that the day comes before the month; None where dates of its form do not tell.

    >>> known_order(ParseRule(date_format="%m/%d/%Y")), known_order(ParseRule(date_format="ISO8601"))
    (False, None)
    """
    form = rule.date_format or ""
    if rule.dayfirst:
        return True
    return False if form == MIXED or (form.startswith("%m") and "%d" in form) else None


def learn_date_rule(
    values: Sequence[str] | NDArray[np.object_],
    *,
    dayfirst: bool | None = None,
    this_year: int | None = None,
    name: str = "",
) -> tuple[ParseRule, str] | None:
    """How the texts of a column are to be read as dates, and a note on what was unclear.

    Args:
        values: Distinct present texts in order of appearance.
        dayfirst: Whether earlier dates of this column have the day first; settles what these leave open.
        this_year: That of the training, which tells the century of years of two digits; None where a model that was
            trained before reads new data: what a date means must not change with the day on which it is read.
        name: Of the column; births never lie ahead.

    Returns:
        None if they are no dates.
    """
    few = [t for v in values[:: max(1, len(values) // 2000)] if (t := v.strip()).lower() not in NO_NUMBER]
    found = _learnt(few, dayfirst)
    if found is None or this_year is None or "%y" not in (found[0].date_format or ""):
        return found
    rule, doubt = found
    pivot = _pivot(parse_dates(values, rule), this_year, born=bool(_BIRTH.search(name)))
    if pivot is None:
        return found
    years = f"years of two digits were read as {pivot - 99} to {pivot}"
    return rule.model_copy(update={"pivot": pivot}), f"{doubt}, and {years}" if doubt else years


def _pivot(dates: NDArray[np.datetime64], this_year: int, *, born: bool) -> int | None:
    """The last year that years of two digits stand for; None where nothing lies too far ahead.

    Where few do, they alone are taken for the past, unless they go on where many are due. Else nothing must tear the
    dates apart that leave more than half of the hundred years free: they are due, as from 1998 to 2047, if they begin
    no later than now, or else long past.
    """
    years = dates[~np.isnat(dates)].astype("datetime64[Y]").astype(int) + 1970
    ahead = float(np.mean(years > this_year + AHEAD))
    if ahead == 0:
        return None
    if not born and ahead <= 1 - SHARE:
        late = years > this_year + AHEAD
        if years[late].min() - years[~late].max() > APART:
            return this_year + AHEAD
        # What is due thins out with the years; what is past grows denser towards now.
        soon = (years > this_year) & ~late
        return this_year if soon.mean() <= late.mean() else None
    seen = np.unique(years % 100)
    gaps = np.diff(seen, append=seen[0] + 100)
    i = int(np.argmax(gaps))
    if gaps[i] <= 50:
        return this_year
    latest = this_year if born else min(LAST_READ, this_year + 100 - int(gaps[i]))
    newest = int(seen[i] + 100 * ((latest - seen[i]) // 100))
    return max(newest, min(this_year, newest + int(gaps[i]) - 1))


def _learnt(few: Sequence[str], dayfirst: bool | None) -> tuple[ParseRule, str] | None:
    """``learn_date_rule`` for texts without blanks around them, but for the century."""
    probe = few[:: max(1, len(few) // 50)]
    if not probe or max(map(len, probe)) > 40:
        return None
    looks = [bool(_LOOKS.search(t)) and not _NUMBERLIKE.match(t) for t in probe]
    compact = all(re.fullmatch(r"(19|20)\d{6}", t) for t in probe)
    if np.mean(looks) < SHARE and not compact:
        return None
    if compact:
        rule = ParseRule(date_format=COMPACT)
        return (rule, "") if _share(few, rule) == 1.0 else None
    iso = ParseRule(date_format="ISO8601")
    if _share(probe, iso) >= SHARE and _share(few, iso) >= SHARE:
        return iso, ""
    for day, month in _PAIRS:
        for time in _TIMES:
            if not (_fits(day + time, probe[:5]) or _fits(month + time, probe[:5])):
                continue
            found = _order(few, probe, day + time, month + time, dayfirst)
            if found:
                return found
    for form in (*(w + t for w, t in product(_WORDY, _TIMES)), *(f"%Y/%m/%d{t}" for t in _TIMES), *_MONTHS):
        rule = ParseRule(date_format=form)
        if _fits(form, probe[:5]) and _share(probe, rule) >= SHARE and _share(few, rule) >= SHARE:
            return rule, ""
    return _mixed(few, dayfirst)


def _fits(form: str, texts: Sequence[str]) -> bool:
    """Whether some of a few texts has this form; much cheaper than asking pandas."""
    for text in texts:
        try:
            datetime.strptime(text, form)
        except ValueError:
            continue
        return True
    return False


def _order(
    few: Sequence[str], probe: Sequence[str], dayfirst: str, monthfirst: str, known: bool | None
) -> tuple[ParseRule, str] | None:
    """Day or month first: what reads more values; then what is known; then what keeps the rows in order; then the
    mark's custom."""
    day, month = ParseRule(date_format=dayfirst, dayfirst=True), ParseRule(date_format=monthfirst)
    if max(_share(probe, day), _share(probe, month)) < 0.3:
        return None
    share_day, share_month = _share(few, day), _share(few, month)
    if max(share_day, share_month) < SHARE:
        return None
    if share_day != share_month:
        return (day, "") if share_day > share_month else (month, "")
    if known is not None:
        return (day if known else month), ""
    sorted_day, sorted_month = (bool(pd.Index(parse_dates(few, r)).is_monotonic_increasing) for r in (day, month))
    if sorted_day != sorted_month:
        return (day, "") if sorted_day else (month, "")
    first = day if "." in dayfirst.split("%Y")[0] else month
    words = "day" if first is day else "month"
    return first, f"{DOUBT} {words} first"


def _mixed(few: Sequence[str], known: bool | None) -> tuple[ParseRule, str] | None:
    """Several forms in one column."""
    if not all(_LOOKS.search(t) for t in few) or np.mean([bool(_VERSION.match(t)) for t in few]) > 1 - SHARE:
        return None
    day, month = _orders(few)
    # Dots between day and month mean that the day comes first wherever they are used.
    dotted = any(_DOTTED.search(t) for t in few) if known is None else known
    day_first = day if day != month else dotted
    rules = (ParseRule(dayfirst=True), ParseRule(date_format=MIXED))
    best = max(rules if day_first else rules[::-1], key=lambda r: _share(few, r))
    if _share(few, best) < SHARE:
        return None
    return best, "dates in several forms" + (", day and month in both orders" if day and month else "")


def _orders(texts: Sequence[str]) -> tuple[bool, bool]:
    """Whether some dates can only have the day first, as 15/12/2022, and some only the month, as 3/30/2020."""
    pairs = [(int(m[1]), int(m[2])) for t in texts if (m := _PAIR.match(t))]
    return any(a > 12 >= b for a, b in pairs), any(b > 12 >= a for a, b in pairs)


def _spelt(numbers: NDArray[np.float64]) -> bool:
    """Whether numbers are moments as they are spelt, such as 2016010100 for midnight of the first of January."""
    texts = [str(int(v)) for v in np.unique(numbers)[:1000]]
    return any(_share(texts, ParseRule(date_format=form)) == 1.0 for form in _WRITTEN)


def learn_date_numbers(name: str, numbers: NDArray[np.float64]) -> ParseRule | None:
    """Whether whole numbers are dates: 20200131, or seconds since 1970 (where the name says so)."""
    if len(numbers) == 0:
        return None
    low, high = float(numbers.min()), float(numbers.max())
    if _EPOCH_NAME.search(name):
        if low > 5e8 and high < 4e9 and not _spelt(numbers):
            return ParseRule(date_format=EPOCH_S)
        if low > 5e11 and high < 4e12:
            return ParseRule(date_format=EPOCH_MS)
    named = bool(_DATE_NAME.search(name))
    if low >= (19000101 if named else 19500101) and high <= 21001231 and bool((numbers % 1 == 0).all()):
        days = np.unique(numbers)
        texts = [str(int(v)) for v in days[:: max(1, len(days) // 1000)]]
        # Hardly any eight-digit number is a date by chance, let alone five of them.
        if (named or len(days) >= 5) and _share(texts, ParseRule(date_format=COMPACT)) == 1.0:
            return ParseRule(date_format=COMPACT)
    return None
