"""The pinball loss of quantiles. Notation: n rows, Q levels tau, q (n, Q) predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.records import Task

Array = NDArray[Any]


def _pinball_rows(y: Array, value: Array, n_classes: int, levels: Sequence[float] = ()) -> Array:
    """(n,) ``max(tau (y - q), (tau - 1) (y - q))``, the mean over the levels (Koenker and Bassett 1978).

    Without levels a single column is the median.

    Raises:
        ValueError: If there is not one column a level.
    """
    q = np.asarray(value, dtype=np.float64).reshape(len(y), -1)
    width = q.shape[1]
    tau = np.asarray(levels if len(levels) else (0.5,))
    if len(tau) != width:
        raise ValueError(f"predictions must have one column a level ({len(tau)}), but got {width}")
    error = np.asarray(y, dtype=np.float64)[:, None] - q
    return np.asarray(np.maximum(tau * error, (tau - 1) * error).mean(axis=1))


def _pinball(y: Array, value: Array, n_classes: int, weight: Array | None, levels: Sequence[float] = ()) -> float:
    return float(np.average(_pinball_rows(y, value, 0, levels), weights=weight))


def _at(levels: tuple[float, ...]) -> Metric:
    """The loss of quantiles at these levels, ascending."""
    return replace(
        pinball,
        key=f"{pinball.key}@{','.join(repr(level) for level in levels)}",
        function=partial(_pinball, levels=levels),
        rows=partial(_pinball_rows, levels=levels),
        levels=levels,
        at_levels=None,
    )


pinball = Metric(
    "pinball", "Pinball loss", Task.REGRESSION, False,
    "The price of a wrong quantile, in the units of the target: an error on the rare side of it costs more. For the "
    "median it is half the mean absolute error.",
    0.0, "value", _pinball, aliases=("quantile_loss", "mean_pinball_loss"), rows=_pinball_rows, at_levels=_at,
)  # fmt: skip
