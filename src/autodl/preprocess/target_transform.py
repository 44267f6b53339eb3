"""Transforms of a regression target, mapped back after prediction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TargetKind = Literal["none", "standard", "log"]


class TargetTransform:
    """Fitted on the training targets when built.

    ``standard``: z = (y - mean) / deviation. ``log``: the same of log(1 + y - s), where the shift s is the smallest
    training target if that is negative, else 0.

    Args:
        kind: Which transform.
        y: (n,) finite training targets.
    """

    def __init__(self, kind: TargetKind, y: NDArray[Any]) -> None:
        self.kind = kind
        values = np.asarray(y, dtype=np.float64)
        self.shift = min(0.0, float(values.min())) if kind == "log" and len(values) else 0.0
        inner = self._inner(values)
        self.mean = float(inner.mean()) if kind != "none" and len(values) else 0.0
        deviation = float(inner.std()) if kind != "none" and len(values) else 1.0
        # The deviation of equal numbers may be a rounding error instead of 0.
        self.deviation = deviation if deviation > 1e-10 * abs(self.mean) else 1.0
        # A model that extrapolates in logarithms must not answer with astronomic values.
        self._ceiling = float(inner.max()) + math.log(10.0) if kind == "log" and len(values) else math.inf

    def forward(self, y: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) transformed targets; under ``log``, targets below the shift count as the shift."""
        values = np.asarray(y, dtype=np.float64)
        return values if self.kind == "none" else (self._inner(values) - self.mean) / self.deviation

    def inverse(self, z: NDArray[Any]) -> NDArray[np.float64]:
        """(n,) predictions in the units of the target; under ``log`` at most about ten times the largest seen."""
        values = np.asarray(z, dtype=np.float64)
        if self.kind == "none":
            return values
        inner = values * self.deviation + self.mean
        if self.kind == "standard":
            return inner
        return np.asarray(np.expm1(np.minimum(inner, self._ceiling)) + self.shift)

    def _inner(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log1p(np.maximum(values - self.shift, 0.0)) if self.kind == "log" else values
