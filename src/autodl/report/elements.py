"""What every section of the report is made of: tables, figures, claims, strips and cards, as plain values.

Strings marked "rich" may hold the marks of ``text.py``; all others are plain. Positions are percent of the width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["holds", "care", "unknown", "note"]


@dataclass(frozen=True)
class Column:
    """A table column; numeric ones are right-aligned."""

    label: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Cells are rich text."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """An SVG with its text alternative and its numbers.

    ``svg`` comes from ``figures/style.py`` alone; it is empty where the time was up, and the numbers stand alone.
    """

    key: str
    title: str
    svg: str
    alt: str
    table: Table
    caption: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Strip:
    """A dot with its interval on a line, and a mark for comparison."""

    value: float
    low: float
    high: float
    guess: float | None = None
    hint: str = ""


@dataclass(frozen=True)
class Statement:
    """One claim with its reason (rich) and where the evidence stands."""

    mark: Mark
    word: str
    lead: str
    body: str
    href: str = ""


@dataclass(frozen=True)
class Driver:
    """A column that moves the predictions."""

    name: str
    width: float
    low: float
    high: float
    amount: str
    direction: str


@dataclass(frozen=True)
class Cell:
    """A shaded cell of the confusion matrix; ``shade`` from 0 to 1."""

    text: str
    shade: float
    hit: bool
    hint: str


@dataclass(frozen=True)
class Band:
    """Part of a box of lines, in its units: it speaks for the answer, or raises the number, or the opposite."""

    x: float
    width: float
    height: float
    opacity: float
    raises: bool


@dataclass(frozen=True)
class Card:
    """One cell of a test row: a picture, lines, or a text.

    ``picture`` and ``heat`` are data URIs. ``lines`` holds the points of SVG polylines in a box of 120 x 64, before
    ``bands``; ``more`` is a second line of words.
    """

    head: str
    detail: str
    alt: str
    picture: str = ""
    heat: str = ""
    lines: tuple[str, ...] = ()
    text: str = ""
    bands: tuple[Band, ...] = ()
    more: str = ""
