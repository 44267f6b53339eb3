"""Learning-curve extrapolation."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import ClassVar

from autodl.search.curves import Curve
from autodl.search.extrapolation import forecast
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step
from autodl.search.schedulers.base import Scheduler, Verdict, going_on


class Extrapolate(Scheduler):
    """Stops what will hardly beat the best trial, by where its learning curve seems to go."""

    key: ClassVar[str] = "extrapolate"
    name: ClassVar[str] = "Learning-curve extrapolation"
    paper: ClassVar[str] = "Domhan et al., IJCAI 2015; Chandrashekaran and Lane, ECML 2017"

    least: ClassVar[float] = 0.05
    """A trial that beats the best one with less than this probability is stopped."""
    min_rivals: ClassVar[int] = 4

    def decide(self, steps: Sequence[float], rivals: Sequence[Sequence[float]]) -> Verdict:
        """Compare with the best rival fold by fold: stop where the mean of the rest would have to turn over.

        The folds of a rival that is better so far differ from the trial's own by a mean and a spread; the probability
        that the mean over all folds changes its sign is that of a t distribution with a pooled spread.
        """
        k = len(steps)
        whole = [r for r in rivals if len(r) > k]
        if k == 0 or len(whole) < self.min_rivals:
            return Verdict.CONTINUE
        best = min(whole, key=statistics.fmean)
        others = [r for r in whole if r is not best]
        # How much the difference of two trials changes from one fold to another, by the rivals.
        spread = statistics.median(statistics.pstdev([a - b for a, b in zip(r, best, strict=False)]) for r in others)
        lead = statistics.fmean(s - b for s, b in zip(steps, best, strict=False))
        folds = len(best)
        # Mean over all folds = lead + error of the folds not seen, as in sampling from a finite population.
        error = spread * (1 / k - 1 / folds) ** 0.5
        return Verdict.STOP if lead > 0 and _below(-lead, error, len(others)) < self.least else Verdict.CONTINUE

    def moments(self, number: int) -> tuple[float, ...]:
        """Often at first, where most is saved."""
        return (0.08, 0.12, 0.16, 0.22, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)

    def during(self, curve: Curve, moment: float, rivals: Sequence[Curve]) -> Verdict:
        """Stop if the loss at the end is unlikely to be below that of the best trial, by the search's metric."""
        ended = [r for r in rivals if r.ended]
        if len(ended) < self.min_rivals:
            return Verdict.CONTINUE
        target = min(ended, key=lambda r: r.loss).best
        here = curve.at(moment)
        if here is None or here <= target:
            return Verdict.CONTINUE
        seen = forecast(curve, ended, moment)
        if seen is None:
            return Verdict.CONTINUE
        return Verdict.STOP if seen.below(target) < self.least else Verdict.CONTINUE

    def next(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """Go on with the youngest that may still become the best, or begin a new one."""
        rungs = fidelity.rungs(2.0)
        whole = [_curve(t, fidelity) for t in trials if t.reached >= fidelity.high]
        for i in range(len(trials) - 1, -1, -1):
            t = trials[i]
            if not going_on(t) or t.reached >= fidelity.high:
                continue
            further = next(r for r in rungs if r > t.reached)
            if further > left:
                continue
            if self.during(_curve(t, fidelity), t.reached / fidelity.high, whole) is Verdict.CONTINUE:
                return Step(further, trial=i)
        return Step(rungs[0]) if rungs[0] <= left else None


def _curve(trial: Observation, fidelity: Fidelity) -> Curve:
    points = [(f / fidelity.high, loss) for f, loss in trial.curve]
    return Curve.of(points, ended=trial.reached >= fidelity.high, loss=points[-1][1] if points else float("inf"))


def _below(value: float, scale: float, freedom: int) -> float:
    """P(X < value) of a centred t distribution."""
    from scipy.special import stdtr

    return float(stdtr(max(1, freedom), value / max(scale, 1e-12)))
