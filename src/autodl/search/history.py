"""What strategies and schedulers see of the past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autodl.search.space import Config


@dataclass(frozen=True)
class Observation:
    """One configuration, finished or still running.

    Attributes:
        config: A full configuration.
        status: ``stopped`` trials have a loss of what they had reached; ``failed`` and ``running`` have none.
        loss: Lower is better.
        fidelity: Resource spent; None means all of it.
        steps: Losses along the way (folds or epochs).
    """

    config: Config
    status: Literal["ok", "stopped", "failed", "running"] = "ok"
    loss: float | None = None
    fidelity: float | None = None
    steps: tuple[float, ...] = ()
