"""First passes on a part of the rows, where all of them would leave time for one or two models only."""

from __future__ import annotations

from autodl.planning.facts import Facts
from autodl.planning.searching import scheduler_of
from autodl.preprocess.dates import DATE_PARTS
from autodl.records import Decision, Validation
from autodl.search.schedulers.base import schedulers

FROM_ROWS = 100_000
"""Up to so many training rows every trial gets all of them."""
LEAST_ROWS = 15_000
"""On fewer rows than these the ranking of models would say less of that on hundreds of thousands."""
CELLS_PER_SECOND = 10_000
"""Cells of a first pass, times classes where they are several, for each second of the budget. Boosted trees need two
to ten microseconds a cell, so that a first pass takes between a fiftieth and a tenth of the budget."""
TEXT_COLUMNS = 60
"""Columns that a text becomes."""
MOST_SHARE = 1 / 3
"""A first pass on more rows than this share would save too little."""


def choose_scouting(facts: Facts, validation: Validation, training_rows: int) -> tuple[float | None, list[Decision]]:
    """The share of the training rows that first passes get, None where they get all; and the decision in words.

    Not without a clock, where runs repeat exactly and take what they need; not where several folds, parts of rows by
    the scheduler, or networks with shared weights are compared in a way of their own.

    Args:
        facts: Of the table, and what the user asked for.
        validation: How rows are set apart.
        training_rows: Of one fit on all rows.
    """
    options = facts.options
    if options.time_budget_s is None or validation.n_folds > 1 or training_rows <= FROM_ROWS:
        return None, []
    if schedulers[scheduler_of(options)].halves or options.nas == "supernet":
        return None, []
    columns = max(1, len(facts.features) + (DATE_PARTS - 1) * len(facts.dates) + (TEXT_COLUMNS - 1) * len(facts.text))
    outputs = max(1, len(options.quantiles), facts.profile.n_classes if facts.profile.n_classes > 2 else 0)
    rows = max(LEAST_ROWS, CELLS_PER_SECOND * options.time_budget_s / (columns * outputs))
    share = round(min(MOST_SHARE, rows / training_rows), 4)
    why = (
        f"In the time that one model needs for all of them, many kinds of models and settings can be compared on a "
        f"part of the {training_rows:,} rows, drawn at random. Those that lead are then trained on all rows, or on "
        "as many as the time allows. All are scored on the same held-out rows."
    )
    decision = Decision(
        topic="First passes",
        choice=f"on {round(share * training_rows):,} rows, then the leading models on all",
        why=why,
        evidence={"rows": round(share * training_rows), "share": share},
    )
    return share, [decision]
