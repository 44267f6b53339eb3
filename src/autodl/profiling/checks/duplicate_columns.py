"""AD006: columns that repeat another one, and columns that say the same in other words."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.records import ColumnKind, Finding, Severity

MAX_RECODED_LEVELS = 0.2
"""Columns with more distinct values than this share of the rows match one to one by chance."""


class DuplicateColumns(Check):
    """Equal columns, and columns whose values match one to one."""

    key = "duplicate_columns"
    code = "AD006"
    title = "Duplicate columns"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each repeated column and each recoded pair."""
        if len(ctx.features) + len(ctx.duplicates) < 2:
            return self.not_applicable("There are fewer than two columns to compare.")
        found = [
            self.finding(
                Severity.FIXED,
                f"'{name}' has the same values as '{kept}' in every row.",
                action=f"'{name}' is left out; '{kept}' is kept.",
                column=name,
                evidence={"kept": kept},
            )
            for name, kept in ctx.duplicates.items()
        ]
        found += [
            self.finding(
                Severity.PASSED,
                f"'{b}' is '{a}' in other words: each value of one goes with one value of the other.",
                action="Both are kept, as order or nearness may show in one only; they share their importance.",
                column=b,
                evidence={"other": a, "values": k},
            )
            for a, b, k in self._recoded(ctx)
        ]
        return self.capped(found, "repeat others") or self.passed(
            f"No two of {len(ctx.features):,} columns are the same."
        )

    @staticmethod
    def _recoded(ctx: Context) -> list[tuple[str, str, int]]:
        kinds = (ColumnKind.NUMERIC, ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN)
        seen: dict[bytes, str] = {}
        out = []
        for name in ctx.of_kind(*kinds):
            if not 2 <= ctx.column[name].n_unique <= max(2, MAX_RECODED_LEVELS * ctx.n) or ctx.n < 20:
                continue
            codes = ctx.codes(name)
            pattern = np.ascontiguousarray(codes.astype(np.int32)).tobytes()
            if pattern in seen:
                out.append((seen[pattern], name, int(codes.max()) + 1))
            else:
                seen[pattern] = name
        return out
