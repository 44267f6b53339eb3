"""How long predictions take, measured on a few rows before many are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

FEW, MANY = 10, 100
"""Rows of the two calls whose difference tells what a row takes."""


@dataclass(frozen=True)
class Speed:
    """Seconds of one call and of each row in it."""

    call_s: float
    row_s: float

    def seconds(self, rows: float, calls: float = 1.0) -> float:
        """Of so many rows in so many calls."""
        return calls * self.call_s + rows * self.row_s

    def rows(self, seconds: float, calls: float = 1.0) -> float:
        """That can be predicted in so many seconds, in so many calls; never negative."""
        return max(0.0, seconds - calls * self.call_s) / max(self.row_s, 1e-9)


def measure_speed(predict: Callable[[pd.DataFrame], NDArray[Any]], frame: pd.DataFrame, most_s: float) -> Speed:
    """Time calls of few and of more rows.

    Args:
        predict: Predicts a frame.
        frame: (n,) rows, n >= 1.
        most_s: About what the measurement may take: of a slow model fewer rows are asked.
    """
    predict(frame.iloc[:1])  # loads and compiles what later calls find ready
    few = min(FEW, len(frame))
    few_s = _timed(predict, frame.iloc[:few])
    many = min(MANY, len(frame), int(most_s * few / max(few_s, 1e-6)))
    if many <= few:
        return Speed(0.0, few_s / few)  # the whole of it counted by the row is too much rather than too little
    row_s = max(0.0, _timed(predict, frame.iloc[:many]) - few_s) / (many - few)
    return Speed(max(0.0, few_s - few * row_s), row_s)


def _timed(predict: Callable[[pd.DataFrame], NDArray[Any]], frame: pd.DataFrame) -> float:
    began = time.monotonic()
    predict(frame)
    return time.monotonic() - began
