"""AD005: row numbers, keys and names."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.records import ColumnKind, Finding, Severity


class IdColumns(Check):
    """Columns that name each row."""

    key = "id_columns"
    code = "AD005"
    title = "ID columns"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each ID column."""
        found = []
        for column in ctx.schema.columns:
            if column.kind is not ColumnKind.ID or column.name == ctx.target.name:
                continue
            why = f" ({column.why.rstrip('.')})" if column.why else ""
            found.append(
                self.finding(
                    Severity.FIXED,
                    f"'{column.name}' names rows and does not describe them{why}; a model would learn them by heart.",
                    action="Left out. If rows with the same value belong together, pass --group-column.",
                    column=column.name,
                    evidence={"n_unique": column.n_unique, "n": column.n},
                )
            )
        if not found:
            return self.passed("No column merely numbers or names the rows.")
        return self.capped(found, "name the rows")
