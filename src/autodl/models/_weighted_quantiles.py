"""Quantiles of weighted values. Notation: m values with weights, along the last axis; Q levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def weighted_quantiles(values: NDArray[Any], weights: NDArray[Any], levels: Sequence[float]) -> NDArray[np.float64]:
    """(..., Q) quantiles of (..., m) values with (..., m) non-negative weights, of which one is positive.

    Each value stands in the middle of its weight, and between values lie straight lines (Hazen's rule): with equal
    weights as ``numpy.quantile(..., method="hazen")``.
    """
    order = np.argsort(values, axis=-1)
    x = np.take_along_axis(np.asarray(values, dtype=np.float64), order, axis=-1)
    w = np.take_along_axis(np.asarray(weights, dtype=np.float64), order, axis=-1)
    above = np.cumsum(w, axis=-1)
    place = (above - w / 2) / above[..., -1:]
    out = np.empty((*x.shape[:-1], len(levels)))
    last = x.shape[-1] - 1
    for j, level in enumerate(levels):
        right = (place < level).sum(axis=-1, keepdims=True)
        low, high = np.clip(right - 1, 0, last), np.clip(right, 0, last)
        start, end = (np.take_along_axis(place, k, axis=-1) for k in (low, high))
        share = np.clip((level - start) / np.maximum(end - start, np.finfo(float).tiny), 0.0, 1.0)
        left, upper = (np.take_along_axis(x, k, axis=-1) for k in (low, high))
        out[..., j] = (left + share * (upper - left))[..., 0]
    return out
