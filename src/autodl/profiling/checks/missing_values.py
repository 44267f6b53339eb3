"""AD001: gaps in the columns."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, share
from autodl.records import Finding, Severity

MOSTLY_MISSING = 0.5


class MissingValues(Check):
    """Share of missing values in each feature."""

    key = "missing_values"
    code = "AD001"
    title = "Missing values"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each column with gaps, the emptiest first."""
        if not ctx.features:
            return self.not_applicable("No column is left to look at.")
        shares = ctx.frame[list(ctx.features)].isna().mean().sort_values(ascending=False, kind="stable")
        found = []
        for name, part in shares[shares > 0].items():
            mostly = part > MOSTLY_MISSING
            found.append(
                self.finding(
                    Severity.WARNS if mostly else Severity.FIXED,
                    f"'{name}' is empty in {share(part)} of the rows{ctx.scope}."
                    + (" Little can be learnt from it but whether it is filled in." if mostly else ""),
                    action=(
                        "Ask why it is empty, and whether it will be as empty when predicting."
                        if mostly
                        else "Filled in within each fold, or left to models that handle gaps; no row is lost."
                    ),
                    column=str(name),
                    evidence={"share": float(part), "rows": round(float(part) * ctx.n)},
                )
            )
        if not found:
            where = f" in {count(len(ctx.features), 'column')}" if len(ctx.features) > 1 or not ctx.objects else ""
            return self.passed(f"No {ctx.objects or 'value'} is missing{where}{ctx.scope}.")
        return self.capped(found, "have missing values")
