"""AD015: a file sorted by its target."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.stats import ranks
from autodl.records import Finding, Severity

STRONG = 0.9
MIN_ROWS = 20


class SortedFile(Check):
    """Order of the target along the file."""

    key = "sorted_file"
    code = "AD015"
    title = "Sorted file"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        if ctx.n < MIN_ROWS:
            return self.not_applicable(f"Fewer than {MIN_ROWS} rows.")
        if ctx.classification:
            shares = np.bincount(ctx.y, minlength=1) / ctx.n
            by_chance = float((shares**2).sum())
            equal = float((ctx.y[1:] == ctx.y[:-1]).mean())
            strength = (equal - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0
        else:
            rows = ctx.sample
            ranked = ranks(ctx.y[rows])
            strength = float(abs(np.corrcoef(rows, ranked)[0, 1])) if ranked.std() > 0 else 0.0
        if not strength >= STRONG:
            return self.passed("The file is not sorted by its target.", {"strength": strength})
        name = ctx.target.name
        if ctx.time_column:
            return [
                self.finding(
                    Severity.WARNS,
                    f"'{name}' rises or falls with the order of the file; tested on later rows, the model meets "
                    "values that it has hardly seen.",
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
