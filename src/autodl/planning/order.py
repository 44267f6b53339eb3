"""Classes that have an order: said where it is seen, used where the metric counts how far an answer is off."""

from __future__ import annotations

from autodl.evaluate.base import Metric
from autodl.planning.facts import Facts
from autodl.records import Decision, TargetInfo

FEWEST_LEVELS = 3


def ordered_levels(target: TargetInfo) -> bool:
    """Whether all classes are numbers, which then stand in their order."""
    return len(target.classes) >= FEWEST_LEVELS and all(_is_number(name) for name in target.classes)


def decide_order(facts: Facts, metric: Metric) -> list[Decision]:
    """What is made of the order, if there is one or the metric counts on one."""
    target = facts.profile.target
    k = len(target.classes)
    if k < FEWEST_LEVELS or not (metric.ordered or ordered_levels(target)):
        return []
    listed = f"{target.classes[0]} to {target.classes[-1]}"
    evidence = {"levels": k}
    if not metric.ordered:
        why = (
            f"The {k} classes are numbers, {listed}, but {metric.name} counts a near miss like any other. "
            "Where near misses are better, pass --metric qwk, or --task regression."
        )
        return [Decision(topic="Order of the classes", choice="not used", why=why, evidence=evidence)]
    kind = "in the order of the numbers" if ordered_levels(target) else "in the order of their names"
    why = (
        f"{metric.name} counts how many levels an answer is off, so the {k} classes, {listed}, are taken {kind}. "
        "Where validation shows that it helps, the answer is the expected level with cuts between the levels, not "
        "the most probable class."
    )
    return [Decision(topic="Order of the classes", choice=f"{k} ordered levels", why=why, evidence=evidence)]


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
