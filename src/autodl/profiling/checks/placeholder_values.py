"""AD019: numbers that stand for "unknown"."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, number, share
from autodl.records import Finding, Severity

SENTINELS = (-1.0, 9.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, -999999.0,
             -88.0, -888.0, 888.0, -77.0, -777.0)  # fmt: skip
MIN_SHARE = 0.002
GAP = 0.5
"""Distance to the nearest other value, as a share of the range of the others."""
MIN_OTHERS = 5


class PlaceholderValues(Check):
    """Values such as -1 and 999, frequent and far from all others."""

    key = "placeholder_values"
    code = "AD019"
    title = "Placeholder numbers"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each such column."""
        if not ctx.numeric:
            return self.not_applicable("There are no numeric columns.")
        found = []
        for name in ctx.numeric:
            values, counts = np.unique(ctx.numbers(name), return_counts=True)
            keep = np.isfinite(values)
            values, counts = values[keep], counts[keep]
            if len(values) <= MIN_OTHERS:
                continue
            for end in (0, -1):
                value, n = float(values[end]), int(counts[end])
                # Two codes, such as -99 and 999, would hide each other: each is held against what lies between them.
                both = values[0] in SENTINELS and values[-1] in SENTINELS and len(values) > MIN_OTHERS + 1
                others = values[1:-1] if both else np.delete(values, end)
                rest = f"all others but {number(float(values[-1 - end]))}" if both else "all others"
                if value not in SENTINELS or n < max(3, MIN_SHARE * ctx.n):
                    continue
                gap = float(abs(value - others[0 if end == 0 else -1]))
                spread = float(others[-1] - others[0])
                lone_minus = value < 0 and others[0] >= 0 and n >= 2 * float(np.median(counts))
                if not (lone_minus or (gap > GAP * spread and gap > 1)):
                    continue
                found.append(
                    self.finding(
                        Severity.WARNS,
                        f"'{name}' is {number(value)} in {count(n, 'row')} ({share(n / ctx.n)}), while {rest} "
                        f"lie between {number(float(others[0]))} and {number(float(others[-1]))}: it may stand for "
                        "'unknown' or 'never'.",
                        action="Kept as it is: tree models cope, others may be misled. If it means 'unknown', empty "
                        "these cells in the file.",
                        column=name,
                        evidence={"value": value, "rows": n, "share": n / ctx.n},
                    )
                )
        return self.capped(found, "hold such numbers") or self.passed(
            "No number looks like a stand-in for 'unknown'."
        )
