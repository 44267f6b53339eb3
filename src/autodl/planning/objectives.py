"""Which losses with a logarithmic link are offered beside squared errors, for counts and for long-tailed amounts.

Their means are never negative and act by factors: ten visits more matter to one who comes twice, not to one who comes
a hundred times. References: McCullagh and Nelder 1989, ch. 6 (Poisson) and 8 (gamma); Jorgensen 1987 (Tweedie).
"""

from __future__ import annotations

from autodl.evaluate.base import Metric
from autodl.models.base import ABSOLUTE_METRICS
from autodl.planning.facts import Facts
from autodl.planning.preparation import by_logarithms
from autodl.records import Decision, NumericStats, Task

LONG_TAIL = 1.0
"""Skewness from which on an amount that is never negative has a long tail."""
_WORDS = {"poisson": "Poisson", "tweedie": "Tweedie", "gamma": "gamma"}


def offered(facts: Facts, metric: Metric) -> tuple[str, ...]:
    """Names of the losses, as the families' parameter ``objective`` has them; empty where none fits the target.

    Args:
        facts: Of the table. metric: What is optimized: one of quantiles or medians asks for no mean.
    """
    stats = facts.profile.target.numeric
    if facts.task is not Task.REGRESSION or stats is None or stats.minimum < 0 or stats.maximum <= 0:
        return ()
    if metric.levels or metric.key in ABSOLUTE_METRICS or by_logarithms(facts, metric):
        return ()
    if not (_counts(stats) or stats.skew > LONG_TAIL):
        return ()
    return ("poisson", "tweedie", "gamma") if stats.minimum > 0 else ("poisson", "tweedie")


def _counts(stats: NumericStats) -> bool:
    """Whole numbers from 0 on that spread at least as much as counts of independent events."""
    return stats.integers and stats.std**2 >= stats.mean


def decide_objectives(facts: Facts, metric: Metric) -> list[Decision]:
    """The choice in words, where there is one."""
    names, stats = offered(facts, metric), facts.profile.target.numeric
    if not names or stats is None:
        return []
    if _counts(stats):
        ratio = stats.std**2 / stats.mean
        why = (
            f"The target holds whole numbers, never negative, that spread at least as much as counts do (variance "
            f"{ratio:.3g} times the mean)."
        )
    else:
        why = f"The target is never negative and has a long tail (skewness {stats.skew:.1f})."
    listed = ", ".join(_WORDS[n] for n in names)
    return [
        Decision(
            topic="Loss of the models",
            choice=f"squared errors, and for some models {listed}",
            why=f"{why} Models of such a loss act by factors and never answer less than 0; {metric.name} in "
            "validation decides whether they are used.",
            evidence={"variance_over_mean": round(stats.std**2 / stats.mean, 3), "skew": round(stats.skew, 3)},
        )
    ]
