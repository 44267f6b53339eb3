"""Regression metrics in plain numpy. Notation: n rows, e = predicted - true."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.records import Task

Array = NDArray[Any]


def _squared_rows(y: Array, value: Array, n_classes: int) -> Array:
    return np.asarray(np.square(value.astype(np.float64) - y))


def _absolute_rows(y: Array, value: Array, n_classes: int) -> Array:
    return np.asarray(np.abs(value.astype(np.float64) - y))


def _percent_rows(y: Array, value: Array, n_classes: int) -> Array:
    """``|e| / |y|``; a true value of 0 counts as the smallest float, as in scikit-learn."""
    return np.asarray(np.abs(value.astype(np.float64) - y) / np.maximum(np.abs(y), np.finfo(np.float64).eps))


def _log_rows(y: Array, value: Array, n_classes: int) -> Array:
    """Squared error of ``log(1 + .)``; negative values count as 0."""
    return np.asarray(np.square(np.log1p(np.maximum(value.astype(np.float64), 0)) - np.log1p(np.maximum(y, 0))))


def _rmse(y: Array, value: Array, n_classes: int, weight: Array | None) -> float:
    return float(np.sqrt(np.average(_squared_rows(y, value, 0), weights=weight)))


def _mae(y: Array, value: Array, n_classes: int, weight: Array | None) -> float:
    return float(np.average(_absolute_rows(y, value, 0), weights=weight))


def _mape(y: Array, value: Array, n_classes: int, weight: Array | None) -> float:
    return float(np.average(_percent_rows(y, value, 0), weights=weight))


def _rmsle(y: Array, value: Array, n_classes: int, weight: Array | None) -> float:
    return float(np.sqrt(np.average(_log_rows(y, value, 0), weights=weight)))


def median(values: Array, weight: Array | None = None) -> float:
    """The median of (n,) values with (n,) weights: a whole weight is the value repeated so often."""
    if weight is None:
        return float(np.median(values))
    order = np.argsort(values)
    mass = np.cumsum(weight[order])
    half = mass[-1] / 2
    low = values[order][np.searchsorted(mass, half, "left")]
    high = values[order][min(np.searchsorted(mass, half, "right"), len(values) - 1)]
    return float((low + high) / 2)


def _median_ae(y: Array, value: Array, n_classes: int, weight: Array | None) -> float:
    return median(_absolute_rows(y, value, 0), weight)


def _r2(y: Array, value: Array, n_classes: int, weight: Array | None) -> float:
    """``1 - sum e^2 / sum (y - mean)^2``; for a constant target 1 if every prediction is right, else 0."""
    error = float(np.average(_squared_rows(y, value, 0), weights=weight))
    spread = float(np.average(np.square(y - np.average(y, weights=weight)), weights=weight))
    if spread == 0:
        return 1.0 if error == 0 else 0.0
    return 1 - error / spread


def _r2_influence(y: Array, value: Array, n_classes: int, weight: Array | None) -> Array:
    """Delta method on A / B with A = mean e^2 and B = var y."""
    squared = _squared_rows(y, value, 0)
    spread = np.square(y - np.average(y, weights=weight))
    a, b = np.average(squared, weights=weight), np.average(spread, weights=weight)
    if b == 0:
        return np.zeros(len(y))
    phi = -(squared - a) / b + a / b**2 * (spread - b)
    return np.asarray(phi if weight is None else phi * weight / weight.mean())


rmse = Metric(
    "rmse", "RMSE", Task.REGRESSION, False,
    "Root mean squared error, in the units of the target; large errors count most.",
    0.0, "value", _rmse, aliases=("root_mean_squared_error",), rows=_squared_rows, root=True,
)  # fmt: skip
mae = Metric(
    "mae", "MAE", Task.REGRESSION, False,
    "Mean absolute error: how far off a prediction is on average, in the units of the target.",
    0.0, "value", _mae, aliases=("mean_absolute_error",), rows=_absolute_rows,
)  # fmt: skip
median_ae = Metric(
    "median_ae", "Median error", Task.REGRESSION, False,
    "Median absolute error: half of the predictions are closer than this, in the units of the target.",
    0.0, "value", _median_ae, aliases=("medae", "median_absolute_error"),
)  # fmt: skip
r2 = Metric(
    "r2", "R²", Task.REGRESSION, True,
    "The share of the target's variance that is explained: 1 is perfect, 0 is always answering the mean.",
    1.0, "value", _r2, aliases=("r_squared", "r2_score"), influence=_r2_influence,
)  # fmt: skip
mape = Metric(
    "mape", "MAPE", Task.REGRESSION, False,
    "Mean absolute percentage error: how far off on average, as a share of the true value.",
    0.0, "value", _mape, aliases=("mean_absolute_percentage_error",), rows=_percent_rows,
)  # fmt: skip
rmsle = Metric(
    "rmsle", "RMSLE", Task.REGRESSION, False,
    "Root mean squared error of the logarithms: errors count by ratio. For targets that are never negative.",
    0.0, "value", _rmsle, aliases=("root_mean_squared_log_error",), rows=_log_rows, root=True,
)  # fmt: skip
