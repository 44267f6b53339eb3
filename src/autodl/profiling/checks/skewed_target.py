"""AD016: a target with a long tail."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.stats import skewness
from autodl.profiling.words import number
from autodl.records import Finding, JsonScalar, Severity

SKEWED = 1.0


class SkewedTarget(Check):
    """Skewness of a numeric target."""

    key = "skewed_target"
    code = "AD016"
    title = "Skewed target"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        if ctx.classification:
            return self.not_applicable("Classes are predicted, not a number.")
        y = ctx.y
        skew = skewness(y)
        evidence: dict[str, JsonScalar] = {
            "skew": skew,
            "median": float(np.median(y)),
            "mean": float(y.mean()),
            "maximum": float(y.max()),
        }
        if abs(skew) < SKEWED:
            return self.passed(
                f"The values of '{ctx.target.name}' are spread evenly enough (skewness {skew:.1f}).", evidence
            )
        side, end = ("large", y.max()) if skew > 0 else ("small", y.min())
        return [
            self.finding(
                Severity.FIXED,
                f"'{ctx.target.name}' has a long tail of {side} values (skewness {skew:.1f}): half of the rows lie "
                f"{'below' if skew > 0 else 'above'} {number(float(np.median(y)))}, but the farthest is "
                f"{number(float(end))}.",
                action="Whether models learn its logarithm, or a loss for long tails, stands in the plan."
                if skew > 0 and y.min() >= 0
                else "Nothing is needed; errors on the tail weigh most, which a metric such as MAE avoids.",
                evidence=evidence,
            )
        ]
