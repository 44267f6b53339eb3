"""Follows a training and asks a scheduler, at its moments, whether it is worth going on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autodl.search.curves import Curve
from autodl.search.rivals import MIN_RIVALS
from autodl.search.schedulers.base import Scheduler, Verdict


@dataclass
class TrainingWatch:
    """A ``Watch`` for one training; remembers whether it ended it.

    Attributes:
        scheduler: Who decides.
        rivals: Curves of the same measure.
        number: Number of the trial, for schedulers that treat trials in turn.
        points: (progress, loss) told so far.
        stopped: Whether it has told the training to end.
    """

    scheduler: Scheduler
    rivals: Sequence[Curve]
    number: int
    points: list[tuple[float, float]] = field(default_factory=list)
    stopped: bool = False

    def __post_init__(self) -> None:
        enough = sum(r.ended for r in self.rivals) >= MIN_RIVALS
        self._moments = list(self.scheduler.moments(self.number)) if enough else []

    def __call__(self, progress: float, loss: float) -> bool:
        """Whether to end the training; see ``autodl.watch``."""
        self.points.append((progress, loss))
        while self._moments and not self.stopped and progress >= self._moments[0] - 1e-12:
            moment = self._moments.pop(0)
            curve = Curve.of(self.points)
            # A training in few steps may pass several moments at once; the last is the one to judge.
            if progress < 1.0 and not (self._moments and progress >= self._moments[0]):
                self.stopped = self.scheduler.during(curve, moment, self.rivals) is Verdict.STOP
        return self.stopped

    @property
    def reached(self) -> float:
        """The progress told last; 1 where none was told."""
        return self.points[-1][0] if self.points else 1.0
