"""What a scheduler is: a pure function that says whether a running trial is worth going on with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from autodl.registry import Registry
from autodl.search.curves import Curve
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step


class Verdict(StrEnum):
    """What to do with a running trial."""

    CONTINUE = "continue"
    STOP = "stop"


class Scheduler(ABC):
    """Decides from a trial's losses so far and those of other trials."""

    key: ClassVar[str]
    name: ClassVar[str]
    summary: ClassVar[str] = ""
    """What it does and when it is good, in one plain line without a full stop; for ``--scheduler help``."""
    paper: ClassVar[str]
    halves: ClassVar[bool] = False
    """Whether it promotes the best of many cheap evaluations, so that parts of the rows are of use to it."""

    @abstractmethod
    def decide(self, steps: Sequence[float], rivals: Sequence[Sequence[float]]) -> Verdict:
        """Judge a trial between two folds.

        Args:
            steps: Its losses so far, one a fold; lower is better.
            rivals: The same of the trials it competes with; some were stopped, and have fewer.
        """

    def judges_after(self, folds: int, number: int) -> bool:
        """Whether ``decide`` is asked after so many folds; by default after each.

        Args:
            folds: How many are done.
            number: Number of the trial, for schedulers that treat trials in turn.
        """
        return True

    def moments(self, number: int) -> tuple[float, ...]:
        """Progress, rising, at which ``during`` is asked about the first fold's training; never by default.

        Args:
            number: Number of the trial, for schedulers that treat trials in turn.
        """
        return ()

    def during(self, curve: Curve, moment: float, rivals: Sequence[Curve]) -> Verdict:
        """Judge a trial while its model trains.

        Args:
            curve: The training so far, at least up to ``moment``.
            moment: One of ``moments``.
            rivals: Trainings of trials of the same family by the same measure, stopped ones among them; at least
                four have come to their end.
        """
        return Verdict.CONTINUE

    def next(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """Choose between going on with a configuration and a new one, for objectives that take a fidelity.

        Args:
            trials: All configurations in the order of their start, each with its ``curve``.
            fidelity: The range of the resource.
            left: Resource that may still be spent.

        Returns:
            The next evaluation, or None if none fits. The default gives each new configuration all of it.
        """
        return Step(fidelity.high) if fidelity.high <= left else None

    def finish(self, trials: Sequence[Observation], fidelity: Fidelity, left: float) -> Step | None:
        """Choose what goes on where ``next`` wants a new configuration and there is none.

        Args:
            trials: All configurations in the order of their start, each with its ``curve``.
            fidelity: The range of the resource.
            left: Resource that may still be spent.

        Returns:
            The next evaluation, or None if there is none now; by default nothing goes on.
        """
        return None


def going_on(trial: Observation) -> bool:
    """Whether a configuration could be evaluated further: it neither runs nor failed."""
    return trial.status in ("ok", "stopped")


schedulers: Registry[type[Scheduler]] = Registry(
    "autodl.search.schedulers", Scheduler, group="autodl.schedulers", noun="scheduler"
)
"""All schedulers by key."""
