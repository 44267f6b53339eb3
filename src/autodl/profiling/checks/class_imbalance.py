"""AD008: one class far rarer than another."""

from __future__ import annotations

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import count, share
from autodl.records import Finding, JsonScalar, Severity

IMBALANCED = 0.2
"""Ratio of the smallest to the largest class below which accuracy misleads."""
SEVERE = 0.02


class ClassImbalance(Check):
    """Ratio of the smallest to the largest class."""

    key = "class_imbalance"
    code = "AD008"
    title = "Class imbalance"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding."""
        if not ctx.classification:
            return self.not_applicable("A number is predicted, not a class.")
        counts = dict(zip(ctx.target.classes, ctx.target.class_counts, strict=True))
        rare, common = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
        ratio, total = counts[rare] / counts[common], sum(counts.values())
        evidence: dict[str, JsonScalar] = {
            "rarest": rare,
            "n_rarest": counts[rare],
            "most_common": common,
            "ratio": ratio,
        }
        if ratio >= IMBALANCED:
            return self.passed(
                f"The classes are of similar size: the rarest, '{rare}', has {share(counts[rare] / total)} of rows.",
                evidence,
            )
        return [
            self.finding(
                Severity.WARNS if ratio < SEVERE else Severity.FIXED,
                f"'{rare}' has {count(counts[rare], 'row')} ({share(counts[rare] / total)}), '{common}' "
                f"{counts[common]:,}: always answering '{common}' would be right in {share(counts[common] / total)} "
                "of the cases and useless.",
                action=f"{self._split(ctx)}What the score makes of rare classes, and whether they weigh more in "
                "learning, stands in the plan.",
                evidence=evidence,
            )
        ]

    @staticmethod
    def _split(ctx: Context) -> str:
        """What the split does about it; nothing where it goes by time or by groups."""
        if ctx.time_column or ctx.group_column:
            return ""
        parts = "Validation rows are drawn" if ctx.test is not None else "Rows are split"
        return f"{parts} so that each part has its share of each class. "
