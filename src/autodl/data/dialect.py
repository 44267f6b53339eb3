"""How a delimited text file is written: delimiter, quotes, preamble, header, decimal mark."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import pairwise

from autodl.data.numbers import CHOICES, MILLIONS, comma_is_decimal, tidy
from autodl.data.words import NO_NUMBER

NO_DELIMITER = "\x1f"
"""Stands for "one column": a character that text does not hold."""
BLANKS = " "
"""Columns set apart by runs of blanks."""
RUN = 4
"""So many numbers that count evenly are names, if they do so in no other record..."""
LONG_RUN = 20
"""...and there are so many of them, or of other records: in a few small numbers they may by chance."""

_PLAIN = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
_COMMA_NUMBER = re.compile(r"^[+-]?\d{1,3}([. ]\d{3})*,\d+$|^[+-]?\d+,\d+$")
_NAMELESS = re.compile(r"column_\d+")
_QUOTED_SINGLE = re.compile(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", re.MULTILINE)


@dataclass(frozen=True)
class Dialect:
    """Attributes: ``skip`` lines before the table, ``width`` columns, ``decimal`` mark, ``names`` of the header."""

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    skip: int = 0
    header: bool = True
    width: int = 1
    decimal: str = "."
    names: tuple[str, ...] = ()
    blank_rows: bool = False
    """Whether an empty line is a row, whose only cell is empty, and not nothing."""


def records(text: str, dialect: Dialect) -> list[list[str]]:
    """The records of a text, preamble included, blank lines left out."""
    if dialect.delimiter == BLANKS:
        return [line.split() for line in text.splitlines() if line.strip()]
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        doublequote=dialect.escape is None,
    )
    return [row for row in reader if row]


def sniff(head: str, *, whole: bool, suffix: str = "", names: Collection[str] = ()) -> Dialect:
    """Find the dialect from the first characters of a file.

    Args:
        head: The start of the text, or all of it (``whole``).
        suffix: ``.tsv`` and ``.tab`` favour tabs.
        names: Columns that the table should have, where they are known, as those of a model: the reading is preferred
            under which the first record holds most of them, and where it holds any it is a header.
    """
    csv.field_size_limit(1 << 30)
    hinted = re.match(r"\s*sep=(.)\r?\n", head)
    if not whole and "\n" in head:
        head = head[: head.rindex("\n") + 1]
    lines = head.splitlines(keepends=True)
    comments = 1 if hinted else 0
    while comments < len(lines) and (lines[comments].startswith("#") or not lines[comments].strip()):
        comments += 1
    body = "".join(lines[comments:])
    quote = "'" if '"' not in body and len(_QUOTED_SINGLE.findall(body)) > 1 else '"'
    best, best_score = Dialect(NO_DELIMITER, quote=quote), 0.0
    best_held = _held(records(body, best)[:1], 1, names) if names else 0
    escapes: tuple[str | None, ...] = (
        (None, "\\") if '\\"' in body and '""' not in body.replace('\\"', "") else (None,)
    )
    for delimiter in hinted.group(1) if hinted else (",", ";", "\t", "|"):
        for escape in escapes:
            trial = Dialect(delimiter, quote=quote, escape=escape)
            score, width, held = _score(body, trial, names)
            if delimiter == "\t" and suffix in (".tsv", ".tab"):
                score *= 1.2
            if score > 0 and (held > best_held or (held == best_held and score > best_score + 1e-9)):
                best, best_score, best_held = replace(trial, width=width), score, held
    if best.delimiter == NO_DELIMITER and not best_held:
        best = _blanks(body) or best
    rows = records(body, best)
    preamble = _preamble(rows, best.width)
    if preamble and best.delimiter != BLANKS:
        rows, filled = rows[preamble:], 0
        while filled < preamble:
            filled += bool(lines[comments].rstrip("\r\n"))
            comments += 1
        while comments < len(lines) and not lines[comments].rstrip("\r\n"):
            comments += 1  # blank lines between the titles and the header
    first, header = _header(rows, best.width, names)
    marked = _marked_header(lines[comments - 1] if comments else "", rows, best, names)
    if marked and (not header or len(rows) == 1):
        comments, first, header, rows = comments - 1, marked, True, [list(marked), *rows]
    decimal = "," if best.delimiter != "," and _decimal_comma(rows[1:200]) else "."
    return replace(best, skip=comments, header=header, names=first, decimal=decimal)


def _held(rows: list[list[str]], width: int, names: Collection[str]) -> int:
    """How many of the names the first of the rows holds, if it may be the header of so many columns."""
    if not rows or not width - 1 <= len(rows[0]) <= width:
        return 0
    return len({" ".join(c.split()) for c in rows[0]} & set(names))


def _score(text: str, dialect: Dialect, names: Collection[str]) -> tuple[float, int, int]:
    """How well a delimiter explains the text, the number of columns under it, and how many of the names it finds.

    The share of records of the most frequent width; a little more for many columns; nothing for one column.
    """
    try:
        rows = records(text, dialect)
    except csv.Error:
        return 0.0, 1, 0
    widths = Counter(len(r) for r in rows)
    if not widths:
        return 0.0, 1, 0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    if width < 2 or (width == 2 and len(rows[0]) == 1 and not _row_names(text, rows[1:], dialect)):
        return 0.0, 1, 0  # A name of one column above cells such as Action|Comedy, or texts with commas.
    if len(rows[0]) != width and width != len(rows[0]) + 1 and len(rows[0]) > 1:
        count -= 1 + len(rows) // 3  # The header speaks against it, as with decimal commas.
    share = count / len(rows)
    ragged = sum(c for w, c in widths.items() if w > width) / len(rows)
    if share < 0.6 or ragged > 0.3:
        return 0.0, 1, 0
    fit = 1.0 if len(rows[0]) == width else 0.95
    return fit * share * (1.0 + 0.02 * min(width, 10)), width, _held(rows, width, names)


def _row_names(text: str, rows: list[list[str]], dialect: Dialect) -> bool:
    """Whether the rows begin with their numbers or names in quotes, which R writes without a name above them.

    Names are all different words before a column of numbers, with no blank behind the mark, as in ``"Main Road", 5``.
    """
    _, *lines = (line for line in text.splitlines() if line)
    if not all(line.startswith(dialect.quote) for line in lines):
        return False
    if all(row[0].strip() == str(i) for i, row in enumerate(rows, start=1)):
        return True
    names = {row[0] for row in rows if _is_name(row[0].strip())}
    return len(names) == len(rows) and _numeric_column(rows, 1) and not any(r[1][:1] == " " for r in rows if r[1:])


def _blanks(text: str) -> Dialect | None:
    """Columns of numbers set apart by blanks (as in older scientific files)."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    widths = {len(r) for r in rows}
    if len(widths) != 1 or widths == {1} or not rows:
        return None
    cells = [c for r in rows[1:200] for c in r]
    if not cells or sum(bool(_PLAIN.match(c)) for c in cells) < 0.5 * len(cells):
        return None
    return Dialect(BLANKS, width=widths.pop())


