"""From the members' predictions to one: what a delivered model does, and what every judgement of it looks at.

Notation: m members, n rows, K classes, w (m,) weights that sum to 1. The logarithmic pool is the normalized weighted
geometric mean (Genest and Zidek 1986, "Combining probability distributions").
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autodl.ensemble.calibration import calibrated

if TYPE_CHECKING:
    from autodl.records import Calibration
    from autodl.records.ensemble import Pooling

Array = NDArray[Any]
LEAST = 1e-4
"""Smallest probability whose logarithm is taken: one model that is sure and wrong must not outvote all others."""


def pooled(
    parts: Iterable[tuple[float, Array]], pooling: Pooling = "mean", calibration: Calibration | None = None
) -> Array:
    """One prediction from those of the members, as float64.

    Args:
        parts: Weight and (n, K) probabilities or (n,) values of each member; looked at once, one after the other.
        pooling: ``log`` for probabilities only.
        calibration: Applied at the end.

    Raises:
        ValueError: If there are no parts, or their weights are all 0.
    """
    total: Array | None = None
    weights = 0.0
    for weight, prediction in parts:
        values = np.asarray(prediction, dtype=np.float64)
        values = (log_probabilities(values) if pooling == "log" else values) * weight
        total = values if total is None else total + values
        weights += weight
    if total is None or not weights > 0:
        raise ValueError("no predictions to combine")
    blend = total / weights
    if pooling == "log":
        blend = softmax(blend)
    return blend if calibration is None else calibrated(calibration, blend)


def log_probabilities(p: Array) -> Array:
    """Logarithms of (..., K) probabilities, none below ``LEAST``."""
    return np.asarray(np.log(np.maximum(p, LEAST)))


def softmax(z: Array) -> Array:
    """(..., K) probabilities from log-probabilities up to a constant for each row."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))
