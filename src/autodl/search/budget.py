"""The clock of a run: how much time is left for the search after what must still happen."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from autodl.clock import Deadline

LOOK_SHARE, MORE_SHARE = 0.3, 0.05
"""The checks end at this share of the budget; after slow reading they get at least the second one."""


LEAST_PACE, MOST_PACE = 0.6, 6.0
"""Bounds of what is believed of a look at the machine."""
LOOK_EVERY_S = 5.0
FINISH_S = 2.7
"""Seconds that the end of a run takes on a small table, with a margin."""


@dataclass
class Pace:
    """How long work takes on this machine, as busy as it is now, relative to the idle reference machine.

    Attributes:
        slowdown: 1 on the reference machine; 3 where everything takes three times as long.
        looked: ``time.monotonic()`` of the last look.
    """

    slowdown: float = 1.0
    looked: float = -math.inf

    @property
    def speed(self) -> float:
        """The inverse of ``slowdown``, as cost estimates take it."""
        return 1.0 / self.slowdown

    def look(self, crowd: float = 1.0) -> None:
        """Time a small piece of work, unless that was done a moment ago.

        Args:
            crowd: By how much the run's own trials, of which nothing will be left later, slow this process down.
        """
        now = time.monotonic()
        if now - self.looked < LOOK_EVERY_S:
            return
        from autodl.machine import slowness

        seen = min(MOST_PACE, max(LEAST_PACE, slowness() / crowd))
        # A look lasts an instant; two of them tell more of the seconds to come.
        self.slowdown = seen if math.isinf(self.looked) else math.sqrt(seen * self.slowdown)
        self.looked = now


@dataclass(frozen=True)
class Budget:
    """Wall-clock budget, counted from the start of the command.

    Attributes:
        total_s: Seconds given; infinity means no clock (a trial-count budget).
        started: ``time.time()`` at the start of the process.
        pace: How quick the machine is.
    """

    total_s: float
    started: float
    pace: Pace = field(default_factory=Pace)

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

        Measured on tables of 300 to 50,000 rows on the idle reference machine: 1.5 to 3 s. Where the machine is
        slower or busy, ``pace`` says so; larger budgets afford a fuller explanation.

        Args:
            n_rows: Rows of the whole table.
            n_columns: Features; records, model folder, report and explanation take longer for many.
        """
        if self.unlimited:
            return 0.0
        base = self.pace.slowdown * (FINISH_S + min(4.0, n_rows / 50_000) + min(8.0, n_columns / 1_000))
        return min((0.35 + min(0.15, n_columns / 20_000)) * self.total_s, base + min(0.02 * self.total_s, 20.0))

    def until(self, reserve_s: float) -> Deadline:
        """The moment at which only ``reserve_s`` seconds are left."""
        return Deadline() if self.unlimited else Deadline.after(self.total_s - self.elapsed() - reserve_s)
