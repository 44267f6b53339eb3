"""AD017: a target cut off at a limit."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, number, share
from autodl.records import Finding, Severity

MIN_DISTINCT = 50
MIN_SHARE = 0.005
PILE = 5.0
"""The end value must be this many times as frequent as the most frequent value near it."""


class CappedTarget(Check):
    """Many rows with exactly the largest or the smallest value."""

    key = "capped_target"
    code = "AD017"
    title = "Capped target"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each end at which values pile up."""
        if ctx.classification:
            return self.not_applicable("Classes are predicted, not a number.")
        values, counts = np.unique(ctx.y, return_counts=True)
        if len(values) < MIN_DISTINCT:
            return self.not_applicable(f"The target has fewer than {MIN_DISTINCT} different values.")
        near = max(5, len(values) // 20)
        found = []
        for end, neighbours, word in ((-1, counts[-near - 1 : -1], "largest"), (0, counts[1 : near + 1], "smallest")):
            n = int(counts[end])
            if n / ctx.n < MIN_SHARE or n < PILE * neighbours.max():
                continue
            value = float(values[end])
            zeros = end == 0 and value == 0
            found.append(
                self.finding(
                    Severity.WARNS,
                    f"{count(n, 'row')} ({share(n / ctx.n)}) have exactly the {word} value, {number(value)}. "
                    + (
                        "Many zeros often mean that nothing happened, which is another question than how much."
                        if zeros
                        else "True values were probably cut off there, so the model cannot go "
                        + ("beyond it." if end == -1 else "below it.")
                    ),
                    action="Consider first predicting whether it is zero."
                    if zeros
                    else f"Read {number(value)} in a prediction as '{number(value)} or {'more' if end else 'less'}'.",
                    column=ctx.target.name,
                    evidence={"value": value, "rows": n, "share": n / ctx.n},
                )
            )
        return found or self.passed(f"The values of '{ctx.target.name}' do not pile up at either end.")
