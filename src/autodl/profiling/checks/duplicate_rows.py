"""AD003: rows that occur more than once."""

from __future__ import annotations

import numpy as np

from autodl.profiling.checks.base import Check, Context, hash_rows
from autodl.profiling.words import count, share
from autodl.records import Finding, JsonScalar, Severity

WORTH_A_LOOK = 0.01


class DuplicateRows(Check):
    """Rows equal in all features and the target, and rows equal in all features but not in the target."""

    key = "duplicate_rows"
    code = "AD003"
    title = "Duplicate rows"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding on repeated rows, one on contradicting rows where there are any."""
        if not ctx.features or ctx.n < 2:
            return self.not_applicable("There are too few rows or columns to compare.")
        rows = ctx.row_hash * np.uint64(31) + hash_rows(ctx.frame, ctx.apart)
        whole = rows * np.uint64(31) + hash_rows(ctx.frame, (ctx.target.name,))
        repeated = ctx.n - len(np.unique(whole))
        _, group, sizes = np.unique(rows, return_inverse=True, return_counts=True)
        contradicting = self._contradicting(ctx, group, sizes)
        found: list[Finding] = []
        if repeated:
            part = repeated / ctx.n
            evidence: dict[str, JsonScalar] = {"rows": repeated, "share": part}
            worth = part >= WORTH_A_LOOK and not ctx.repeats_by_nature
            found.append(
                self.finding(
                    Severity.WARNS if worth else Severity.PASSED,
                    f"{count(repeated, 'row')} ({share(part)}) repeat another row exactly{ctx.scope}."
                    + (
                        " If these are copies of one record, some of them fall into the test rows and make the score "
                        "look better than it is."
                        if worth
                        else ""
                    ),
                    action="They are kept. Remove copies from the file if they come from an error in its making."
                    if worth
                    else "They are kept: so few, or so few possible values, that chance explains them.",
                    evidence=evidence,
                )
            )
        if contradicting:
            found.append(
                self.finding(
                    Severity.WARNS if contradicting / ctx.n >= WORTH_A_LOOK else Severity.PASSED,
                    f"{count(contradicting, 'row')} ({share(contradicting / ctx.n)}) equal another row in all "
                    f"columns but have a different '{ctx.target.name}'{ctx.scope}. No model can get them all right.",
                    action="More columns, or a look at how the target was recorded, would help.",
                    evidence={"rows": contradicting, "share": contradicting / ctx.n},
                )
            )
        return found or self.passed(f"No row occurs twice{ctx.scope}.")

    @staticmethod
    def _contradicting(ctx: Context, group: np.ndarray, sizes: np.ndarray) -> int:
        low = np.full(len(sizes), np.inf)
        high = np.full(len(sizes), -np.inf)
        np.minimum.at(low, group, ctx.y)
        np.maximum.at(high, group, ctx.y)
        return int(sizes[low < high].sum())
