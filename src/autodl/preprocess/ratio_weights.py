"""Weights for learning where errors count as shares of the true value.

The mean absolute percentage error is the mean absolute error with the weights 1 / abs(y) (Gneiting 2011, Making and
evaluating point forecasts, section 3.2: the best answer is the median of the law weighted by 1 / y, which lies below
the median). So every model that knows weights and absolute errors can learn it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BY_RATIO = "mape"
"""The metric for which models learn with these weights."""
SMALLEST = 0.01
"""Of the usual size: errors of smaller targets count as if they were so large, or a few rows would decide all."""


def least_denominator(y: NDArray[Any]) -> float:
    """The size below which training targets, (n,), count alike."""
    size = np.abs(np.asarray(y, dtype=np.float64))
    usual = float(np.median(size)) or float(size.mean())
    return SMALLEST * usual if usual > 0 else 1.0


def ratio_weights(y: NDArray[Any], least: float, weight: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """(n,) weights of mean 1, in inverse proportion to the targets.

    Args:
        y: (n,) targets. least: See ``least_denominator``. weight: (n,) weights that the rows have anyway.
    """
    found = 1.0 / np.maximum(np.abs(np.asarray(y, dtype=np.float64)), least)
    if weight is not None:
        found = found * np.asarray(weight, dtype=np.float64)
    mean = float(found.mean()) if len(found) else 1.0
    return np.asarray(found / mean if mean > 0 else found)
