"""AD022: rows whose target is missing."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, share
from autodl.records import Finding, Severity

MANY = 0.05


class MissingTarget(Check):
    """Rows that cannot be learnt from."""

    key = "missing_target"
    code = "AD022"
    title = "Missing target"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        n = ctx.target.n_missing
        if not n:
            return self.passed(f"'{ctx.target.name}' is known in every row.")
        part = n / (n + ctx.n_rows)
        many = part > MANY
        return [
            self.finding(
                Severity.WARNS if many else Severity.FIXED,
                f"'{ctx.target.name}' is missing in {count(n, 'row')} ({share(part)})."
                + (" If these are not like the others, the model does not know them." if many else ""),
                action="These rows are left out.",
                column=ctx.target.name,
                evidence={"rows": n, "share": part},
            )
        ]
