"""AD007: categorical columns with very many values."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import share
from autodl.records import ColumnKind, Finding, Severity

MANY = 50
NEARLY_UNIQUE = 0.5


class HighCardinality(Check):
    """Categorical columns with more than 50 distinct values."""

    key = "high_cardinality"
    code = "AD007"
    title = "Many categories"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each such column, the largest first."""
        names = ctx.of_kind(ColumnKind.CATEGORICAL)
        if not names:
            return self.not_applicable("There are no categorical columns.")
        found = []
        for name in sorted(names, key=lambda n: -ctx.column[n].n_unique):
            column = ctx.column[name]
            if column.n_unique <= MANY:
                continue
            part = column.n_unique / max(1, column.n - column.n_missing)
            nearly = part > NEARLY_UNIQUE
            found.append(
                self.finding(
                    Severity.WARNS if nearly else Severity.FIXED,
                    f"'{name}' has {column.n_unique:,} different values"
                    + (
                        f", nearly one for each row ({share(part)}): most will be new when predicting."
                        if nearly
                        else "."
                    ),
                    action="Encoded by what is typical of each value, learnt within each fold; new ones are unknown."
                    + (" If it is a name or a key, leave it out with --drop." if nearly else ""),
                    column=name,
                    evidence={"n_unique": column.n_unique, "share": part},
                )
            )
        if not found:
            return self.passed(f"No categorical column has more than {MANY} values.")
        return self.capped(found, "have many categories")