def _preamble(rows: list[list[str]], width: int) -> int:
    """Title lines before the table: leading records of one filled cell where the table has three columns or more."""
    if width < 3:
        return 0
    for i, row in enumerate(rows[:20]):
        if sum(bool(c.strip()) for c in row) > 1:
            return i if i < len(rows) - 1 else 0
    return 0


def _marked_header(line: str, rows: list[list[str]], dialect: Dialect, expected: Collection[str]) -> tuple[str, ...]:
    """The names in the line before the table, if that is a header behind a ``#``; none if it is a remark."""
    if not line.startswith("#") or dialect.width < 2:
        return ()
    cells = [c.strip() for row in records(line.lstrip("#"), dialect)[:1] for c in row]
    names = ("#", *cells[1:]) if cells and not cells[0] else tuple(cells)
    is_header = len(set(names)) == len(names) == dialect.width and all(names)
    return names if is_header and _header([list(names), *rows], dialect.width, expected)[1] else ()


def _header(rows: list[list[str]], width: int, expected: Collection[str]) -> tuple[tuple[str, ...], bool]:
    """The cells of the first record, and whether they name the columns.

    Names that are expected settle it, unless the table that they are of had none and words stand above numbers.
    """
    if not rows:
        return (), True
    first = [c.strip() for c in rows[0]]
    body = rows[1:500]
    names = tuple(first)
    if _held(rows, width, expected):
        return names, True
    nameless = bool(expected) and all(_NAMELESS.fullmatch(n) for n in expected)
    if not body:
        return names, not nameless and not (first and all(_PLAIN.match(c) for c in first))
    numeric = [_numeric_column(body, i) for i in range(len(first))]
    if any(numeric[i] and _is_name(c) and not _recurs(c, i, body) for i, c in enumerate(first)):
        return names, True
    if nameless:
        return names, False
    numeric_head = [i for i, c in enumerate(first) if _PLAIN.match(c)]
    if numeric_head:
        run = _run_of_names(first, body, numeric_head)
        if run or any(numeric[i] for i in numeric_head):
            return names, run
    if len(body) < 5 or any(numeric):
        return names, True
    filled = [c for c in first if c]
    repeated = sum(c != "" and _recurs(c, i, body) for i, c in enumerate(first))
    if len(set(filled)) < len(filled):  # no names, if all of them are values as well
        return names, repeated < len(filled)
    return names, len(set(first)) < len(first) or repeated * 2 < len(first) or repeated == 0


