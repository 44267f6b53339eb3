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
    """The metric of this key, name or alias; the default one for None.

    Args:
        name: Case, ``-``, blanks and a leading ``neg_`` (scikit-learn's) do not matter.
        task: Classification or regression.
        n_classes: K; 0 for regression.

    Raises:
        ConfigError: If no metric has this name, or it cannot score this task.
    """
    if name is None:
        return default_metric(task, n_classes)
    wanted, by_name = _folded(name), _by_name()
    usable = fitting(task, n_classes)
    if wanted not in by_name:
        hints = (did_you_mean(wanted, n) for n in ([n for n, m in by_name.items() if m.key in usable], [*by_name]))
        hint = next((f"{h} " for h in hints if h.startswith("Did")), "")
        raise ConfigError(f"unknown metric '{name}'", f"{hint}Metrics for {task}: {', '.join(usable)}.")
    metric = by_name[wanted]
    if metric.key not in usable:
        choose = f"Use one of: {', '.join(usable)}"
        if metric.task is not task:
            what = f"the metric '{metric.key}' is for {metric.task}, not for {task}"
            raise ConfigError(what, f"{choose}; or pass --task {metric.task}.")
        raise ConfigError(f"the metric '{metric.key}' is for two classes only", f"{choose}.")
    return metric


def check_metric(name: str) -> None:
    """Whether any task has a metric of this name; the data need not be known for that.

    Raises:
        ConfigError: If not, with the nearest.
    """
    known = _by_name()
    if _folded(name) not in known:
        near = did_you_mean(_folded(name), known)
        raise ConfigError(
            f"unknown metric '{name}'", near if near.startswith("Did") else f"Known: {', '.join(metrics)}."
        )


def _by_name() -> dict[str, Metric]:
    return {_folded(n): m for m in metrics.values() for n in (*m.aliases, m.name, m.key)}


def _folded(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_").removeprefix("neg_")


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
