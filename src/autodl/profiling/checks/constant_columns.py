"""AD004: columns that never vary."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, share
from autodl.records import ColumnKind, Finding, Severity

NEARLY = 0.999


class ConstantColumns(Check):
    """Columns with one value, and columns where nearly all rows have the same one."""

    key = "constant_columns"
    code = "AD004"
    title = "Constant columns"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each constant column; one that lists the nearly constant."""
        # Of weights that are all equal a note tells: they have no effect, and nothing was mended.
        constant = [n for n in ctx.dropped if ctx.column[n].kind is ColumnKind.CONSTANT and n != ctx.weight_column]
        found = [
            self.finding(
                Severity.FIXED,
                f"'{name}' has {self._what(ctx, name)}: it cannot tell rows apart.",
                action="Left out.",
                column=name,
                evidence={"n_unique": ctx.column[name].n_unique},
            )
            for name in constant
        ]
        found = self.capped(found, "are constant")
        nearly = [(n, part) for n in ctx.features if (part := self._largest_share(ctx, n)) >= NEARLY]
        if nearly and ctx.n >= 1 / (1 - NEARLY):
            names = ", ".join(f"'{n}' ({share(p)})" for n, p in nearly[:5])
            found.append(
                self.finding(
                    Severity.PASSED,
                    f"{count(len(nearly), 'column')} nearly constant: {names}.",
                    action="Kept: rare values may still matter.",
                    evidence={"columns": len(nearly)},
                )
            )
        return found or self.passed("Every column varies.")

    @staticmethod
    def _what(ctx: Context, name: str) -> str:
        column = ctx.column[name]
        if column.n_missing == column.n:
            return "no value at all"
        return f"the same value in all rows ({column.top[0][0]})" if column.top else "the same value in all rows"

    @staticmethod
    def _largest_share(ctx: Context, name: str) -> float:
        top = ctx.column[name].top
        if not top:
            return 0.0
        # A high share of the most frequent value is possible only where few values exist; NaN counts as its own.
        return float(np.max([c for _, c in top]) / max(1, ctx.column[name].n))