def _is_name(cell: str) -> bool:
    """Whether a cell can only be a name where numbers stand below."""
    plain = _PLAIN.match(cell) or _COMMA_NUMBER.match(cell) or cell.lower().lstrip("+-") in ("inf", "infinity")
    return not plain and cell.lower() not in NO_NUMBER and any(c.isalpha() for c in cell)


def _recurs(cell: str, i: int, body: list[list[str]]) -> bool:
    """Whether a cell of the first record stands in its column again."""
    return any(i < len(r) and r[i].strip() == cell for r in body)


def _run_of_names(first: list[str], body: list[list[str]], places: list[int]) -> bool:
    """Whether the numbers of the first record count evenly, as years, places and wavelengths do in a header."""
    step, start = _even_step([first[i] for i in places]), float(first[places[0]])
    if step == 1 and (start == 0 or 1800 <= start <= 2200):
        return True
    # In a few rows of a few small numbers one may count evenly by chance.
    enough = len(places) >= RUN and (len(places) >= LONG_RUN or len(body) >= LONG_RUN)
    if not enough or step is None:
        return False
    return all(_even_step([r[i].strip() for i in places if i < len(r)]) is None for r in body)


def _even_step(cells: list[str]) -> float | None:
    """The step from each number to the next, other than 0; None where steps differ or a cell is no number."""
    if not all(_PLAIN.match(c) for c in cells):
        return None
    steps = {round(float(b) - float(a), 6) for a, b in pairwise(cells)}
    step = steps.pop() if len(steps) == 1 else 0.0
    return step or None


def _numeric_column(rows: list[list[str]], i: int) -> bool:
    cells = [t for r in rows if i < len(r) and (t := r[i].strip()).lower() not in NO_NUMBER]
    return bool(cells) and sum(bool(_PLAIN.match(c) or _COMMA_NUMBER.match(c)) for c in cells) >= 0.9 * len(cells)


def _decimal_comma(rows: list[list[str]]) -> bool:
    """Whether some column holds numbers that need a decimal comma."""
    for column in zip(*(r for r in rows if r), strict=False):
        cells = [t.lstrip("+-") for c in column if (t := tidy(c)).lower() not in NO_NUMBER]
        if any(CHOICES.match(c) for c in cells):
            continue
        numbers = [c for c in cells if _COMMA_NUMBER.match(c) or MILLIONS.match(c)]
        if cells and len(numbers) >= 0.3 * len(cells) and comma_is_decimal(numbers):
            return True
    return False
