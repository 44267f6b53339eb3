"""How many rows of a large table are kept: the one rule, and the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass

MEMORY_SHARE = 1 / 12
"""Share of the machine's memory that a table may fill while it is read and profiled; the search needs the rest for
the matrices of its folds and for its models."""
CELL_BYTES = 28
"""Memory of one cell at the peak of reading: its raw value (8 bytes, or 4 of a category), its canonical value (8),
the codes of its distinct values (8), and a temporary."""
WORD_BYTES = 60
"""Memory of a text that stands in one row only, besides its characters."""
CELLS_PER_CORE_SECOND = 12_000
"""Cells a second of the time budget and core. Boosted trees learn from about a million cells a second and core, five
folds and several tries are wanted, and a third of the budget goes into reading, profiling and the report; so at this
rate some five models fit into the time even on a machine that others use too."""
SCOUTED_CELLS, MOST_SCOUTED = 100_000, 16_000_000
"""Cells a second and core, and cells in all, up to which a table is kept beyond that rate: kinds of models and
settings are compared on a part of the rows then, and only the leaders learn from all of them (``planning.scouting``).
A boosted model takes about two microseconds a cell and core; two workers with so many cells stay within 4 GiB."""
SCOUTED_ROWS = 130_000
"""So many rows that is only done from: on fewer every model learns from all of them."""
TIMED_ROWS, TIMED_CELLS = 100_000, 5_000_000
"""However short the time, so many rows are kept, or so many cells of a wide table: fewer would cost more in the
quality of the model than the time they save is worth."""
MIN_ROWS = 10_000
"""Never fewer rows than these."""


@dataclass(frozen=True)
class Allowance:
    """What reading may use; the default is no limit.

    Attributes:
        memory_bytes: Memory of the whole machine, not what is free just now, so that the same command draws the same
            rows. None: no limit.
        seconds: The time budget of the run; None: no limit.
        cores: Cores that the run may use.
        max_rows: A limit settled earlier, for a resumed run; overrides the rule.
        seed: Of the draw.
        group_column: Rows that share its value are kept or left out together.
        whole: Whether that holds however few groups there are, as for the steps of a series; otherwise few groups
            are drawn from row by row.
    """

    memory_bytes: int | None = None
    seconds: float | None = None
    cores: int = 1
    max_rows: int | None = None
    seed: int = 0
    group_column: str | None = None
    whole: bool = False

    def limit(self, columns: int, text_bytes: float) -> tuple[int | None, str]:
        """The largest number of rows to keep, and why.

        Args:
            columns: Columns that are read.
            text_bytes: Mean bytes a row of texts that do not repeat.

        Returns:
            (rows or None for all, reason in words).
        """
        if self.max_rows is not None:
            return self.max_rows, "as when this run began"
        limits: list[tuple[float, str]] = []
        if self.memory_bytes is not None:
            row = CELL_BYTES * max(1, columns) + text_bytes
            limits.append((MEMORY_SHARE * self.memory_bytes / row, "more would not fit the memory of this machine"))
        if self.seconds is not None:
            least = min(TIMED_ROWS, TIMED_CELLS / max(1, columns))
            cells = CELLS_PER_CORE_SECOND * self.cores * self.seconds
            scouted = min(MOST_SCOUTED, SCOUTED_CELLS * self.cores * self.seconds)
            rows = cells / max(1, columns)
            if scouted / max(1, columns) >= SCOUTED_ROWS:
                rows = max(rows, scouted / max(1, columns))
            limits.append((max(least, rows), f"more could not be learnt from in {self.seconds:g} s"))
        if not limits:
            return None, ""
        most, why = min(limits)
        return max(MIN_ROWS, int(most)), why


UNLIMITED = Allowance()
