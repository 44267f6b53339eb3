"""The clock of a run: how much time is left for the search after what must still happen."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from autodl.clock import Deadline

LOOK_SHARE, MORE_SHARE = 0.3, 0.05
"""The checks end at this share of the budget; after slow reading they get at least the second one."""


@dataclass(frozen=True)
class Budget:
    """Wall-clock budget, counted from the start of the command.

    Attributes:
        total_s: Seconds given; infinity means no clock (a trial-count budget).
        started: ``time.time()`` at the start of the process.
    """

    total_s: float
    started: float

    @property
    def unlimited(self) -> bool:
        """Whether the clock plays no part, so that runs repeat exactly."""
        return math.isinf(self.total_s)

    def elapsed(self) -> float:
        """Seconds since the start of the command."""
        return time.time() - self.started

    def left(self) -> float:
        """Seconds until the end, never negative."""
        return max(0.0, self.total_s - self.elapsed())

    def looking(self) -> Deadline:
        """When the checks of the data must end: at a part of the budget, however long reading took."""
        if self.unlimited:
            return Deadline()
        return Deadline.after(max(MORE_SHARE * self.total_s, LOOK_SHARE * self.total_s - self.elapsed()))

    def finish_s(self, n_rows: int, n_columns: int = 0) -> float:
        """Seconds kept for choosing the ensemble, evaluation, explanation, report and exit.

        Measured on the tables of the benchmark: 3 to 6 s; larger budgets afford a fuller explanation.

        Args:
            n_rows: Rows of the whole table.
            n_columns: Features; records, model folder, report and explanation take longer for many.
        """
        if self.unlimited:
            return 0.0
        base = 4.5 + min(4.0, n_rows / 20_000) + min(8.0, n_columns / 1_000)
        return min((0.35 + min(0.15, n_columns / 20_000)) * self.total_s, base + min(0.03 * self.total_s, 20.0))

    def until(self, reserve_s: float) -> Deadline:
        """The moment at which only ``reserve_s`` seconds are left."""
        return Deadline() if self.unlimited else Deadline.after(self.total_s - self.elapsed() - reserve_s)
