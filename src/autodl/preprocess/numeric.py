"""Numbers, booleans and dates: clip, combine, fill, scale, bend, and mark what was missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.preprocess.cross_fitting import shown_targets
from autodl.preprocess.crosses import Crosses
from autodl.preprocess.dates import DateExpander
from autodl.preprocess.imputation import NumericImputer
from autodl.preprocess.older import completed
from autodl.preprocess.outliers import Winsorizer
from autodl.preprocess.scaling import NumericScaler
from autodl.preprocess.segments import Segments
from autodl.records import Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.records import Recipe

_LARGEST = 1e30
"""Larger magnitudes would overflow float32 or its squares' sums in float64."""
_CROSSED_CLASSES = 3
"""Classes whose probability combinations of columns are chosen for; each costs a small model."""
_COMPARED = 10_000
"""Rows in which different numbers that float32 makes equal are looked for, about."""


class NumericBlock:
    """Numeric and boolean columns and the parts of dates as one float32 matrix.

    Infinities count as missing. Unscaled columns far from zero, such as ``20240131``, are counted from their smallest
    training value where float32 could not tell their numbers apart.

    Args:
        numbers: Names of float64 columns.
        dates: Names of datetime64 columns.
        recipe: Uses ``outliers``, ``crosses``, ``impute``, ``indicator``, ``gaps``, ``scale`` and ``segments``.
        seed: For sampled steps.
        task: What the target is.
    """

    def __init__(
        self,
        numbers: tuple[str, ...],
        dates: tuple[str, ...],
        recipe: Recipe,
        seed: int,
        task: Task = Task.REGRESSION,
    ) -> None:
        self.numbers, self.recipe, self.task = numbers, recipe, task
        # Models that add columns up need their numbers scaled.
        additive = recipe.scale != "none"
        self._dates = DateExpander(dates, cyclical=additive)
        self._clip = Winsorizer() if recipe.outliers == "clip" else None
        # Ratios have outliers of their own.
        self._crossed_clip = Winsorizer() if recipe.outliers == "clip" else None
        self._crosses = Crosses(recipe.crosses, additive, seed)
        self._imputer = NumericImputer(recipe.impute, seed)
        self._scaler = NumericScaler(recipe.scale, seed)
        self._segments = Segments(recipe.segments) if recipe.segments and recipe.impute != "none" else None
        self._marked: NDArray[np.int_] = np.empty(0, dtype=np.int_)
        self._counted = 0
        self._origin: NDArray[np.float64] = np.zeros(1)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Models of older versions were trained without these steps.
        later = {"_crosses": Crosses(0, False, 0), "_crossed_clip": None, "_segments": None, "_counted": 0}
        self.__dict__.update(completed(state, later | {"_origin": np.zeros(1)}))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns; an indicator is called ``COLUMN:missing``."""
        own = (*self.numbers, *self._dates.names)
        values = (*own, *self._crosses.names(own))
        bent = self._segments.names(tuple(values[j] for j in self._bendable(len(values)))) if self._segments else ()
        marks = tuple(f"{values[j]}:missing" for j in self._marked)
        return (*values, *bent, *marks, *(("missing values",) if self._counted else ()))

    def fit_transform(
        self, frame: pd.DataFrame, y: NDArray[Any], weight: NDArray[Any] | None = None
    ) -> NDArray[np.float32]:
        """(n, k) training rows.

        Args:
            frame: The rows.
            y: (n,) class codes or values, by which combinations of columns are chosen.
            weight: (n,) how much each row counts in what is learnt; all alike if None.
        """
        self._dates.fit(frame)
        x = self._raw(frame)
        missing = np.isnan(x)
        share = missing.mean(axis=0) if len(x) else np.zeros(x.shape[1])
        if self.recipe.indicator and self.recipe.impute != "none":
            # A column without any value has a constant indicator.
            self._marked = np.flatnonzero((share > 0) & (share < 1))
        self._counted = int(self.recipe.gaps and ((share > 0) & (share < 1)).sum() > 1)
        clipped = self._clip.fit(x, weight).transform(x) if self._clip else x
        if self.recipe.crosses:
            self._crosses.fit(clipped, shown_targets(y, self.task, _CROSSED_CLASSES))
            if self._crossed_clip:
                self._crossed_clip.fit(self._crosses.transform(clipped), weight)
        clipped = self._with_crosses(clipped)
        filled = self._imputer.fit(clipped, weight).transform(clipped)
        self._scaler.fit(filled, weight)
        if self.recipe.scale == "none":
            self._origin = _origins(filled)
        if self._segments:
            self._segments.fit(filled[:, self._bendable(filled.shape[1])], weight)
        return self._finish(missing, filled)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """(n, k) rows prepared like the training rows."""
        x = self._raw(frame)
        clipped = self._with_crosses(self._clip.transform(x) if self._clip else x)
        return self._finish(np.isnan(x), self._imputer.transform(clipped))

    def _raw(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        x = frame[list(self.numbers)].to_numpy(dtype=np.float64, na_value=np.nan)
        if self._dates.columns:
            x = np.hstack([x, self._dates.transform(frame)])
        if not np.isfinite(x).all():
            x = np.where(np.isfinite(x), x, np.nan)
        return np.clip(x, -_LARGEST, _LARGEST)

    def _bendable(self, columns: int) -> NDArray[np.int_]:
        """Places of all columns but the parts of dates: new rows tend to lie beyond the dates of the training."""
        first = len(self.numbers)
        return np.concatenate([np.arange(first), np.arange(first + len(self._dates.names), columns)])

    def _with_crosses(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self._crosses.chosen:
            return x
        made = self._crosses.transform(x)
        if self._crossed_clip:
            made = self._crossed_clip.transform(made)
        return np.hstack([x, np.clip(made, -_LARGEST, _LARGEST)])

    def _finish(self, missing: NDArray[np.bool_], filled: NDArray[np.float64]) -> NDArray[np.float32]:
        values = self._scaler.transform(filled)
        if self._origin.any():
            values = values - self._origin
        parts = [np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)]
        if self._segments:
            parts.append(self._segments.transform(filled[:, self._bendable(filled.shape[1])]).astype(np.float32))
        if len(self._marked):
            parts.append(missing[:, self._marked].astype(np.float32))
        if self._counted:
            parts.append(missing.sum(axis=1, keepdims=True).astype(np.float32))
        return parts[0] if len(parts) == 1 else np.hstack(parts)


def _origins(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(p,) what columns are counted from: 0, or the smallest value where float32 would make different ones equal."""
    low, high = np.fmin.reduce(x, axis=0, initial=np.inf), np.fmax.reduce(x, axis=0, initial=-np.inf)
    out = np.zeros(x.shape[1])
    some = x[:: max(1, len(x) // _COMPARED)]
    # Nearer to zero, counting from elsewhere would hardly help.
    for j in np.flatnonzero(np.minimum(np.abs(low), np.abs(high)) > high - low):
        if len(np.unique(some[:, j].astype(np.float32))) < len(np.unique(some[:, j])):
            out[j] = low[j]
    return out
