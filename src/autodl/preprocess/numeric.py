"""Numbers, booleans and dates: clip, fill, scale, and mark what was missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autodl.preprocess.dates import DateExpander
from autodl.preprocess.imputation import NumericImputer
from autodl.preprocess.outliers import Winsorizer
from autodl.preprocess.scaling import NumericScaler

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.records import Recipe

_LARGEST = 1e30
"""Larger magnitudes would overflow float32 or its squares' sums in float64."""


class NumericBlock:
    """Numeric and boolean columns and the parts of dates as one float32 matrix.

    Infinities count as missing.

    Args:
        numbers: Names of float64 columns.
        dates: Names of datetime64 columns.
        recipe: Uses ``outliers``, ``impute``, ``indicator`` and ``scale``.
        seed: For sampled steps.
    """

    def __init__(self, numbers: tuple[str, ...], dates: tuple[str, ...], recipe: Recipe, seed: int) -> None:
        self.numbers, self.recipe = numbers, recipe
        self._dates = DateExpander(dates, cyclical=recipe.scale != "none")
        self._clip = Winsorizer() if recipe.outliers == "clip" else None
        self._imputer = NumericImputer(recipe.impute, seed)
        self._scaler = NumericScaler(recipe.scale, seed)
        self._marked: NDArray[np.int_] = np.empty(0, dtype=np.int_)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns; an indicator is called ``COLUMN:missing``."""
        values = (*self.numbers, *self._dates.names)
        return (*values, *(f"{values[j]}:missing" for j in self._marked))

    def fit_transform(self, frame: pd.DataFrame, y: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, k) training rows; ``y`` is not used."""
        self._dates.fit(frame)
        x = self._raw(frame)
        if self.recipe.indicator and self.recipe.impute != "none":
            share = np.isnan(x).mean(axis=0) if len(x) else np.zeros(x.shape[1])
            # A column without any value has a constant indicator.
            self._marked = np.flatnonzero((share > 0) & (share < 1))
        clipped = self._clip.fit(x).transform(x) if self._clip else x
        filled = self._imputer.fit(clipped).transform(clipped)
        self._scaler.fit(filled)
        return self._finish(x, filled)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """(n, k) rows prepared like the training rows."""
        x = self._raw(frame)
        clipped = self._clip.transform(x) if self._clip else x
        return self._finish(x, self._imputer.transform(clipped))

    def _raw(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        x = frame[list(self.numbers)].to_numpy(dtype=np.float64, na_value=np.nan)
        if self._dates.columns:
            x = np.hstack([x, self._dates.transform(frame)])
        if not np.isfinite(x).all():
            x = np.where(np.isfinite(x), x, np.nan)
        return np.clip(x, -_LARGEST, _LARGEST)

    def _finish(self, x: NDArray[np.float64], filled: NDArray[np.float64]) -> NDArray[np.float32]:
        scaled = np.clip(self._scaler.transform(filled), -_LARGEST, _LARGEST).astype(np.float32)
        if not len(self._marked):
            return scaled
        return np.hstack([scaled, np.isnan(x[:, self._marked]).astype(np.float32)])
