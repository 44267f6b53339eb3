"""Dates as numbers: calendar parts, and sines and cosines of the cyclical ones for models that use distances."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.preprocess.older import completed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

DATE_PARTS, CYCLES = 7, 8
"""Columns that a date becomes at most, and further ones where ``cyclical``."""
PAIRED = 4
"""Columns of which each pair gives the days between them at most."""
_PERIODS = {"month": 12.0, "weekday": 7.0, "hour": 24.0, "dayofyear": 365.25}


class DateExpander:
    """Year, month, day, weekday, hour, day of year and days since the first date of each column.

    Parts with a single value in the training rows are left out; the days since the first date always stay. Of up to
    four columns, each pair gives the days from one to the other, which trees cannot find by themselves.

    Args:
        columns: Names of ``datetime64`` columns.
        cyclical: Add sine and cosine of month, weekday, hour and day of year, so that December lies beside January.
    """

    def __init__(self, columns: tuple[str, ...], cyclical: bool = False) -> None:
        self.columns, self.cyclical = columns, cyclical
        self._first: dict[str, Any] = {}
        self._kept: list[tuple[str, str]] = []
        self._pairs: list[tuple[str, str]] = []

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Models of older versions were trained without the days between two dates.
        self.__dict__.update(completed(state, {"_pairs": []}))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns, e.g. ``sold:month``."""
        own = (f"{column}:{part}" for column, part in self._kept)
        return (*own, *(f"days from {a} to {b}" for a, b in self._pairs))

    def fit(self, frame: pd.DataFrame) -> DateExpander:
        """Learn the first date of each column and which parts vary."""
        self._kept, self._pairs = [], list(combinations(self.columns[:PAIRED], 2))
        for column in self.columns:
            self._first[column] = frame[column].min()
            for part, values in self._parts(frame, column).items():
                present = values[~np.isnan(values)]
                if part == "days" or (len(present) and present.min() < present.max()):
                    self._kept.append((column, part))
        return self

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """(n, k) float64; NaN where the date is missing."""
        parts = {c: self._parts(frame, c) for c in self.columns}
        import pandas as pd

        out = np.empty((len(frame), len(self._kept) + len(self._pairs)))
        for j, (column, part) in enumerate(self._kept):
            out[:, j] = parts[column][part]
        for j, (a, b) in enumerate(self._pairs, len(self._kept)):
            gap = pd.to_datetime(frame[b]) - pd.to_datetime(frame[a])
            out[:, j] = (gap / pd.Timedelta(days=1)).to_numpy(dtype=np.float64)
        return out

    def _parts(self, frame: pd.DataFrame, column: str) -> dict[str, NDArray[np.float64]]:
        import pandas as pd

        stamps = pd.to_datetime(frame[column])
        at = stamps.dt
        seconds = at.hour + at.minute / 60.0 + at.second / 3600.0
        raw = {
            "year": at.year, "month": at.month, "day": at.day, "weekday": at.weekday, "hour": seconds,
            "dayofyear": at.dayofyear, "days": (stamps - self._first[column]) / pd.Timedelta(days=1),
        }  # fmt: skip
        parts = {name: values.to_numpy(dtype=np.float64) for name, values in raw.items()}
        if self.cyclical:
            for name, period in _PERIODS.items():
                angle = 2.0 * np.pi * parts[name] / period
                parts[f"{name}_sin"], parts[f"{name}_cos"] = np.sin(angle), np.cos(angle)
        return parts
