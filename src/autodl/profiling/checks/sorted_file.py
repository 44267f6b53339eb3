"""AD015: a file sorted by its target."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.stats import ranks
from autodl.records import Finding, Severity

STRONG = 0.9
MIN_ROWS = 20


class SortedFile(Check):
    """Order of the target over the time column, or along the file."""

    key = "sorted_file"
    code = "AD015"
    title = "Sorted file"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        if ctx.n < MIN_ROWS:
            return self.not_applicable(f"Fewer than {MIN_ROWS} rows.")
        y = ctx.y[ctx.order]
        if ctx.classification:
            shares = np.bincount(y, minlength=1) / ctx.n
            by_chance = float((shares**2).sum())
            equal = float((y[1:] == y[:-1]).mean())
            strength = (equal - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0
        else:
            rows = ctx.sample
            ranked = ranks(y[rows])
            strength = float(abs(np.corrcoef(rows, ranked)[0, 1])) if ranked.std() > 0 else 0.0
        name = ctx.target.name
        if not strength >= STRONG:
            said = f"'{name}' is not in order over '{ctx.time_column}'." if ctx.time_column else (
                "The file is not sorted by its target."
            )  # fmt: skip
            return self.passed(said, {"strength": strength})
        if ctx.time_column:
            return [
                self.finding(
                    Severity.WARNS,
                    f"Over '{ctx.time_column}' the values of '{name}' are nearly in order; tested on later rows, the "
                    "model meets values that it has hardly seen.",
                    action="Check that the time column is meant.",
                    evidence={"strength": strength},
                )
            ]
        return [
            self.finding(
                Severity.FIXED,
                f"The file is sorted by '{name}'.",
                action="Rows are shuffled before they are split, so that each part holds all values.",
                evidence={"strength": strength},
            )
        ]
