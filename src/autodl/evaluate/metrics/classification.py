"""Classification metrics in plain numpy; the search calls them hundreds of times.

Notation: n rows, K classes, C the (..., K, K) confusion matrix with true classes as rows.
Two classes: the positive class is the last one (code 1). More: the mean over classes ("macro").
Conventions where a score is undefined: a ratio with an empty denominator is 0; classes absent from the targets do
not count in balanced accuracy and ROC AUC; ROC AUC is 0.5 when only one class is present.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.ranks import auc_influence, roc_auc_score
from autodl.records import Task

Array = NDArray[Any]


def confusion(y: Array, label: Array, n_classes: int, weight: Array | None = None) -> Array:
    """(K, K) weighted counts; rows are true classes, columns predicted ones."""
    k = max(n_classes, 2)
    flat = np.bincount(y.astype(np.int64) * k + label.astype(np.int64), weights=weight, minlength=k * k)
    return flat.reshape(k, k).astype(np.float64)


def _ratio(top: Array, bottom: Array) -> Array:
    """``top / bottom``, 0 where the denominator is 0."""
    out = np.zeros(np.broadcast_shapes(top.shape, bottom.shape))
    np.divide(top, bottom, out=out, where=bottom > 0)
    return out


def _parts(C: Array) -> tuple[Array, Array, Array]:
    """(..., K) hits, true counts and predicted counts."""
    return np.diagonal(C, axis1=-2, axis2=-1), C.sum(axis=-1), C.sum(axis=-2)


def _macro(value: Array, C: Array) -> Array:
    """The positive class for K = 2, else the mean over the classes that occur among targets or predictions."""
    return np.asarray(value[..., 1]) if C.shape[-1] == 2 else _mean_of_classes(value, C)


def _mean_of_classes(value: Array, C: Array) -> Array:
    """Of the classes that occur among targets or predictions."""
    seen = (C.sum(axis=-1) + C.sum(axis=-2)) > 0
    return _ratio((value * seen).sum(axis=-1), seen.sum(axis=-1).astype(float))


def _accuracy(C: Array) -> Array:
    return _ratio(_parts(C)[0].sum(axis=-1), C.sum(axis=(-2, -1)))


def _balanced_accuracy(C: Array) -> Array:
    hits, true, _ = _parts(C)
    present = true > 0
    return _ratio((_ratio(hits, true) * present).sum(axis=-1), present.sum(axis=-1).astype(float))


def _precision(C: Array) -> Array:
    hits, _, predicted = _parts(C)
    return _macro(_ratio(hits, predicted), C)


def _precision_macro(C: Array) -> Array:
    hits, _, predicted = _parts(C)
    return _mean_of_classes(_ratio(hits, predicted), C)


def _recall(C: Array) -> Array:
    hits, true, _ = _parts(C)
    return _macro(_ratio(hits, true), C)


def _f1(C: Array) -> Array:
    hits, true, predicted = _parts(C)
    return _macro(_ratio(2 * hits, true + predicted), C)


def _f1_macro(C: Array) -> Array:
    hits, true, predicted = _parts(C)
    return _mean_of_classes(_ratio(2 * hits, true + predicted), C)


def _f1_weighted(C: Array) -> Array:
    hits, true, predicted = _parts(C)
    return _ratio((true * _ratio(2 * hits, true + predicted)).sum(axis=-1), true.sum(axis=-1))


def _mcc(C: Array) -> Array:
    """Gorodkin 2004, R_K; Matthews' coefficient for K = 2."""
    hits, true, predicted = _parts(C)
    total = C.sum(axis=(-2, -1))
    top = hits.sum(axis=-1) * total - (true * predicted).sum(axis=-1)
    left = np.maximum(total**2 - (predicted**2).sum(axis=-1), 0)
    right = np.maximum(total**2 - (true**2).sum(axis=-1), 0)
    bottom = np.sqrt(left * right)
    out = np.zeros(top.shape)
    np.divide(top, bottom, out=out, where=bottom > 1e-12)
    return out


def _of_counts(counts: Callable[[Array], Array]) -> Callable[[Array, Array, int, Array | None], float]:
    def function(y: Array, label: Array, n_classes: int, weight: Array | None) -> float:
        return float(counts(confusion(y, label, n_classes, weight)))

    return function


def _of_rows(
    rows: Callable[[Array, Array, int], Array],
) -> Callable[[Array, Array, int, Array | None], float]:
    def function(y: Array, prediction: Array, n_classes: int, weight: Array | None) -> float:
        return float(np.average(rows(y, prediction, n_classes), weights=weight))

    return function


def _hit_rows(y: Array, label: Array, n_classes: int) -> Array:
    return np.asarray(y == label, dtype=np.float64)


