"""The median stopping rule."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import ClassVar

from autodl.search.schedulers.base import Scheduler, Verdict


class MedianStopping(Scheduler):
    """Stops a trial whose running mean loss is worse than the median of its rivals' at the same step."""

    key: ClassVar[str] = "median"
    name: ClassVar[str] = "Median stopping"
    paper: ClassVar[str] = "Golovin et al., Google Vizier, KDD 2017, section 3.2"

    min_rivals: ClassVar[int] = 4
    """With fewer finished trials there is no median worth trusting."""

    def decide(self, steps: Sequence[float], rivals: Sequence[Sequence[float]]) -> Verdict:
        """Compare running means at step ``len(steps)``."""
        k = len(steps)
        if k == 0:
            return Verdict.CONTINUE
        comparable = [statistics.fmean(r[:k]) for r in rivals if len(r) >= k]
        if len(comparable) < self.min_rivals:
            return Verdict.CONTINUE
        return Verdict.STOP if statistics.fmean(steps) > statistics.median(comparable) else Verdict.CONTINUE
