"""AD020: numeric columns that move together."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.stats import ranks
from autodl.profiling.words import count
from autodl.records import Finding, Severity

STRONG = 0.95
MAX_COLUMNS = 400


class CorrelatedColumns(Check):
    """Spearman correlation of pairs of numeric columns."""

    key = "correlated_columns"
    code = "AD020"
    title = "Correlated columns"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding that names the strongest pairs."""
        names = ctx.numeric[:MAX_COLUMNS]
        if len(names) < 2 or ctx.n < 20:
            return self.not_applicable("There are fewer than two numeric columns or fewer than 20 rows.")
        data = np.stack([ctx.numbers(n, ctx.sample) for n in names])
        missing = np.isnan(data)
        data = np.where(
            missing, np.nanmedian(np.where(missing.all(axis=1, keepdims=True), 0, data), axis=1)[:, None], data
        )
        ranked = np.stack([ranks(row) for row in data])
        ranked -= ranked.mean(axis=1, keepdims=True)
        norm = np.sqrt((ranked**2).sum(axis=1))
        ranked /= np.where(norm > 0, norm, 1)[:, None]
        r = ranked @ ranked.T
        i, j = np.nonzero(np.triu(np.abs(r) >= STRONG, k=1))
        left_out = len(ctx.numeric) - len(names)
        scope = f" (the first {len(names)} numeric columns)" if left_out else ""
        if not len(i):
            return self.passed(f"No two numeric columns say nearly the same{scope}.")
        order = np.argsort(-np.abs(r[i, j]), kind="stable")
        pairs = "; ".join(f"'{names[i[k]]}' and '{names[j[k]]}' ({r[i[k], j[k]]:.2f})" for k in order[:3])
        more = f"; and {len(i) - 3:,} more" if len(i) > 3 else ""
        return [
            self.finding(
                Severity.PASSED,
                f"{count(len(i), 'pair')} of numeric columns say nearly the same{scope}: {pairs}{more}.",
                action="All are kept; the models cope, but the importance of such columns is shared among them.",
                evidence={"pairs": len(i), "strongest": float(np.abs(r[i, j]).max())},
            )
        ]
