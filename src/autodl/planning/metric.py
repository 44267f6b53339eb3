"""The measure by which models are compared, and why it is this one."""

from __future__ import annotations

from autodl.evaluate import Metric, default_metric, resolve_metric
from autodl.planning.facts import Facts
from autodl.records import Decision, Task


def choose_metric(facts: Facts) -> tuple[Metric, Decision]:
    """The metric asked for, or the usual one for the task.

    Raises:
        ConfigError: If the metric asked for does not exist or does not fit the task.
    """
    asked, n_classes = facts.options.metric, facts.profile.n_classes
    if asked is not None:
        metric = resolve_metric(asked, facts.task, n_classes)
        return metric, Decision(topic="Metric", choice=metric.name, why=f"You asked for it. {metric.summary}")
    if facts.task is Task.REGRESSION:
        why = "The usual measure for numbers."
    elif n_classes == 2:
        why = "It judges how well the two classes are told apart, whatever their sizes and the threshold."
    else:
        why = f"With {n_classes} classes it judges the probability given to the right one."
    metric = default_metric(facts.task, n_classes)
    return metric, Decision(topic="Metric", choice=metric.name, why=f"{why} {metric.summary}")
