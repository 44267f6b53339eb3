"""Cells as people, programs and accidents write them: one function a kind, drawing from a ``random.Random``."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
import uuid
from collections.abc import Callable

Cell = Callable[[random.Random], str]

MISSING_WORDS = (
    "",
    "",
    "NA",
    "nan",
    "NULL",
    "None",
    "?",
    "-",
    "n/a",
    "#N/A",
    "\\N",
    ".",
    "unknown",
    " ",
    "NaT",
    "<NA>",
)

TRUTH_PAIRS = (
    ("yes", "no"), ("True", "False"), ("T", "F"), ("Y", "N"), ("on", "off"), ("ja", "nein"), ("0", "1"), ("是", "否"),
    ("oui", "non"), ("1.0", "0.0"), ("YES", "no"), ("sí", "no"),
)  # fmt: skip

DATE_FORMS = (
    "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%Y%m%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f",
    "%b %d, %Y", "%d %B %Y", "%d-%b-%y", "%H:%M", "%Y-%m", "%m/%Y", "%a, %d %b %Y", "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S+0200", "%d/%m/%Y %I:%M %p", "%Y-W%W-%w", "%j/%Y",
)  # fmt: skip

IMPOSSIBLE_DATES = (
    "2023-02-30", "0000-00-00", "31/31/2020", "2020-13-01", "0001-01-01", "9999-12-31", "99999-01-01", "1/1/0",
    "2020-01-01T25:61:61", "00.00.0000", "-1-01-01", "1970-01-01T00:00:00+99:99", "2262-04-12", "1677-09-20",
    "20201301", "10000101", "Feb 30, 2020", "1e400-01-01", "2020-01-01 00:00:60", "12-12-12-12",
)  # fmt: skip

ODD_NUMBERS = (
    "inf", "-inf", "Infinity", "1e308", "-1.7976931348623157e308", "5e-324", "1e-400", "1e400", "-0.0", "+5", "1_000",
    "0x1F", "1e5", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551616", "1" * 40, "1" * 400, "9007199254740993", ".5", "5.", "--5",
    "1.2.3", "1,2,3", "٣٤", "１２",
    "½", "²", "1e", "e5", "1.", "000", "007", "-007", "1e+", "NaN", "−3", "1,", ",5", "(5)", "(1,234.5)", "5-", "1 2",
    "1'234", "1’234.5", "12,34,567", "1.234.567", "1,234", "1.234", "0,5", "1\u00a0234", "1\u202f234,5", "$", "%",
    "100%", "5 %", "$5", "5$", "USD 7", "7 EUR", "€1.234,56", "-$5", "$-5", "5kg", "5 kg", "kr 5", "1/2", "3:30",
)  # fmt: skip

ODD_WORDS = (
    "<script>alert(1)</script>", "=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "' OR 1=1 --", "../../etc/passwd", "{}",
    "[]", "[1, 2]", '{"a": 1}', "{'a': [1, {}]}", "a,b", "a;b", "a\tb", "a|b", 'he said "hi"', "'quoted'", '"', "'",
    '""', "\\", "\\n", "a\\", "line\nbreak", "cr\rhere", "crlf\r\nend", "\x1b[31mred", "\x07bell", "\x0bvt", "\x0c",
    "\x85", "\u2028", "\u2029", "\u200b", "\ufeff", "\u202ertl", "مرحبا", "שלום",
    "日本語", "Привет", "😀", "👩‍👩‍👧", "é", "e\u0301",
    "ß", "İ", "ı", "ﬀ", "Ω", "A" * 300, "[bold]x[/bold]", "[/]", "{{ x }}", "%s", "%d%n", "${x}", "#", "# note",
    "//", "sep=;", "True", "false", "None", "nan", "inf", "0", "1", "http://a.b/c?d=e", "a@b.de", "\ud7ff", "\uffff",
)  # fmt: skip

SENTENCES = (
    "the quick brown fox jumps over the lazy dog", "Das ist ein ganz gewöhnlicher Satz mit Umlauten, ja",
    "これは普通の文章です", "Это обычное предложение на русском языке", "这部电影非常好看，我们都很喜欢",
    "Ceci n'est pas une pipe; c'est un éléphant", "a b c d e f g h i j k l m n o p",
)  # fmt: skip


def _number(rng: random.Random) -> float:
    scale = rng.choice((1.0, 10.0, 1e3, 1e6, 1e-6))
    return round(rng.gauss(0, 1) * scale, rng.randrange(5))


def _grouped(rng: random.Random) -> str:
    text = f"{rng.uniform(-1e7, 1e7):,.2f}"
    marks = rng.choice(((",", "."), (".", ","), (" ", ","), ("'", "."), ("\u00a0", ","), ("\u202f", ","), ("’", ".")))
    return text.replace(",", "\0").replace(".", marks[1]).replace("\0", marks[0])


def _date(rng: random.Random) -> dt.datetime:
    year = rng.choice((rng.randint(1950, 2040), rng.randint(1, 9998)) if rng.random() < 0.1 else (2020, 1999, 2023))
    return dt.datetime(year, 1, 1) + dt.timedelta(seconds=rng.randrange(364 * 86400))


def _written(date: dt.datetime, form: str) -> str:
    return date.strftime(form)


def _nested(rng: random.Random) -> str:
    value: object = rng.choice(
        ({"a": rng.randrange(9)}, [1, "x", None], {"b": {"c": [rng.random()]}}, [], {}, [[1], [2]])
    )
    return json.dumps(value) if rng.random() < 0.7 else str(value)


def _junk(rng: random.Random) -> str:
    return "".join(chr(rng.choice((rng.randrange(0x20, 0x7F), rng.randrange(0xA0, 0xD7FF), rng.randrange(1, 0x20))))
                   for _ in range(rng.randrange(1, 12)))  # fmt: skip


def _in_form(rng: random.Random) -> Cell:
    form = rng.choice(DATE_FORMS)
    return lambda r: _written(_date(r), form)


def _of_few(rng: random.Random) -> Cell:
    words = [
        rng.choice((*ODD_WORDS, "red", "green", "blue", "north", "south", "a", "b"))
        for _ in range(rng.randrange(1, 6))
    ]
    return lambda r: r.choice(words)


def _truth(rng: random.Random) -> Cell:
    pair = rng.choice(TRUTH_PAIRS)
    return lambda r: r.choice(pair)


def _money(rng: random.Random) -> Cell:
    before, after = rng.choice(
        (("$", ""), ("", " €"), ("€ ", ""), ("", "%"), ("", " %"), ("", "kg"), ("USD ", ""), ("", " kr"))
    )
    return lambda r: f"{before}{_grouped(r) if r.random() < 0.5 else _number(r)}{after}"


def _counter(rng: random.Random) -> Cell:
    state = [rng.choice((0, 1, 1000, -5))]

    def following(_: random.Random) -> str:
        state[0] += 1
        return str(state[0])

    return following


def _epoch(rng: random.Random) -> Cell:
    factor = rng.choice((1, 1000, 10**6, 10**9))
    return lambda r: str(r.randrange(0, 4 * 10**9) * factor)


def _constant(rng: random.Random) -> Cell:
    word = rng.choice((*ODD_WORDS, *ODD_NUMBERS, "same", "1", "0.5"))
    return lambda _: word


def _fixed(cell: Cell) -> Callable[[random.Random], Cell]:
    return lambda _: cell


KINDS: dict[str, Callable[[random.Random], Cell]] = {
    "integer": _fixed(lambda r: str(r.randrange(-50, 50))),
    "few_integers": _fixed(lambda r: str(r.randrange(3))),
    "two_floats": _fixed(lambda r: r.choice(("0.5", "1.5"))),
    "float": _fixed(lambda r: repr(_number(r))),
    "comma_float": _fixed(lambda r: repr(_number(r)).replace(".", ",")),
    "grouped": _fixed(_grouped),
    "scientific": _fixed(lambda r: f"{r.gauss(0, 1) * 10.0 ** r.randrange(-300, 300):e}"),
    "huge_integer": _fixed(lambda r: str(r.randrange(10**17, 10**30))),
    "odd_number": _fixed(lambda r: r.choice(ODD_NUMBERS)),
    "money": _money,
    "truth": _truth,
    "date": _in_form,
    "mixed_dates": _fixed(lambda r: _written(_date(r), r.choice(DATE_FORMS))),
    "impossible_date": _fixed(lambda r: r.choice(IMPOSSIBLE_DATES)),
    "epoch": _epoch,
    "category": _of_few,
    "odd_word": _fixed(lambda r: r.choice(ODD_WORDS)),
    "sentence": _fixed(lambda r: r.choice(SENTENCES) + f" {r.randrange(10**6)}"),
    "one_word": _fixed(lambda r: r.choice("abcdefgh") * r.randrange(1, 9)),
    "nested": _fixed(_nested),
    "key": _fixed(lambda r: str(uuid.UUID(int=r.getrandbits(128)))),
    "counter": _counter,
    "code": _fixed(lambda r: f"{r.randrange(10**5):07d}"),
    "junk": _fixed(_junk),
    "constant": _constant,
    "missing": _fixed(lambda r: r.choice(MISSING_WORDS)),
    "long_text": _fixed(lambda r: " ".join(r.choice(SENTENCES) for _ in range(r.randrange(1, 40)))),
}
"""Kind of a column to a maker of its cells; the maker first settles what is common to the column."""


def column(kind: str, n: int, rng: random.Random, *, missing: float = 0.0, noise: float = 0.0) -> list[str]:
    """(n,) cells of one kind with a share of missing cells and of cells of any other kind.

    Args:
        missing: Share of missing cells; above 0.5 they stand in one block, as after a change of a form.
        noise: Share of cells of other kinds.
    """
    cell, word = KINDS[kind](rng), rng.choice(MISSING_WORDS)
    out = [cell(rng) for _ in range(n)]
    others = list(KINDS)
    for i in range(n):
        if noise and rng.random() < noise:
            out[i] = KINDS[rng.choice(others)](rng)(rng)
    if missing > 0.5:
        start = rng.randrange(n + 1)
        for i in range(start, min(n, start + math.ceil(missing * n))):
            out[i] = word
    elif missing:
        out = [word if rng.random() < missing else c for c in out]
    return out


NAMES = (
    "", " ", "a", "A", "id", "date", "target", "y", "class", "index", "nan", "NA", "1",
    "1.5", "0", "Unnamed: 0", "<b>x</b>",
    "a,b", "a;b", 'quo"te', "new\nline", "tab\there", "\x1b[31mred", "\x00nul", "日本",
    "نام", "😀", "é", "e\u0301", "\u202eevil",
    "\u200b", "\ufeffbom", "x" * 500, "=cmd()", "#hash", "__index_level_0__",
    "level_0", "[bold]", "{x}", "%s", "a.b", "a b",
    "ПОЛЕ", "column_1", "price", "age", "time", "timestamp", "CustomerId", "proba_a",
    "prediction", "None", "True", "-",
)  # fmt: skip
"""Names of columns as they come; plain ones (``c0``, ``c1``, ...) are mixed in by the tables."""
