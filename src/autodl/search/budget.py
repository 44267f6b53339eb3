"""The clock of a run: how much time is left for the search after what must still happen."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from autodl.clock import Deadline


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

    def finish_s(self, n_rows: int) -> float:
        """Seconds kept for choosing the ensemble, evaluation, explanation, report and exit.

        Measured on the tables of the benchmark: 3 to 6 s; larger budgets afford a fuller explanation.

        Args:
            n_rows: Rows of the whole table.
        """
        if self.unlimited:
            return 0.0
        base = 4.5 + min(4.0, n_rows / 20_000)
        return min(0.35 * self.total_s, base + min(0.03 * self.total_s, 20.0))

    def until(self, reserve_s: float) -> Deadline:
        """The moment at which only ``reserve_s`` seconds are left."""
        return Deadline() if self.unlimited else Deadline.after(self.total_s - self.elapsed() - reserve_s)
