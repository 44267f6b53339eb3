"""AD028: dates of which the day and the month, or the century, may have been mixed up."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.records import ColumnKind, Finding, Severity


class DoubtfulDates(Check):
    """Date columns that can be read in two ways, or hold both ways."""

    key = "doubtful_dates"
    code = "AD028"
    title = "Doubtful dates"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each such column."""
        dates = ctx.schema.of_kind(ColumnKind.DATETIME)
        if not dates:
            return self.not_applicable("There is no date column.")
        found = [
            self.finding(
                Severity.WARNS,
                f"'{name}': {doubt}, so some of its dates may be wrong.",
                action="Write the dates as 2024-12-31 in the file.",
                column=name,
                evidence={"first": ctx.column[name].first, "last": ctx.column[name].last},
            )
            for name in dates
            if any(w in (doubt := ctx.column[name].why.partition("; ")[2]) for w in ("day and month", "two digits"))
        ]
        return self.capped(found, "hold doubtful dates") or self.passed("All dates can be read in one way only.")
