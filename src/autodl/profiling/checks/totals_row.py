"""AD025: a last row that adds up the rows above it."""

from __future__ import annotations

import re

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import listing
from autodl.records import ColumnKind, Finding, Severity

MIN_ROWS = 20
"""In shorter tables a sum may be met by chance."""
EXACT = 1e-4
"""Relative difference up to which a value is the sum: totals are often rounded."""
EMPTY = 0.5
"""Share of empty cells from which a row is no record like the others."""
_TOTAL = re.compile(
    r"^\W*(grand |sub)?(totals?|sum|sums|gesamt|summe|insgesamt|somme|totaux|suma|totale|итого|合计|总计)\b", re.I
)


class TotalsRow(Check):
    """Numbers of the last row that are the sums of their columns, or a word for it beside empty cells."""

    key = "totals_row"
    code = "AD025"
    title = "Row of totals"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        if ctx.n < MIN_ROWS or ctx.n < ctx.n_rows:
            return self.not_applicable("There are too few rows, or only a part of them was looked at.")
        names = (*ctx.features, ctx.target.name)
        last = ctx.frame.iloc[-1]
        empty = float(last[list(names)].isna().mean())
        words = [str(last[n]) for n in names if isinstance(last[n], str)]
        sums = [n for n in names if ctx.column[n].kind is ColumnKind.NUMERIC and self._is_sum(ctx, n)]
        named = any(_TOTAL.match(w) for w in words)
        if not (len(sums) > 1 or (empty >= EMPTY and (sums or named))):
            return self.passed("The last row is a row like the others.")
        why = f"{listing(sums)} {'is' if len(sums) == 1 else 'are'} the sum of all rows above it" if sums else ""
        why = why or "a word such as 'total' stands beside empty cells"
        return [
            self.finding(
                Severity.WARNS,
                f"The last row looks like a row of totals: {why}. It is no example to learn from, and it pulls "
                "averages and errors astray.",
                action="Delete this row from the file.",
                evidence={"sums": len(sums), "first": sums[0] if sums else None, "empty": empty},
            )
        ]

    @staticmethod
    def _is_sum(ctx: Context, name: str) -> bool:
        values = ctx.numbers(name)
        others = np.nan_to_num(values[:-1])
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near 1e308 have no sum
            total = float(others.sum())
            near = abs(values[-1] - total) <= EXACT * abs(total)
        enough = int(np.count_nonzero(others)) >= MIN_ROWS // 2
        return bool(near) and bool(np.isfinite(total)) and enough
