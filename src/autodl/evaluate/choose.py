"""Which metric to optimize and which to show."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.errors import ConfigError, did_you_mean
from autodl.evaluate.base import Metric, metrics
from autodl.records import Task

_SHOWN = {
    Task.CLASSIFICATION: (
        "accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "brier", "mcc",
    ),
    Task.REGRESSION: ("rmse", "mae", "median_ae", "r2", "mape"),
}  # fmt: skip


def default_metric(task: Task, n_classes: int = 0) -> Metric:
    """ROC AUC for two classes, log loss for more, RMSE for numbers."""
    if task is Task.REGRESSION:
        return metrics["rmse"]
    return metrics["roc_auc" if n_classes <= 2 else "log_loss"]


def fitting(task: Task, n_classes: int = 0) -> list[str]:
    """Keys of the metrics that can score this task."""
    return [k for k, m in metrics.items() if m.task is task and (n_classes <= 2 or not m.binary_only)]


def resolve_metric(name: str | None, task: Task, n_classes: int = 0) -> Metric:
    """The metric of this name or alias; the default one for None.

    Args:
        name: Case, ``-`` and blanks do not matter.
        task: Classification or regression.
        n_classes: K; 0 for regression.

    Raises:
        ConfigError: If no metric has this name, or it cannot score this task.
    """
    if name is None:
        return default_metric(task, n_classes)
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    by_name = {n: m for m in metrics.values() for n in (m.key, *m.aliases)}
    usable = fitting(task, n_classes)
    if wanted not in by_name:
        hint = did_you_mean(wanted, [n for n, m in by_name.items() if m.key in usable])
        known = f"Metrics for {task}: {', '.join(usable)}."
        raise ConfigError(f"unknown metric '{name}'", f"{hint} {known}" if hint.startswith("Did") else known)
    metric = by_name[wanted]
    if metric.key not in usable:
        why = f"is for {metric.task}, not for {task}" if metric.task is not task else "is for two classes only"
        raise ConfigError(f"the metric '{metric.key}' {why}", f"Use one of: {', '.join(usable)}.")
    return metric


def metrics_for(task: Task, n_classes: int = 0, y: NDArray[Any] | None = None) -> list[Metric]:
    """The metrics to show.

    Args:
        task: Classification or regression.
        n_classes: K; 0 for regression.
        y: (n,) targets; the percentage error is left out where some lie near 0, because it explodes there.
    """
    keys = list(_SHOWN[task])
    if task is Task.REGRESSION and y is not None and len(y):
        size = np.abs(np.asarray(y, dtype=np.float64))
        if size.min() <= 0.01 * float(np.median(size)):
            keys.remove("mape")
    return [metrics[k] for k in keys if n_classes <= 2 or not metrics[k].binary_only]
