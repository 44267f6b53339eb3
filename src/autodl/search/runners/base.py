"""What carries out trials: in this process, in worker processes, or on Ray."""

from __future__ import annotations

from abc import ABC, abstractmethod

from autodl.search.trial import Job, TrialOutcome

MAX_RETRIES = 1
"""How often a trial is started again after its worker died for another reason than lack of memory."""
PAUSE_S = 1.0
"""Before another worker is started in place of one that did not come up; doubles with each."""

PREDICTING = 0.3
"""Of its time, that a trial may take longer while it predicts: that ends by itself, and the training is done."""


def grace(seconds: float, step: str | None = "") -> float:
    """Seconds that a trial may take beyond its deadline before it is given up.

    Args:
        seconds: That it had.
        step: What it is doing, in words; None where that is not known, so that it may be predicting.
    """
    share = 0.1 + (PREDICTING if step is None or step.startswith("predicting") else 0.0)
    return 1.0 + share * min(seconds, 60.0)


class Runner(ABC):
    """Carries out jobs one or several at a time; the search code is the same for all."""

    @abstractmethod
    def free(self) -> int:
        """How many jobs can be submitted now; 0 with nothing running while workers come up again."""

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Start a job. Call only if ``free() > 0``."""

    @abstractmethod
    def wait(self, timeout: float) -> list[TrialOutcome]:
        """Outcomes that have arrived, after at most ``timeout`` seconds; empty if none has."""

    @abstractmethod
    def running(self) -> list[Job]:
        """Jobs submitted and not yet returned."""

    @abstractmethod
    def close(self) -> None:
        """Give up what is still running and free everything."""
