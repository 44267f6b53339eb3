"""Metrics of classes in an order, the order of their codes. C (..., K, K) confusion matrix, rows the true classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.metrics.classification import confusion
from autodl.records import Task

Array = NDArray[Any]


def _gaps(k: int) -> Array:
    """(K, K) how many levels two classes are apart."""
    place = np.arange(k)
    return np.abs(place[:, None] - place[None, :]).astype(np.float64)


def _kappa(C: Array) -> Array:
    """``1 - sum W O / sum W E`` with squared gaps W, counts O and those E of independent answers (Cohen 1968).

    0 where the answers or the targets are all one class, so that nothing is expected to be off.
    """
    weight = _gaps(C.shape[-1]) ** 2
    total = C.sum(axis=(-2, -1))
    off = (weight * C).sum(axis=(-2, -1))
    expected = np.einsum("...i,ij,...j->...", C.sum(axis=-1), weight, C.sum(axis=-2))
    share = np.ones(np.shape(off))
    np.divide(off * total, expected, out=share, where=expected > 0)
    return 1.0 - share


def _level_error(C: Array) -> Array:
    total = C.sum(axis=(-2, -1))
    off = (_gaps(C.shape[-1]) * C).sum(axis=(-2, -1))
    out = np.zeros(np.shape(off))
    np.divide(off, total, out=out, where=total > 0)
    return out


def _qwk(y: Array, label: Array, n_classes: int, weight: Array | None) -> float:
    return float(_kappa(confusion(y, label, n_classes, weight)))


def _level_mae(y: Array, label: Array, n_classes: int, weight: Array | None) -> float:
    return float(_level_error(confusion(y, label, n_classes, weight)))


qwk = Metric(
    "qwk", "Quadratic weighted kappa", Task.CLASSIFICATION, True,
    "Agreement of classes that have an order, such as stars: being two levels off counts four times as much as one. "
    "1 is perfect, 0 is guessing.",
    1.0, "label", _qwk, aliases=("quadratic_weighted_kappa", "quadratic_kappa"), worst=-1.0, counts=_kappa,
    ordered=True,
)  # fmt: skip
level_mae = Metric(
    "level_mae", "Error in levels", Task.CLASSIFICATION, False,
    "How many levels an answer is off on average, for classes that have an order, such as stars.",
    0.0, "label", _level_mae, aliases=("ordinal_mae",), counts=_level_error, ordered=True,
)  # fmt: skip
