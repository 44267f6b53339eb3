"""What a scheduler is: a pure function that says whether a running trial is worth going on with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from autodl.registry import Registry


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


schedulers: Registry[type[Scheduler]] = Registry(
    "autodl.search.schedulers", Scheduler, group="autodl.schedulers", noun="scheduler"
)
"""All schedulers by key."""
