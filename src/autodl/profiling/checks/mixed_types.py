"""AD018: columns that hold both numbers and words, or amounts of several currencies."""

from __future__ import annotations

import re

import numpy as np

from autodl.data.words import CURRENCIES, SAME_MONEY
from autodl.profiling.checks.base import Check, Context
from autodl.profiling.task import FEW_VALUES
from autodl.profiling.words import listing, share
from autodl.records import ColumnKind, Finding, Severity

LEAST = 0.05
MIN_DISTINCT = 5
UNITS = 10
"""Numbers with more different words behind them than this are codes."""
_CURRENCY = {c.lower() for c in CURRENCIES}
_MONEY = "|".join(map(re.escape, CURRENCIES))
_WITH_UNIT = re.compile(rf"^[+-]?(?:(?:{_MONEY}) ?)?\d[\d.,]* ?([^\d\s.,]{{1,8}}[23]?)$")


class MixedTypes(Check):
    """Columns of words in which many values are numbers, or numbers with different units or currencies."""

    key = "mixed_types"
    code = "AD018"
    title = "Mixed types"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each such column."""
        names = ctx.of_kind(ColumnKind.CATEGORICAL, ColumnKind.TEXT)
        target = ctx.column[ctx.target.name]
        if target.kind is ColumnKind.CATEGORICAL and target.n_unique > FEW_VALUES:
            names = (*names, target.name)
        found = self._money(ctx)
        if not names and not found:
            return self.not_applicable("There are no columns of words.")
        import pandas as pd

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

    def _money(self, ctx: Context) -> list[Finding]:
        """Columns of numbers of which the currency was taken off, although it is not the same everywhere."""
        found = []
        for name in (*ctx.numeric, ctx.target.name):
            signs = [s for s in ctx.column[name].parse.strip if s.lower() in _CURRENCY]
            money = {SAME_MONEY.get(s.lower(), s.lower()): s for s in reversed(signs)}
            if len(money) > 1:
                found.append(
                    self.finding(
                        Severity.WARNS,
                        f"'{name}' holds amounts in several currencies: {listing(sorted(money.values()))}.",
                        action="Taken as plain numbers, as if the currency were the same. Write all in one currency.",
                        column=name,
                        evidence={"currencies": len(money)},
                    )
                )
        return found


def _units(words: list[str]) -> list[str]:
    """The units of words that are numbers with several of them; nothing for other words."""
    units = [m[1] for w in words if (m := _WITH_UNIT.match(w))]
    distinct = list(dict.fromkeys(units))
    if len(words) < MIN_DISTINCT or len(units) < (1 - LEAST) * len(words) or len(words) < 3 * len(distinct):
        return []
    return distinct if 1 < len(distinct) <= UNITS else []
