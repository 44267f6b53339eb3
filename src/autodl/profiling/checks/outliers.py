"""AD002: values far outside the rest."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, number, share
from autodl.records import Finding, Severity

MIN_VALUES = 20
FAR = 10.0
"""A value this many interquartile ranges outside the quartiles may be a slip of the pen."""


class Outliers(Check):
    """Values beyond three interquartile ranges outside the quartiles (Tukey's far-out fence)."""

    key = "outliers"
    code = "AD002"
    title = "Outliers"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding that names the columns with the most far-out values."""
        if not ctx.numeric:
            return self.not_applicable("There are no numeric columns.")
        found = [
            (n, far, name, text)
            for name in ctx.numeric
            if (seen := self._far_out(ctx, name))
            for n, far, text in [seen]
        ]
        if not found:
            return self.passed(f"No far-out values in {count(len(ctx.numeric), 'numeric column')}{ctx.scope}.")
        found.sort(key=lambda f: (-f[0], f[2]))
        verb = "holds" if len(found) == 1 else "hold"
        named = "; ".join(text for _, _, _, text in found[:3])
        more = f"; and {count(len(found) - 3, 'more column')}" if len(found) > 3 else ""
        slips = [name for _, far, name, _ in found if far > FAR]
        doubt = f" Check the farthest values of {', '.join(slips[:3])} for slips." if slips else ""
        return [
            self.finding(
                Severity.FIXED,
                f"{count(len(found), 'column')} {verb} values far outside the usual range: {named}{more}{ctx.scope}.",
                action="No row is removed; models that such values pull astray get them scaled or clipped." + doubt,
                column=found[0][2] if len(found) == 1 else None,
                evidence={
                    "columns": len(found),
                    "worst": found[0][2],
                    "values": found[0][0],
                    "farthest_in_iqr": max(f[1] for f in found),
                },
            )
        ]

    @staticmethod
    def _far_out(ctx: Context, name: str) -> tuple[int, float, str] | None:
        """Number of far-out values, distance of the farthest in interquartile ranges, and both in words."""
        values = ctx.numbers(name)
        values = values[np.isfinite(values)]
        if len(values) < MIN_VALUES:
            return None
        q25, q75 = np.quantile(values, [0.25, 0.75])
        spread = q75 - q25
        if spread <= 0:
            return None
        with np.errstate(over="ignore"):  # beside numbers near 1e308 the distance is infinite
            distance = np.maximum(q25 - values, values - q75) / spread
        far = distance > 3
        n = int(far.sum())
        if not n:
            return None
        usual, extreme = values[~far], float(values[np.argmax(distance)])
        text = (
            f"'{name}' {count(n, 'value')} ({share(n / len(values))}) outside {number(float(usual.min()))} to "
            f"{number(float(usual.max()))}, the farthest {number(extreme)}"
        )
        return n, float(distance.max()), text
