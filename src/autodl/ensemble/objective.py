"""The loss of many blends at once, the inner loop of greedy selection.

Notation: m candidates, n rows, K classes, P (m, n[, K]) predictions, S the sum of the members chosen so far, t their
number. ``losses(S, t)`` is the loss of ``(S + P_j) / (t + 1)`` for each candidate j.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric, metrics

Array = NDArray[Any]
SMOOTH = 0.1
"""Share of the log loss where labels are judged.

Labels come in whole errors: on some hundred rows most blends tie, and the first of them is the luckiest. The log loss
tells them apart; figures are in ``benchmarks/LOG.md``.
"""


class BlendLoss(ABC):
    """Args of all: ``predictions`` (m, n) or (m, n, K); ``y`` (n,)."""

    gain: ClassVar[float] = 1e-5
    """Least relative improvement for another pick."""

    def __init__(self, predictions: Array, y: Array) -> None:
        self.predictions, self.y = predictions, y

    @abstractmethod
    def losses(self, total: Array, size: int) -> Array:
        """(m,) losses of adding each candidate.

        Args:
            total: Sum of the chosen predictions, of the shape of one candidate.
            size: Number of chosen predictions.
        """


class MetricLoss(BlendLoss):
    """Any metric, one candidate after the other."""

    def __init__(
        self, predictions: Array, y: Array, metric: Metric, n_classes: int, weight: Array | None = None
    ) -> None:
        super().__init__(predictions, y)
        self._metric, self._n_classes, self._weight = metric, n_classes, weight

    def losses(self, total: Array, size: int) -> Array:
        """(m,) losses of adding each candidate."""
        return np.array(
            [
                self._metric.loss(self.y, (total + p) / (size + 1), self._n_classes, self._weight)
                for p in self.predictions
            ]
        )


class QuadraticLoss(BlendLoss):
    """Mean squared error: only the inner products of the errors matter, whatever the number of rows."""

    def __init__(self, predictions: Array, y: Array, weight: Array | None = None) -> None:
        super().__init__(predictions, y)
        share = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
        self._share = share / share.sum()
        self._errors = (predictions.astype(np.float64) - y).reshape(len(predictions), -1)
        self._own = np.square(self._errors) @ self._share

    def losses(self, total: Array, size: int) -> Array:
        """(m,) mean squared errors."""
        so_far = (total - size * self.y).ravel()
        weighted = self._share * so_far
        return np.asarray((so_far @ weighted + 2 * (self._errors @ weighted) + self._own) / (size + 1) ** 2)


class LogLoss(BlendLoss):
    """Log loss: only the probability of the true class matters."""

    def __init__(self, predictions: Array, y: Array, weight: Array | None = None) -> None:
        rows = np.arange(len(y))
        super().__init__(np.ascontiguousarray(predictions[:, rows, y.astype(np.int64)]), y)
        self._share = None if weight is None else np.asarray(weight, dtype=np.float64) / np.sum(weight)

    def losses(self, total: Array, size: int) -> Array:
        """(m,) log losses; ``total`` is the (n,) summed probability of the true class."""
        p = (total + self.predictions) / (size + 1)
        rows = -np.log(np.clip(p, 1.2e-7, 1.0))
        return np.asarray(rows.mean(axis=1) if self._share is None else rows @ self._share)


class LabelLoss(BlendLoss):
    """The share of errors, and a little of the log loss.

    Args:
        errors: The share. log_loss: Of the same predictions.
    """

    gain = 1e-4
    """The log loss improves a little with nearly every pick."""

    def __init__(self, errors: MetricLoss, log_loss: LogLoss) -> None:
        super().__init__(errors.predictions, errors.y)
        self._errors, self._log_loss = errors, log_loss
        self._true = np.arange(len(errors.y)), np.asarray(errors.y, dtype=np.int64)

    def losses(self, total: Array, size: int) -> Array:
        """(m,) losses, ``SMOOTH`` times the log loss included."""
        return self._errors.losses(total, size) + SMOOTH * self._log_loss.losses(total[self._true], size)


class BinaryAucLoss(BlendLoss):
    """``1 - AUC`` for two classes from the positives' ranks, with one integer sort per candidate.

    The label is stored in the last bit of the float's pattern, so that a plain sort carries it along; scores that
    differ by less than that bit count as ties broken against the model.
    """

    def __init__(self, predictions: Array, y: Array) -> None:
        super().__init__(np.ascontiguousarray(predictions[:, :, 1], dtype=np.float32), y)
        self._negative = (y != 1).astype(np.int32)

    def losses(self, total: Array, size: int) -> Array:
        """(m,) losses; ``total`` is the (n,) summed probability of class 1."""
        n, n_negative = len(self.y), int(self._negative.sum())
        n_positive = n - n_negative
        if not n_positive or not n_negative:
            return np.full(len(self.predictions), 0.5)
        # Sums rank like means, and non-negative floats sort like their bit patterns.
        blend = np.maximum(self.predictions + total.astype(np.float32), 0)
        keys = (blend.view(np.int32) & ~1) | self._negative
        keys.sort(axis=1)
        ranks = ((keys & 1) == 0).astype(np.float64) @ np.arange(1.0, n + 1)
        auc = (ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
        return np.asarray(1 - auc)


def blend_loss(
    metric: Metric, predictions: Array, y: Array, n_classes: int, weight: Array | None = None
) -> BlendLoss:
    """The quickest objective with the same order as the metric; of labels, with a little of the log loss.

    The AUC of more than two classes sorts every class for every candidate, so the log loss stands in for it while
    members are chosen.

    Args:
        metric: To be optimized.
        predictions: (m, n) or (m, n, K). y: (n,). n_classes: K; 0 for regression.
        weight: (n,) weights of the rows; all alike if None.
    """
    if metric.key in ("rmse", "r2") and predictions.ndim == 2:
        return QuadraticLoss(predictions, y, weight)
    if metric.key == "log_loss" or (metric.key == "roc_auc" and n_classes > 2):
        return LogLoss(predictions, y, weight)
    if metric.key == "roc_auc" and weight is None:
        return BinaryAucLoss(predictions, y)
    by_metric = MetricLoss(predictions, y, metric, n_classes, weight)
    return LabelLoss(by_metric, LogLoss(predictions, y, weight)) if smoothed(metric) else by_metric


def smoothed(metric: Metric) -> bool:
    """Whether members are chosen with a little of the log loss: shares of errors only, whose scale is known."""
    return metric.key == "accuracy"


def picking_loss(metric: Metric, prediction: Array, y: Array, n_classes: int, weight: Array | None = None) -> float:
    """Loss of one (n, K) or (n,) blend by which members are chosen; other arguments as of ``blend_loss``."""
    loss = metric.loss(y, prediction, n_classes, weight)
    if smoothed(metric):
        loss += SMOOTH * metrics["log_loss"].loss(y, prediction, n_classes, weight)
    return loss