def _log_loss_rows(y: Array, proba: Array, n_classes: int) -> Array:
    """``-log p(true class)``; p is clipped to the precision of its type, and rows are scaled to sum to 1."""
    eps = float(np.finfo(proba.dtype if proba.dtype.kind == "f" else np.float64).eps)
    total = proba.sum(axis=1, dtype=np.float64)
    chosen = proba[np.arange(len(y)), y.astype(np.int64)].astype(np.float64)
    p = np.divide(chosen, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(-np.log(np.clip(p, eps, 1 - eps)))


def _brier_rows(y: Array, proba: Array, n_classes: int) -> Array:
    """Brier 1950: ``sum_k (p_k - [y = k])^2``, halved for two classes, where it is ``(p_1 - y)^2``."""
    p = proba.astype(np.float64)
    chosen = p[np.arange(len(y)), y.astype(np.int64)]
    total = (p * p).sum(axis=1) - 2 * chosen + 1
    return np.asarray(total / 2 if proba.shape[1] == 2 else total)


_CLASSES = "For two classes it speaks of the last one; for more it is the mean over classes."

accuracy = Metric(
    "accuracy", "Accuracy", Task.CLASSIFICATION, True,
    "The share of rows that are classified correctly.",
    1.0, "label", _of_counts(_accuracy), aliases=("acc", "f1_micro"), worst=0.0, rows=_hit_rows, counts=_accuracy,
)  # fmt: skip
balanced_accuracy = Metric(
    "balanced_accuracy", "Balanced accuracy", Task.CLASSIFICATION, True,
    "The share of correct answers in each class, averaged, so that rare classes count as much as common ones.",
    1.0, "label", _of_counts(_balanced_accuracy), aliases=("bacc", "bal_acc", "recall_macro"), worst=0.0,
    counts=_balanced_accuracy,
)  # fmt: skip
precision = Metric(
    "precision", "Precision", Task.CLASSIFICATION, True,
    f"Of the rows said to be in a class, the share that truly are. {_CLASSES}",
    1.0, "label", _of_counts(_precision), worst=0.0, counts=_precision,
)  # fmt: skip
precision_macro = Metric(
    "precision_macro", "Macro precision", Task.CLASSIFICATION, True,
    "The precision of each class, averaged, also for two classes.",
    1.0, "label", _of_counts(_precision_macro), worst=0.0, counts=_precision_macro,
)  # fmt: skip
recall = Metric(
    "recall", "Recall", Task.CLASSIFICATION, True,
    f"Of the rows truly in a class, the share that is found. {_CLASSES}",
    1.0, "label", _of_counts(_recall), aliases=("sensitivity", "tpr"), worst=0.0, counts=_recall,
)  # fmt: skip
f1 = Metric(
    "f1", "F1", Task.CLASSIFICATION, True,
    f"The harmonic mean of precision and recall. {_CLASSES}",
    1.0, "label", _of_counts(_f1), aliases=("f1_score",), worst=0.0, counts=_f1,
)  # fmt: skip
f1_macro = Metric(
    "f1_macro", "Macro F1", Task.CLASSIFICATION, True,
    "The F1 of each class, averaged, also for two classes.",
    1.0, "label", _of_counts(_f1_macro), worst=0.0, counts=_f1_macro,
)  # fmt: skip
f1_weighted = Metric(
    "f1_weighted", "Weighted F1", Task.CLASSIFICATION, True,
    "The F1 of each class, averaged by how many rows the class has.",
    1.0, "label", _of_counts(_f1_weighted), worst=0.0, counts=_f1_weighted,
)  # fmt: skip
mcc = Metric(
    "mcc", "Matthews correlation", Task.CLASSIFICATION, True,
    "Correlation of predicted and true classes: 1 is perfect, 0 is guessing; fair to rare classes.",
    1.0, "label", _of_counts(_mcc), aliases=("matthews_corrcoef", "matthews"), worst=-1.0, counts=_mcc,
)  # fmt: skip
roc_auc = Metric(
    "roc_auc", "ROC AUC", Task.CLASSIFICATION, True,
    "How often a row of the class gets a higher probability for it than a row of another class: 0.5 is guessing, "
    "1 is perfect. For more than two classes it is the mean over classes, each against the rest.",
    1.0, "proba", roc_auc_score, aliases=("auc", "auroc", "rocauc", "roc_auc_ovr"), worst=0.0,
    influence=auc_influence,
)  # fmt: skip
log_loss = Metric(
    "log_loss", "Log loss", Task.CLASSIFICATION, False,
    "How surprised the probabilities are by the truth: 0 is perfect; confident mistakes cost most.",
    0.0, "proba", _of_rows(_log_loss_rows), aliases=("logloss", "cross_entropy", "nll"), rows=_log_loss_rows,
)  # fmt: skip
brier = Metric(
    "brier", "Brier score", Task.CLASSIFICATION, False,
    "Mean squared error of the probabilities: 0 is perfect.",
    0.0, "proba", _of_rows(_brier_rows), aliases=("brier_score", "brier_score_loss"), rows=_brier_rows,
)  # fmt: skip
