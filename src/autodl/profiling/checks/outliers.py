"""AD002: values far outside the rest."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, number, share
from autodl.records import Finding, Severity

MIN_VALUES = 20


class Outliers(Check):
    """Values beyond three interquartile ranges outside the quartiles (Tukey's far-out fence)."""

    key = "outliers"
    code = "AD002"
    title = "Outliers"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each numeric column with far-out values, the most first."""
        if not ctx.numeric:
            return self.not_applicable("There are no numeric columns.")
        found: list[tuple[int, Finding]] = []
        for name in ctx.numeric:
            values = ctx.numbers(name)
            values = values[np.isfinite(values)]
            if len(values) < MIN_VALUES:
                continue
            q25, q75 = np.quantile(values, [0.25, 0.75])
            spread = q75 - q25
            if spread <= 0:
                continue
            low, high = q25 - 3 * spread, q75 + 3 * spread
            far = (values < low) | (values > high)
            n = int(far.sum())
            if not n:
                continue
            extreme = values[far][np.argmax(np.abs(values[far] - (q25 + q75) / 2))]
            message = (
                f"'{name}' has {count(n, 'value')} ({share(n / len(values))}) far outside the usual range of "
                f"{number(low)} to {number(high)}; the farthest is {number(float(extreme))}{ctx.scope}."
            )
            evidence = {"n": n, "low": float(low), "high": float(high), "farthest": float(extreme)}
            found.append(
                (
                    n,
                    self.finding(
                        Severity.FIXED,
                        message,
                        action="No row is removed; models that such values pull astray get them scaled or clipped.",
                        column=name,
                        evidence=evidence,
                    ),
                )
            )
        if not found:
            return self.passed(f"No far-out values in {count(len(ctx.numeric), 'numeric column')}.")
        return self.capped([f for _, f in sorted(found, key=lambda f: -f[0])], "have far-out values")
