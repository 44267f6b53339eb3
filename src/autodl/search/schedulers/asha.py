"""Asynchronous successive halving."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from autodl.search.curves import Curve
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step
from autodl.search.schedulers.base import Scheduler, Verdict, going_on

RUNGS = (1 / 9, 1 / 3)
"""Progress at which a training is judged."""


class ASHA(Scheduler):
    """The best third of what was tried with little goes on with three times as much, and so on upwards."""

    key: ClassVar[str] = "asha"
    name: ClassVar[str] = "Asynchronous successive halving (ASHA)"
    summary: ClassVar[str] = "goes on only with the best third at each step; good with many trials at a time"
    paper: ClassVar[str] = "Li et al., MLSys 2020"

    halves: ClassVar[bool] = True
    eta: ClassVar[int] = 3

    def decide(self, steps: Sequence[float], rivals: Sequence[Sequence[float]]) -> Verdict:
        """At steps 1, 3, 9, ... stop what is not among the best third there, by the mean so far."""
        k = len(steps)
        if not _is_power(k, self.eta):
            return Verdict.CONTINUE
        others = [statistics.fmean(r[:k]) for r in rivals if len(r) >= k]
        if len(others) + 1 < self.eta:
            return Verdict.CONTINUE
        better = sum(o < statistics.fmean(steps) for o in others)
        return Verdict.CONTINUE if better < (len(others) + 1) // self.eta else Verdict.STOP

    def moments(self, number: int) -> tuple[float, ...]:
        """A ninth and a third of the training."""
        return RUNGS

    def during(self, curve: Curve, moment: float, rivals: Sequence[Curve]) -> Verdict:
        """Stop what is not among the best third of all that came so far."""
        here = curve.at(moment)
        others = [loss for r in rivals if (loss := r.at(moment)) is not None]
        if here is None or len(others) + 1 < self.eta:
            return Verdict.CONTINUE
        better = sum(o < here for o in others)
        return Verdict.CONTINUE if better < (len(others) + 1) // self.eta else Verdict.STOP

    def next(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """Promote from the highest rung that has one to promote, or begin a new configuration at the lowest."""
        rungs = fidelity.rungs(self.eta)
        for k in range(len(rungs) - 2, -1, -1):
            if rungs[k + 1] > left:
                continue
            here = sorted((loss, i) for i, t in enumerate(trials) if (loss := t.at(rungs[k])) is not None)
            for _, i in here[: len(here) // self.eta]:
                if going_on(trials[i]) and trials[i].reached == rungs[k]:
                    return Step(rungs[k + 1], trial=i)
        return Step(rungs[0]) if rungs[0] <= left else None

    def finish(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """Halve what there is, rung by rung; at least one goes on from each, so that one gets all of the resource."""
        for here, above in pairwise(fidelity.rungs(self.eta)):
            if any(t.status == "running" and (t.fidelity or 0.0) <= here for t in trials):
                return None  # it may be among the best here
            alive = [
                (loss, i) for i, t in enumerate(trials) if t.status != "failed" and (loss := t.at(here)) is not None
            ]
            for _, i in sorted(alive)[: max(1, len(alive) // self.eta)]:
                if going_on(trials[i]) and trials[i].reached == here and above <= left:
                    return Step(above, trial=i)
        return None


def _is_power(k: int, base: int) -> bool:
    while k > 1 and k % base == 0:
        k //= base
    return k == 1
