"""AD018: columns that hold both numbers and words."""

from __future__ import annotations

import re

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.words import listing, share
from autodl.records import ColumnKind, Finding, Severity

LEAST = 0.05
MIN_DISTINCT = 5
UNITS = 10
"""Numbers with more different words behind them than this are codes."""
_WITH_UNIT = re.compile(r"^[+-]?\d[\d.,]* ?([^\d\s.,]{1,8}[23]?)$")


class MixedTypes(Check):
    """Columns of words in which many values are numbers, or numbers with different units."""

    key = "mixed_types"
    code = "AD018"
    title = "Mixed types"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each such column."""
        names = ctx.of_kind(ColumnKind.CATEGORICAL, ColumnKind.TEXT)
        if not names:
            return self.not_applicable("There are no columns of words.")
        import pandas as pd

        found = []
        for name in names:
            values = ctx.frame[name].iloc[ctx.sample].dropna()
            sizes = values.value_counts()
            numeric = pd.to_numeric(pd.Series(sizes.index.astype(str)), errors="coerce").notna().to_numpy()
            if units := _units([str(v) for v in sizes.index]):
                found.append(
                    self.finding(
                        Severity.WARNS,
                        f"'{name}' holds numbers with different units: {listing(units)}.",
                        action="Taken as words. Write all of them in one unit in the file.",
                        column=name,
                        evidence={"units": len(units), "first": units[0]},
                    )
                )
                continue
            part = float(sizes.to_numpy()[numeric].sum() / max(1, sizes.sum()))
            if not LEAST <= part <= 1 - 1 / max(2, len(values)) or numeric.sum() < MIN_DISTINCT:
                continue
            words = [str(v) for v in np.asarray(sizes.index)[~numeric][:3]]
            found.append(
                self.finding(
                    Severity.WARNS,
                    f"'{name}' mixes numbers ({share(part)} of its values) and words such as {listing(words)}.",
                    action="Taken as words. If the words stand for a missing number, empty these cells in the file.",
                    column=name,
                    evidence={"share_numbers": part, "example": words[0] if words else None},
                )
            )
        return self.capped(found, "mix numbers and words") or self.passed("No column mixes numbers and words.")


def _units(words: list[str]) -> list[str]:
    """The units of words that are numbers with several of them; nothing for other words."""
    units = [m[1] for w in words if (m := _WITH_UNIT.match(w))]
    distinct = list(dict.fromkeys(units))
    if len(words) < MIN_DISTINCT or len(units) < (1 - LEAST) * len(words) or len(words) < 3 * len(distinct):
        return []
    return distinct if 1 < len(distinct) <= UNITS else []
