"""AD023: dates in the rows, but a split that ignores time."""

from __future__ import annotations

import shlex

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.vocabulary import BIRTH_WORDS
from autodl.profiling.words import listing, tokens
from autodl.records import ColumnKind, Finding, Severity


class TimeOrder(Check):
    """Date columns without ``--time-column``."""

    key = "time_order"
    code = "AD023"
    title = "Rows in time"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        dates = [d for d in ctx.schema.of_kind(ColumnKind.DATETIME) if not BIRTH_WORDS & set(tokens(d))]
        if ctx.time_column:
            return self.passed(
                f"The rows are ordered by '{ctx.time_column}': trained on the past, tested on the future."
            )
        if not dates:
            return self.not_applicable("There is no date column that could order the rows.")
        first = ctx.column[dates[0]]
        option = f"--time-column {shlex.quote(dates[0])}" + (" instead of --group-column" if ctx.group_column else "")
        ends = [end.removesuffix("T00:00:00").replace("T", " ") for end in (first.first, first.last) if end]
        span = f" ({ends[0]} to {ends[1]})" if len(ends) == 2 else ""
        return [
            self.finding(
                Severity.WARNS,
                f"The rows carry dates: {listing(dates)}{span}. The test rows are drawn from all times alike, so the "
                "score is that of filling gaps, not of predicting the future.",
                action=f"If you will predict later rows from earlier ones, pass {option}.",
                column=dates[0],
                evidence={"columns": len(dates)},
            )
        ]
