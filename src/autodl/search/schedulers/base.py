"""What a scheduler is: a pure function that says whether a running trial is worth going on with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from autodl.registry import Registry
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step


class Verdict(StrEnum):
    """What to do with a running trial."""

    CONTINUE = "continue"
    STOP = "stop"
    PROMOTE = "promote"


class Scheduler(ABC):
    """Decides from a trial's losses so far and those of finished trials."""

    key: ClassVar[str]
    name: ClassVar[str]
    paper: ClassVar[str]

    @abstractmethod
    def decide(self, steps: Sequence[float], rivals: Sequence[Sequence[float]]) -> Verdict:
        """Judge a trial.

        Args:
            steps: Its losses so far, one a fold (or epoch); lower is better.
            rivals: The same of the finished trials it competes with.
        """

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


def going_on(trial: Observation) -> bool:
    """Whether a configuration could be evaluated further: it neither runs nor failed."""
    return trial.status in ("ok", "stopped")


schedulers: Registry[type[Scheduler]] = Registry(
    "autodl.search.schedulers", Scheduler, group="autodl.schedulers", noun="scheduler"
)
"""All schedulers by key."""
