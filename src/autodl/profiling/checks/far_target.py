"""AD026: target values orders of magnitude away from all others."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, number
from autodl.records import Finding, Severity

MIN_ROWS = 20
FEW, FEW_SHARE = 3, 0.001
"""So many values, or this share of them, may be slips; more are a part of the data."""
TIMES = 100.0
"""Such a value is so many times farther from the median than the next one; long tails leave no such gap."""


class FarTarget(Check):
    """A gap between a few values of a numeric target and all others."""

    key = "far_target"
    code = "AD026"
    title = "Far-out target"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        if ctx.classification or ctx.n < MIN_ROWS:
            return self.not_applicable("Classes are predicted, or there are too few rows.")
        distance = np.abs(ctx.y - np.median(ctx.y))
        order = np.argsort(-distance)
        few = max(FEW, int(FEW_SHARE * ctx.n))
        ranked = distance[order[: few + 1]]
        gaps = np.flatnonzero((ranked[:-1] > TIMES * ranked[1:]) & (ranked[1:] > 0))
        if not len(gaps):
            return self.passed(f"No value of '{ctx.target.name}' is orders of magnitude away from the others.")
        far, rest = order[: gaps[0] + 1], order[gaps[0] + 1 :]
        low, high = number(float(ctx.y[rest].min())), number(float(ctx.y[rest].max()))
        shown = ", ".join(number(float(v)) for v in ctx.y[far[:3]])
        verb = "is" if len(far) == 1 else "are"
        return [
            self.finding(
                Severity.WARNS,
                f"{count(len(far), 'row')} of '{ctx.target.name}' ({shown}) {verb} orders of magnitude away from all "
                f"others, which lie between {low} and {high}. The score would tell of nothing else.",
                action="Correct such rows or delete them from the file; if they are real, predict the logarithm.",
                column=ctx.target.name,
                evidence={"rows": len(far), "farthest": float(ctx.y[far[0]])},
            )
        ]
