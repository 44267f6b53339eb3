"""How many training steps fit before the deadline, and how far a training is in them."""

from __future__ import annotations

import math
import time

from autodl.clock import Deadline

WARM_UP = 5
"""First steps that say nothing of the pace: libraries load and memory is taken."""
PLAN_AFTER = 2 * WARM_UP
"""Steps before the schedule is fitted to the deadline."""
DEADLINE_SHARE = 0.92
"""Share of the time left at the first planning that the schedule plans to use."""


class StepPlan:
    """The steps of one training; a deadline that is too near for all of them makes them fewer.

    Args:
        n_steps: Steps without a deadline. used: Share of them after which training ends. deadline: Of the training.

    Attributes:
        total: Steps without a deadline.
        planned: Steps that the schedule spans as things stand.
        used: Share of the schedule after which training ends.
        progress: Share of the schedule that is done; it never falls.
    """

    def __init__(self, n_steps: int, used: float, deadline: Deadline) -> None:
        self.total = self.planned = n_steps
        self.used, self.progress = used, 0.0
        self._deadline = deadline
        self._warm_at = time.monotonic()
        self._reserve: float | None = None

    @property
    def last_step(self) -> int:
        """Steps after which training ends."""
        return max(1, round(self.used * self.planned))

    def advance(self, done: int) -> None:
        """Before each step: how many were made so far."""
        if done == WARM_UP:
            self._warm_at = time.monotonic()
        if done >= PLAN_AFTER and math.isfinite(self._deadline.at):
            pace = (time.monotonic() - self._warm_at) / (done - WARM_UP)
            # A share of what is left now would shrink to nothing, and the training end at the deadline itself.
            if self._reserve is None:
                self._reserve = (1 - DEADLINE_SHARE) * self._deadline.left()
            fits = done + int(max(0.0, self._deadline.left() - self._reserve) / pace)
            # Anew each time: a slow moment must not shorten the training for good.
            self.planned = max(1, min(self.total, int(fits / self.used)))
        self.progress = max(self.progress, min(1.0, done / self.planned))
