"""Learning-curve extrapolation."""

from __future__ import annotations

import math
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
    summary: ClassVar[str] = "ends a trial whose learning curve is not expected to beat the best; good when in doubt"
    paper: ClassVar[str] = "Domhan et al., IJCAI 2015; Chandrashekaran and Lane, ECML 2017"

    least: ClassVar[float] = 0.05
    """A trial that beats the best one with less than this probability is stopped."""
    min_rivals: ClassVar[int] = 4
    looked: ClassVar[int] = 16
    """Unfinished configurations that are judged before a new one is begun; older ones were found hopeless before."""

    def decide(self, steps: Sequence[float], rivals: Sequence[Sequence[float]]) -> Verdict:
        """Compare with the best rival fold by fold: stop where the mean of the rest would have to turn over.

        The folds of a rival that is better so far differ from the trial's own by a mean and a spread; the probability
        that the mean over all folds changes its sign is that of a t distribution with a pooled spread.
        """
        k = len(steps)
        folds = max(map(len, rivals), default=0)
        # The mean of a rival that was stopped is that of its first folds, which may be easy ones.
        whole = [r for r in rivals if len(r) == folds > k]
        if k == 0 or len(whole) < self.min_rivals:
            return Verdict.CONTINUE
        best = min(whole, key=statistics.fmean)
        error = _error(whole, best, k)
        lead = statistics.fmean(s - b for s, b in zip(steps, best, strict=False))
        if error is None or lead <= 0:
            return Verdict.CONTINUE
        return Verdict.STOP if _below(-lead, error, len(whole) - 1) < self.least else Verdict.CONTINUE

    def moments(self, number: int) -> tuple[float, ...]:
        """Often at first, where most is saved."""
        return (0.08, 0.12, 0.16, 0.22, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)

    def during(self, curve: Curve, moment: float, rivals: Sequence[Curve]) -> Verdict:
        """Stop if the loss at the end is unlikely to be below that of the best trial, by the search's metric.

        With several folds the best on the first one need not be the best: the lead that the other folds may make up
        for widens the probability.
        """
        ended = [r for r in rivals if r.ended]
        if len(ended) < self.min_rivals:
            return Verdict.CONTINUE
        best = min(ended, key=lambda r: r.loss)
        here = curve.at(moment)
        if here is None or here <= best.best:
            return Verdict.CONTINUE
        error = self._first_fold_error(ended, best)
        seen = None if error is None else forecast(curve, ended, moment)
        if error is None or seen is None:
            return Verdict.CONTINUE
        return Verdict.STOP if seen.below(best.best, error) < self.least else Verdict.CONTINUE

    def _first_fold_error(self, ended: Sequence[Curve], best: Curve) -> float | None:
        """How much the lead of the best on the first fold may differ from that on all, in the measure of the curves.

        Returns:
            A standard deviation, 0 with a single fold; None if too few whole trials tell it.
        """
        folds = len(best.folds)
        if folds <= 1:
            return 0.0
        whole = [r for r in ended if len(r.folds) == folds]
        if len(whole) < self.min_rivals:
            return None
        error = _error([r.folds for r in whole], best.folds, 1)
        scale = statistics.stdev(r.folds[0] for r in whole)
        if error is None or scale == 0:
            return None
        return error * statistics.stdev(r.best for r in whole) / scale

    def next(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """Go on with the youngest that may still become the best, or begin a new one."""
        rungs = fidelity.rungs(2.0)
        whole = [_curve(t, fidelity) for t in trials if t.reached >= fidelity.high]
        unfinished = [i for i, t in enumerate(trials) if going_on(t) and t.reached < fidelity.high]
        for i in reversed(unfinished[-self.looked :]):
            t = trials[i]
            further = next(r for r in rungs if r > t.reached)
            if further > left:
                continue
            if self.during(_curve(t, fidelity), t.reached / fidelity.high, whole) is Verdict.CONTINUE:
                return Step(further, trial=i)
        return Step(rungs[0]) if rungs[0] <= left else None


def _curve(trial: Observation, fidelity: Fidelity) -> Curve:
    points = [(f / fidelity.high, loss) for f, loss in trial.curve]
    return Curve.of(points, ended=trial.reached >= fidelity.high, loss=points[-1][1] if points else float("inf"))


def _error(whole: Sequence[Sequence[float]], best: Sequence[float], seen: int) -> float | None:
    """Standard error of a mean difference to the best, over all folds, of which only the first few were seen.

    Args:
        whole: Losses on all folds of the rivals, the best among them. best: those of the best.
        seen: How many folds were seen.

    Returns:
        None where all rivals equal the best, so that nothing is known.
    """
    differences = [[a - b for a, b in zip(r, best, strict=False)] for r in whole if r is not best]
    spreads = [statistics.stdev(d) for d in differences if any(d)]
    if not spreads:
        return None
    # As in sampling from a finite population.
    return statistics.median(spreads) * math.sqrt(max(0.0, 1 / seen - 1 / len(best)))


def _below(value: float, scale: float, freedom: int) -> float:
    """P(X < value) of a centred t distribution."""
    from scipy.special import stdtr

    return float(stdtr(max(1, freedom), value / max(scale, 1e-12)))
