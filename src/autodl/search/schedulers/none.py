"""Let every trial run to its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from autodl.search.schedulers.base import Scheduler, Verdict


class NoScheduler(Scheduler):
    """Never stops a trial."""

    key: ClassVar[str] = "none"
    name: ClassVar[str] = "No early stopping"
    summary: ClassVar[str] = "trains every trial to its end; good when early scores mislead"
    paper: ClassVar[str] = ""

    def decide(self, steps: Sequence[float], rivals: Sequence[Sequence[float]]) -> Verdict:
        """Always go on."""
        return Verdict.CONTINUE
