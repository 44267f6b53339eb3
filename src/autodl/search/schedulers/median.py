"""The median stopping rule."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import ClassVar

from autodl.search.curves import Curve
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step
from autodl.search.schedulers.base import Scheduler, Verdict, going_on


class MedianStopping(Scheduler):
    """Stops a trial whose running mean loss is worse than the median of its rivals' at the same step."""

    key: ClassVar[str] = "median"
    name: ClassVar[str] = "Median stopping"
    summary: ClassVar[str] = "ends a trial that does worse than most did at the same point; good as a cautious rule"
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

    def moments(self, number: int) -> tuple[float, ...]:
        """Every tenth, once the first fifth is over."""
        return (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)

    def during(self, curve: Curve, moment: float, rivals: Sequence[Curve]) -> Verdict:
        """Compare the best losses up to the same progress."""
        here = curve.at(moment)
        others = [loss for r in rivals if r.ended and (loss := r.at(moment)) is not None]
        if here is None or len(others) < self.min_rivals:
            return Verdict.CONTINUE
        return Verdict.STOP if here > statistics.median(others) else Verdict.CONTINUE

    def next(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """Go on with the youngest that is not worse than the median at its fidelity, or begin a new one."""
        rungs = fidelity.rungs(2.0)
        for i in range(len(trials) - 1, -1, -1):
            t = trials[i]
            if not going_on(t) or t.reached >= fidelity.high:
                continue
            rivals = [loss for o in trials[:i] if (loss := o.at(t.reached)) is not None]
            worth = len(rivals) < self.min_rivals or t.curve[-1][1] <= statistics.median(rivals)
            further = next(r for r in rungs if r > t.reached)
            if worth and further <= left:
                return Step(further, trial=i)
        return Step(rungs[0]) if rungs[0] <= left else None
