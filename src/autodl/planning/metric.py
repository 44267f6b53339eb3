"""The measure by which models are compared, and why it is this one."""

from __future__ import annotations

from autodl.errors import ConfigError
from autodl.evaluate import Metric, default_metric, resolve_metric
from autodl.evaluate.base import metrics
from autodl.planning.facts import Facts
from autodl.records import Decision, Task


def choose_metric(facts: Facts) -> tuple[Metric, Decision]:
    """The metric asked for, or the usual one for the task.

    Raises:
        ConfigError: If the metric asked for does not exist or does not fit the task.
    """
    asked, n_classes = facts.options.metric, facts.profile.n_classes
    if facts.options.quantiles:
        return _of_quantiles(facts.options.quantiles, asked, facts.task, n_classes)
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


def _of_quantiles(
    levels: tuple[float, ...], asked: str | None, task: Task, n_classes: int
) -> tuple[Metric, Decision]:
    if task is not Task.REGRESSION:
        raise ConfigError(
            "--quantiles needs a number to predict, but the target holds classes",
            "Leave it out, or pass --task regression if the classes are numbers that measure something.",
        )
    base = metrics["pinball"] if asked is None else resolve_metric(asked, task, n_classes)
    if base.at_levels is None:
        raise ConfigError(
            f"--metric {base.key} cannot judge quantiles",
            "Leave out --metric: quantiles are compared by their pinball loss.",
        )
    metric = base.at_levels(levels)
    why = f"You asked for the quantiles {', '.join(f'{level:g}' for level in levels)}. {metric.summary}"
    return metric, Decision(topic="Metric", choice=metric.name, why=why)
