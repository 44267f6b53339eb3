"""Classes that have an order: said where it is seen, used where the metric counts how far an answer is off."""

from __future__ import annotations

from collections.abc import Sequence

from autodl.evaluate.base import Metric
from autodl.planning.facts import Facts
from autodl.records import Decision, TargetInfo

FEWEST_LEVELS = 3
MOST_NAMED = 6


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
    by_number = ordered_levels(target)
    kind = "in the order of the numbers" if by_number else "in the order of the alphabet"
    why = (
        f"{metric.name} counts how many levels an answer is off, so the {k} classes, {listed}, are taken {kind}. "
        "Where validation shows that it helps, the answer is the expected level with cuts between the levels, not "
        "the most probable class."
    )
    choice = f"{k} ordered levels" if by_number else f"{_chain(target.classes)}, taken from the alphabet"
    return [Decision(topic="Order of the classes", choice=choice, why=why, evidence=evidence)]


def alphabet_warning(target: TargetInfo, metric: Metric) -> str:
    """A word of care where the metric counts on an order that only the alphabet gives; empty otherwise."""
    if not metric.ordered or len(target.classes) < FEWEST_LEVELS or ordered_levels(target):
        return ""
    return (
        f"{metric.name} counts how far an answer is off, and the order {_chain(target.classes)} is taken from the "
        "alphabet. If that is not their order, name the classes so that it is (1 low, 2 middle, ...), or choose "
        "another --metric."
    )


def _chain(classes: Sequence[str]) -> str:
    shown = classes if len(classes) <= MOST_NAMED else (*classes[: MOST_NAMED - 1], "...", classes[-1])
    return " < ".join(shown)


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
