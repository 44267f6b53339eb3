"""AD012: rows of the test file that are in the training file too."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context, hash_rows
from autodl.profiling.words import count, share
from autodl.records import Finding, Severity

WORTH_A_LOOK = 0.01


class TestDuplicates(Check):
    """Share of test rows that occur among the training rows."""

    key = "test_duplicates"
    code = "AD012"
    title = "Test rows seen in training"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        if ctx.test is None or not ctx.features or not len(ctx.test):
            return self.not_applicable("There is no test file; the test rows are drawn from this one.")
        columns = (*ctx.features, *(c for c in ctx.apart if c in ctx.test))
        known = ctx.row_hash if columns == ctx.features else hash_rows(ctx.frame, columns)
        same = np.isin(hash_rows(ctx.test, columns), known)
        n, part = int(same.sum()), float(same.mean())
        if part < WORTH_A_LOOK:
            return self.passed(
                f"{count(n, 'test row')} of {len(ctx.test):,} also stand in the training file.", {"rows": n}
            )
        if ctx.repeats_by_nature:
            return self.passed(
                f"{count(n, 'test row')} ({share(part)}) equal a row of the training file: with so few possible "
                "values chance explains that.",
                {"rows": n, "share": part},
            )
        return [
            self.finding(
                Severity.WARNS,
                f"{count(n, 'test row')} ({share(part)}) also stand in the training file: the model has seen them, "
                "so the test score looks better than it will be in use.",
                action="Remove them from one of the files.",
                evidence={"rows": n, "share": part},
            )
        ]
