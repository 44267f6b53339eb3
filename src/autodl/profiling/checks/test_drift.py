"""AD013: a test file that looks different from the training file."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks._differences import compared_columns, differences
from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import listing
from autodl.records import ColumnKind, Finding, JsonScalar, Severity

MAX_ROWS = 5_000
MIN_ROWS = 60


class TestDrift(Check):
    """Columns distributed differently in the test file."""

    key = "test_drift"
    code = "AD013"
    title = "Test rows differ"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding on the target, one on the columns."""
        if ctx.test is None:
            return self.not_applicable("There is no test file; the test rows are drawn from this one.")
        columns = compared_columns(ctx)
        target_kind = ColumnKind.CATEGORICAL if ctx.classification else ColumnKind.NUMERIC
        if ctx.target.name in ctx.test:
            columns[ctx.target.name] = target_kind
        if min(ctx.n, len(ctx.test)) < MIN_ROWS // 2 or not columns:
            return self.not_applicable("There are too few test rows to compare.")
        rng = np.random.default_rng(ctx.seed)
        rows = rng.permutation(len(ctx.test))[:MAX_ROWS]
        drifted = differences(ctx.frame.iloc[ctx.sample], ctx.test.iloc[rows], columns)
        if not drifted:
            where = f"all of {len(columns):,} columns" if len(columns) > 1 else listing(columns)
            return self.passed(f"The test rows look like the training rows in {where}.")
        names = [n for n, _, _ in drifted]
        evidence: dict[str, JsonScalar] = {"columns": len(drifted), "worst": names[0], "effect": drifted[0][1]}
        return [
            self.finding(
                Severity.WARNS,
                f"The test rows differ from the training rows in {listing(names)}"
                + (", the target among them" if ctx.target.name in names else "")
                + f" (largest difference {drifted[0][1]:.2f} of 1): scores say how the model fares on such rows.",
                action="Check that both files come from the population that you will predict for.",
                column=names[0] if len(names) == 1 else None,
                evidence=evidence | {"p": drifted[0][2]},
            )
        ]
