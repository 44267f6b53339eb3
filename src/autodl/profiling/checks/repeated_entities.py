"""AD024: several rows of one customer, patient or machine."""

from __future__ import annotations

import shlex

import numpy as np

from autodl.profiling.checks.base import Check, Context
from autodl.profiling.vocabulary import COUNTING_WORDS, ENTITY_WORDS, KEY_WORDS, PART_WORDS
from autodl.profiling.words import tokens
from autodl.records import ColumnKind, Finding, Severity

MIN_REPEATED = 0.5


class RepeatedEntities(Check):
    """Columns named like a key whose values return in several rows."""

    key = "repeated_entities"
    code = "AD024"
    title = "Rows that belong together"

    def run(self, ctx: Context) -> list[Finding]:
        """One finding for each such column."""
        if ctx.group_column:
            return self.passed(f"Rows with the same '{ctx.group_column}' are kept on one side of every split.")
        found = []
        for column in ctx.schema.columns:
            words = set(tokens(column.name))
            counted = words & COUNTING_WORDS and words & PART_WORDS
            those = ENTITY_WORDS | PART_WORDS if counted else ENTITY_WORDS
            named = words & KEY_WORDS or (words & those and words - those <= COUNTING_WORDS)
            kind = column.kind in (ColumnKind.CATEGORICAL, ColumnKind.NUMERIC, ColumnKind.ID, ColumnKind.TEXT)
            if not named or not kind or column.name == ctx.target.name or column.n_unique < 20 or column.parse.strip:
                continue  # what has a unit is no key, as in an engine of 1197 CC
            if column.numeric is not None and not column.numeric.integers:
                continue
            codes = ctx.codes(column.name)
            sizes = np.bincount(codes[codes >= 0])
            part = float(sizes[sizes > 1].sum() / max(1, ctx.n))
            if part < MIN_REPEATED:
                continue
            found.append(
                self.finding(
                    Severity.WARNS,
                    f"'{column.name}' has {len(sizes):,} values in {ctx.n:,} rows, {ctx.n / len(sizes):.1f} each. "
                    "If these rows belong to one customer, patient or machine, it is on both sides of the split and "
                    "the score looks better than it will be on new ones.",
                    action=f"Pass --group-column {shlex.quote(column.name)} to keep such rows together.",
                    column=column.name,
                    evidence={"values": len(sizes), "rows_each": ctx.n / len(sizes)},
                )
            )
        if found and ctx.time_column:  # the two options exclude each other
            return self.passed(
                f"The split is by time, so rows with the same '{found[0].column}' are on both sides, as when you "
                "predict the future of known ones. For new ones, pass --group-column instead of --time-column."
            )
        return self.capped(found, "may tie rows together") or self.passed("No column ties several rows together.")
