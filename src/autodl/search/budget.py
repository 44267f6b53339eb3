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
LOOK_EVERY_S, CLOSELY_S = 5.0, 1.0
"""Between two looks at the machine: while trials run, and at the end of a run, where each second counts."""
FINISH_S = 2.7
"""Seconds that the end of a run takes on a small table, with a margin."""
AFTER_CHOICE, AFTER_REFITS, AFTER_EXPLANATION = 0.75, 0.6, 0.4
"""Parts of the end of a run that are kept for what comes after choosing the ensemble, after training it again (the
explanation, the report and the exit), and after the explanation."""
GRACE_SHARE, GRACE_S, MOST_GRACE_SHARE = 0.02, 1.0, 0.04
"""By so much of the budget, and so many seconds, the last charts of the report may pass it, but never by more than
the last share: a run ends within its budget and 5 %."""


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

    def look(self, crowd: float = 1.0, every_s: float = LOOK_EVERY_S) -> None:
        """Time a small piece of work, unless that was done a moment ago.

        Args:
            crowd: By how much the run's own trials, of which nothing will be left later, slow this process down on a
                machine that is idle otherwise. Among other programs their share is less: they add one to the load.
            every_s: A look is believed for so many seconds.
        """
        now = time.monotonic()
        if now - self.looked < every_s:
            return
        from autodl.machine import slowness

        whole = slowness()
        later = max(whole / crowd, whole - 1.0) if crowd > 1.0 else whole
        seen = min(MOST_PACE, max(LEAST_PACE, later))
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

    def look_closely(self) -> None:
        """See how quick the machine is now, before a step of the end of a run; without a clock it plays no part."""
        if not self.unlimited:
            self.pace.look(every_s=CLOSELY_S)

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

    def charts(self) -> Deadline:
        """When the report may begin its last chart: a little after the end, for a page with charts is worth it."""
        grace = min(GRACE_SHARE * self.total_s + GRACE_S, MOST_GRACE_SHARE * self.total_s)
        return self.until(-grace) if not self.unlimited else Deadline()

    def until(self, reserve_s: float) -> Deadline:
        """The moment at which only ``reserve_s`` seconds are left."""
        return Deadline() if self.unlimited else Deadline.after(self.total_s - self.elapsed() - reserve_s)
