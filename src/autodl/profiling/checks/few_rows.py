"""AD021: too few rows for the number of columns."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count
from autodl.quantiles import FEW_BEYOND, unknowable
from autodl.records import Finding, JsonScalar, Severity

ENOUGH_PER_COLUMN = 10
ENOUGH = 200
ENOUGH_PER_CLASS = 20
HARDLY_ANY = 50
"""Rows up to which a score shows little beyond chance."""


class FewRows(Check):
    """Rows in all, per column and per class, and beyond each level of quantiles."""

    key = "few_rows"
    code = "AD021"
    title = "Enough rows"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding, and one on levels of quantiles with hardly a row beyond them."""
        return [*self._rows(ctx), *self._levels(ctx)]

    def _levels(self, ctx: Context) -> list[Finding]:
        few = unknowable(ctx.quantiles, ctx.n_rows)
        if not few:
            return []
        named = ", ".join(f"{level:g}" for level in few)
        return [
            self.finding(
                Severity.WARNS,
                f"{count(ctx.n_rows, 'row')} are too few to know the quantile{'s' if len(few) > 1 else ''} {named}: "
                f"fewer than {FEW_BEYOND} rows lie beyond.",
                action="Ask for levels nearer to 0.5, or give more rows.",
                evidence={"levels": named, "rows": ctx.n_rows},
            )
        ]

    def _rows(self, ctx: Context) -> list[Finding]:
        n, p = ctx.n_rows, max(1, len(ctx.features))
        evidence: dict[str, JsonScalar] = {"rows": n, "columns": p, "rows_per_column": n / p}
        k = len(ctx.target.classes)
        if n <= HARDLY_ANY:
            message = (
                f"{count(n, 'row')} prove little: with so few, a good or a bad score is largely a matter of chance. "
                "Take the result as a first try, not as a finding."
            )
        elif n < ENOUGH:
            message = f"{count(n, 'row')} are few: the test rows are fewer still, so every score is uncertain."
        elif n < ENOUGH_PER_COLUMN * p:
            message = (
                f"{count(n, 'row')} for {count(p, 'column')} are few (at least {ENOUGH_PER_COLUMN} for each column "
                "are comfortable): chance patterns are easily taken for real ones."
            )
        elif k > 2 and n < ENOUGH_PER_CLASS * k:
            message = f"{count(n, 'row')} for {k:,} classes are few: {n / k:.0f} for each on average."
        else:
            what = f"{count(n, 'row')} for {count(p, 'column')}"
            if ctx.objects and len(ctx.features) == 1:
                what = count(n, ctx.objects)
            return self.passed(f"{what}.", evidence)
        return [
            self.finding(
                Severity.WARNS,
                message,
                action="More rows would help most. Look at the intervals, not at the figures alone.",
                evidence=evidence,
            )
        ]
