"""Codes such as ``C85`` or ``PC 17599`` taken apart: their letters and their number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

MANY = 30
"""Columns with fewer distinct values are known well enough as they are."""
DIGITS_SHARE, LONGEST = 0.5, 40
"""Share of the distinct values that hold a digit, and most characters, of a column of codes."""
_NUMBER = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")


class CodeParts:
    """Adds, for columns of codes, a column of their first letters and one of their last number.

    Codes are columns of many short values of which most hold a digit. The letters are kept where they say less than
    the code and more than nothing; the number where it varies.

    Args:
        columns: Names of object columns of ``str`` and ``None``.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.lettered: tuple[str, ...] = ()
        """Columns that have a column of letters, ``NAME:letters``."""
        self.numbered: tuple[str, ...] = ()
        """Columns that have a column of numbers, ``NAME:number``."""

    @property
    def words(self) -> tuple[str, ...]:
        """Names of the added columns of categories."""
        return tuple(f"{c}:letters" for c in self.lettered)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the added columns of numbers."""
        return tuple(f"{c}:number" for c in self.numbered)

    def fit(self, frame: pd.DataFrame) -> CodeParts:
        """Learn which columns are codes."""
        lettered, numbered = [], []
        for column in self.columns:
            values = [v for v in frame[column].unique() if isinstance(v, str)]
            if len(values) < MANY or max(map(len, values)) > LONGEST:
                continue
            if sum(_NUMBER.search(v) is not None for v in values) < DIGITS_SHARE * len(values):
                continue
            if 2 <= len({letters_of(v) for v in values}) <= len(values) / 3:
                lettered.append(column)
            if len({number_of(v) for v in values}) >= MANY / 3:
                numbered.append(column)
        self.lettered, self.numbered = tuple(lettered), tuple(numbered)
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows with the added columns."""
        if not self.words and not self.numbers:
            return frame
        added: dict[str, NDArray[np.object_] | NDArray[np.float64]] = {}
        for column, name in zip(self.lettered, self.words, strict=True):
            added[name] = np.array(
                [letters_of(v) if isinstance(v, str) else None for v in frame[column]], dtype=object
            )
        for column, name in zip(self.numbered, self.numbers, strict=True):
            added[name] = np.array(
                [number_of(v) if isinstance(v, str) else np.nan for v in frame[column]], dtype=np.float64
            )
        return frame.assign(**added)


def letters_of(code: str) -> str:
    """The first run of letters in upper case; empty if there is none."""
    found = _LETTERS.search(code)
    return found.group().upper() if found else ""


def number_of(code: str) -> float:
    """The last number, NaN if there is none; of very long ones the first 15 digits."""
    found = _NUMBER.findall(code)
    return float(found[-1][:15]) if found else float("nan")
