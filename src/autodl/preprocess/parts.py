"""Codes such as ``C85`` or ``PC 17599`` taken apart: their letters and their number."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.preprocess.older import completed

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
        """Columns that have a column of letters."""
        self.numbered: tuple[str, ...] = ()
        """Columns that have a column of numbers."""
        self.words: tuple[str, ...] = ()
        """Names of the added columns of categories: ``NAME:letters`` where no column is called so."""
        self.numbers: tuple[str, ...] = ()
        """Names of the added columns of numbers: ``NAME:number`` where no column is called so."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Older versions did not look whether the names were taken.
        words = tuple(f"{c}:letters" for c in state["lettered"])
        numbers = tuple(f"{c}:number" for c in state["numbered"])
        self.__dict__.update(completed(state, {"words": words, "numbers": numbers}))

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
        taken = {str(c) for c in frame.columns}
        self.words = tuple(_unused(f"{c}:letters", taken) for c in lettered)
        self.numbers = tuple(_unused(f"{c}:number", taken) for c in numbered)
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


def _unused(name: str, taken: set[str]) -> str:
    """The name, with a number behind it if it is taken; taken from then on."""
    found = next(n for k in count(1) if (n := name if k == 1 else f"{name} {k}") not in taken)
    taken.add(found)
    return found


def letters_of(code: str) -> str:
    """The first run of letters in upper case; empty if there is none."""
    found = _LETTERS.search(code)
    return found.group().upper() if found else ""


def number_of(code: str) -> float:
    """The last number, NaN if there is none; of very long ones the first 15 digits."""
    found = _NUMBER.findall(code)
    return float(found[-1][:15]) if found else float("nan")
