"""The measure by which models are compared."""

from __future__ import annotations

from autodl.errors import ConfigError, did_you_mean
from autodl.evaluate.base import Metric, metrics
from autodl.planning.facts import Facts
from autodl.records import Decision, Task


def choose_metric(facts: Facts) -> tuple[Metric, Decision]:
    """The metric asked for, or the usual one for the task.

    Raises:
        ConfigError: If the metric asked for does not exist or does not fit the task.
    """
    asked = facts.options.metric
    if asked is not None:
        metric = find_metric(asked)
        _check_fit(metric, facts)
        return metric, Decision(topic="Metric", choice=metric.name, why=f"You asked for it. {metric.summary}")
    n_classes = facts.profile.n_classes
    if facts.task is Task.REGRESSION:
        key, why = "rmse", "The usual measure for numbers."
    elif n_classes == 2:
        key = "roc_auc"
        why = "It judges how well the two classes are told apart, whatever their sizes and the threshold."
    else:
        key = "log_loss"
        why = f"With {n_classes} classes it judges the probability given to the right one."
    metric = metrics[key]
    return metric, Decision(topic="Metric", choice=metric.name, why=f"{why} {metric.summary}")


def find_metric(name: str) -> Metric:
    """A metric by key, name or alias; capitals, spaces and hyphens aside.

    Raises:
        ConfigError: Naming the nearest.
    """
    wanted = _folded(name)
    names = {_folded(n): m for m in metrics.values() for n in (*m.aliases, m.name, m.key)}
    if wanted in names:
        return names[wanted]
    raise ConfigError(f"unknown metric '{name}'", did_you_mean(wanted, sorted(metrics)))


def _folded(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_").removeprefix("neg_")


def _check_fit(metric: Metric, facts: Facts) -> None:
    target = facts.profile.target
    if metric.task is not facts.task:
        fit = sorted(k for k, m in metrics.items() if m.task is facts.task)
        raise ConfigError(
            f"the metric '{metric.key}' is for {metric.task.value}, but '{target.name}' is for {facts.task.value}",
            f"Choose one of {', '.join(fit)}, or pass --task {metric.task.value}.",
        )
    if metric.binary_only and facts.profile.n_classes > 2:
        fit = sorted(k for k, m in metrics.items() if m.task is facts.task and not m.binary_only)
        raise ConfigError(
            f"the metric '{metric.key}' is for two classes, but '{target.name}' has {facts.profile.n_classes}",
            f"Choose one of {', '.join(fit)}.",
        )
