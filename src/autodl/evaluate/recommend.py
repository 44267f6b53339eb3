"""Which model to use: the simplest one that the test rows cannot tell from the leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from autodl.evaluate.base import Metric
from autodl.evaluate.inputs import Candidate
from autodl.records import Comparison

KEEP = 0.9
"""Share of the leader's gain over the baseline that a simpler model must keep. A tie on few rows alone may only mean
that the rows are too few to tell, so it is not enough."""


def recommend(
    metric: Metric,
    y: NDArray[Any],
    candidates: Sequence[Candidate],
    leader: Candidate,
    baseline: Candidate,
    comparisons: Sequence[Comparison],
    n_classes: int = 0,
) -> tuple[str, str]:
    """The simplest model tied with the leader that keeps 90 % of its gain over the baseline, or the leader.

    Simpler means a lower family complexity. One as complex that answers in half the time, or less, will do as well;
    less would be the chance of a measurement.

    Args:
        metric: Of the comparisons.
        y: (n,) test targets.
        candidates: All models. leader, baseline: two of them.
        comparisons: Of the leader with each other model.
        n_classes: K; 0 for regression.

    Returns:
        Name and reason; no reason where nothing but the baseline was there to choose.
    """
    if leader.name == baseline.name:
        return leader.name, ""
    against = {c.b: c for c in comparisons}
    gain = against[baseline.name].difference if baseline.name in against else 0.0
    beaten = [c for c in comparisons if c.verdict == "worse"]
    if gain <= 0:
        return leader.name, (
            f"{leader.name} was chosen by validation, but on the test rows it is not ahead of {baseline.name}: "
            "do not rely on it yet."
        )
    simpler = [
        c
        for c in candidates
        if c.name not in (leader.name, baseline.name)
        and against[c.name].verdict == "tie"
        and against[c.name].difference <= (1 - KEEP) * gain
        and (c.complexity < leader.complexity or _quicker(c, leader))
        and (c.within_limits or not leader.within_limits)
    ]
    if simpler:
        chosen = min(simpler, key=lambda c: (*_cost(c), c.name))
        test = against[chosen.name]
        how = "simpler" if chosen.complexity < leader.complexity else "quicker"
        return chosen.name, (
            f"{chosen.name} is {how} than {leader.name} and, on {len(y):,} test rows, not distinguishable from it "
            f"({metric.name} differs by {abs(test.difference):.2g}, p = {test.p_holm:.2g} after Holm's correction)."
        )
    if beaten:
        return leader.name, (
            f"{leader.name} was chosen by validation; {beaten[0].b} did significantly better on the test rows, which "
            "is reported but not acted on: choosing by the test rows would spoil them."
        )
    return leader.name, f"{leader.name} was chosen by validation, and no simpler model does as well on the test rows."


def _quicker(c: Candidate, leader: Candidate) -> bool:
    """Whether a model as complex answers in half the time or less."""
    return c.complexity == leader.complexity and 0 < c.predict_ms_per_row <= leader.predict_ms_per_row / 2


def _cost(c: Candidate) -> tuple[int, float, int]:
    return c.complexity, c.predict_ms_per_row, c.size_bytes
