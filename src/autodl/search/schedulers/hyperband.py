"""Hyperband."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from autodl.search.curves import Curve
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step
from autodl.search.schedulers.asha import ASHA, RUNGS
from autodl.search.schedulers.base import Scheduler, Verdict, going_on

FOLDS = (1, 3)
"""Folds after which a trial is judged, as ``RUNGS`` of a training."""


class Hyperband(Scheduler):
    """Successive halving in brackets that begin with many configurations and little, or few and much, in turn.

    A configuration's bracket follows from its place in the history, so that nothing has to be remembered.
    """

    key: ClassVar[str] = "hyperband"
    name: ClassVar[str] = "Hyperband"
    summary: ClassVar[str] = (
        "like asha, with several trade-offs between many short and few long trials; good when "
        "it is unclear how much early scores tell"
    )
    paper: ClassVar[str] = "Li et al., JMLR 2018"

    halves: ClassVar[bool] = True
    eta: ClassVar[int] = 3

    def decide(self, steps: Sequence[float], rivals: Sequence[Sequence[float]]) -> Verdict:
        """As in successive halving, for a trial whose bracket is judged there."""
        return ASHA().decide(steps, rivals)

    def judges_after(self, folds: int, number: int) -> bool:
        """The brackets of ``moments``."""
        return folds in FOLDS[number % (len(FOLDS) + 1) :]

    def moments(self, number: int) -> tuple[float, ...]:
        """Brackets in turn: judged twice, once, or never."""
        return RUNGS[number % (len(RUNGS) + 1) :]

    def during(self, curve: Curve, moment: float, rivals: Sequence[Curve]) -> Verdict:
        """As in successive halving."""
        return ASHA().during(curve, moment, rivals)

    def next(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """Fill the youngest bracket, then halve it; a bracket that waits for running trials lets the next begin."""
        rungs = fidelity.rungs(self.eta)
        sizes = [bracket_size(len(rungs), s, self.eta) for s in range(len(rungs) - 1, -1, -1)]
        start, which = 0, 0
        while True:
            size, first = sizes[which % len(sizes)], which % len(sizes)
            members = trials[start : start + size]
            if len(members) < size:
                if rungs[first] <= left:
                    return Step(rungs[first])
                size = len(members)  # no means to fill it: halve what there is
            promoted = self._promotion(members, size, rungs[first:], left)
            if promoted is not None:
                return Step(promoted[1], trial=start + promoted[0])
            if start + size >= len(trials) and size < sizes[which % len(sizes)]:
                return None
            start, which = start + size, which + 1

    def finish(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """As in successive halving, whatever the bracket."""
        return ASHA().finish(trials, fidelity, left)

    def _promotion(
        self, members: Sequence[Observation], size: int, rungs: Sequence[float], left: float
    ) -> tuple[int, float] | None:
        """The next member to go on and its fidelity; None while a rung is incomplete or all is done."""
        survivors = list(range(len(members)))
        for k in range(len(rungs) - 1):
            waiting = [i for i in survivors if members[i].at(rungs[k]) is None and members[i].status == "running"]
            if waiting:
                return None
            ranked = sorted((loss, i) for i in survivors if (loss := members[i].at(rungs[k])) is not None)
            survivors = [i for _, i in ranked[: size // self.eta ** (k + 1)]]
            for i in survivors:
                if members[i].reached == rungs[k] and going_on(members[i]) and rungs[k + 1] <= left:
                    return i, rungs[k + 1]
        return None


def bracket_size(rungs: int, halvings: int, eta: int) -> int:
    """Configurations that a bracket with so many halvings begins with (algorithm 1, line 3)."""
    return math.ceil(rungs * int(eta**halvings) / (halvings + 1))
