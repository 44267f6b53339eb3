"""AD009: classes with too few rows to learn or to test."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count
from autodl.records import Finding, Severity

FEW = 10


class RareClasses(Check):
    """Classes with fewer than ten rows."""

    key = "rare_classes"
    code = "AD009"
    title = "Rare classes"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding that names the rare classes."""
        if not ctx.classification:
            return self.not_applicable("A number is predicted, not a class.")
        counts = sorted(zip(ctx.target.class_counts, ctx.target.classes, strict=True))
        rare = [(c, n) for c, n in counts if c < FEW]
        if not rare:
            return self.passed(f"Every class has at least {counts[0][0]:,} rows.", {"smallest": counts[0][0]})
        named = ", ".join(f"'{n}' ({count(c, 'row')})" for c, n in rare[:5])
        more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
        return [
            self.finding(
                Severity.WARNS,
                f"Too few rows of {named}{more}: the model can hardly learn them, and their scores mean little.",
                action="Collect more of them, merge them with a similar class, or leave them out.",
                evidence={"classes": len(rare), "smallest": rare[0][0]},
            )
        ]
