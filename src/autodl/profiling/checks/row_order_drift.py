"""AD014: rows that change from the top of the file to its end, or over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autodl.profiling.checks._differences import compared_columns, differences
from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import listing, number, share
from autodl.records import ColumnKind, Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ROWS = 5_000
MIN_ROWS = 60
COLUMN_EFFECT = 0.2
"""Columns may wander along a file; only a change this large is worth a reader's time (the target: half of it)."""


class RowOrderDrift(Check):
    """Columns distributed differently in the first and the last third of the rows."""

    key = "row_order_drift"
    code = "AD014"
    title = "Change over time"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding on the target and one on the columns where they change."""
        if ctx.n < MIN_ROWS:
            return self.not_applicable(f"Fewer than {MIN_ROWS} rows.")
        along = f"over '{ctx.time_column}'" if ctx.time_column else "from the top of the file to its end"
        third = ctx.n // 3
        first, last = self._thin(ctx.order[:third], ctx.seed), self._thin(ctx.order[-third:], ctx.seed)
        a, b = ctx.frame.iloc[first], ctx.frame.iloc[last]
        columns = compared_columns(ctx)
        target = ctx.target.name
        columns[target] = ColumnKind.CATEGORICAL if ctx.classification else ColumnKind.NUMERIC
        drifted = [d for d in differences(a, b, columns) if d[0] == target or d[1] >= COLUMN_EFFECT]
        if not drifted:
            return self.passed(f"Neither the target nor a column changes {along}.")
        option = "pass --time-column" + (" instead of --group-column" if ctx.group_column else "")
        advice = (
            "The validation trains on earlier rows and tests on later ones, so the score allows for it."
            if ctx.time_column
            else f"If the rows are in order of time, {option}, or expect lower scores on future rows. If "
            "the file is merely sorted, this does no harm: rows are shuffled."
        )
        severity = Severity.FIXED if ctx.time_column else Severity.WARNS
        found = []
        effects = {n: (e, p) for n, e, p in drifted}
        if target in effects:
            found.append(
                self.finding(
                    severity,
                    f"'{target}' changes {along}: {self._target_change(ctx, first, last)}.",
                    action=advice,
                    column=target,
                    evidence={"effect": effects[target][0], "p": effects[target][1], "rows": len(first) + len(last)},
                )
            )
        others = [n for n in effects if n != target]
        if others:
            found.append(
                self.finding(
                    severity,
                    f"{listing(others)} change{'s' if len(others) == 1 else ''} {along} (largest difference "
                    f"{effects[others[0]][0]:.2f} of 1).",
                    action=advice,
                    evidence={"columns": len(others), "worst": others[0], "effect": effects[others[0]][0]},
                )
            )
        return found

    @staticmethod
    def _thin(rows: NDArray[np.int_], seed: int) -> NDArray[np.int_]:
        if len(rows) <= MAX_ROWS // 2:
            return rows
        return np.sort(np.random.default_rng(seed).choice(rows, MAX_ROWS // 2, replace=False))

    @staticmethod
    def _target_change(ctx: Context, first: NDArray[np.int_], last: NDArray[np.int_]) -> str:
        a, b = ctx.y[first], ctx.y[last]
        if not ctx.classification:
            return (
                f"it averages {number(float(a.mean()))} in the first third and {number(float(b.mean()))} in the last"
            )
        k = len(ctx.target.classes)
        before, after = np.bincount(a, minlength=k) / len(a), np.bincount(b, minlength=k) / len(b)
        worst = int(np.argmax(np.abs(after - before)))
        return (
            f"'{ctx.target.classes[worst]}' makes up {share(float(before[worst]))} of the first third and "
            f"{share(float(after[worst]))} of the last"
        )
