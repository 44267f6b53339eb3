"""What strategies and schedulers see of the past."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
        curve: (fidelity, loss) of each evaluation of this configuration, in the order of fidelity.
        order: Place of each evaluation of the curve among all evaluations of the search.
        losses: Several losses, for objectives that return more than one; the first is ``loss``.
        parent: Place in the history of the configuration whose state it went on from; None if it began anew.
    """

    config: Config
    status: Literal["ok", "stopped", "failed", "running"] = "ok"
    loss: float | None = None
    fidelity: float | None = None
    steps: tuple[float, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()
    order: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()
    parent: int | None = None

    def at(self, fidelity: float) -> float | None:
        """The loss at exactly this fidelity."""
        return next((loss for f, loss in self.curve if f == fidelity), None)

    @property
    def calls(self) -> tuple[float, ...]:
        """The fidelity of each evaluation, also of one that failed or runs."""
        begun = self.status in ("failed", "running") and self.fidelity is not None
        return (*(f for f, _ in self.curve), *((self.fidelity,) if begun and self.fidelity is not None else ()))

    @property
    def reached(self) -> float:
        """The highest fidelity with a loss; 0 if there is none."""
        return self.curve[-1][0] if self.curve else 0.0


@dataclass(frozen=True)
class Step:
    """What to evaluate next.

    Attributes:
        fidelity: With how much of the resource.
        trial: Index in the history of the configuration to go on with; None for a new one.
        config: The new configuration, where who proposes the step has chosen it.
        parent: Place in the history of the configuration from whose state the new one goes on.
    """

    fidelity: float
    trial: int | None = None
    config: Config | None = None
    parent: int | None = None


def comparable(history: Sequence[Observation], enough: int) -> list[Observation]:
    """The history with losses of one fidelity only, as losses of different ones do not compare.

    The highest fidelity at which ``enough`` configurations have a loss is taken, or else the one with the most (as in
    BOHB). Configurations without a loss there stay as running ones, so that they are not proposed again.
    """
    counts: dict[float, int] = {}
    for o in history:
        for f, _ in o.curve:
            counts[f] = counts.get(f, 0) + 1
    if not counts:
        return list(history)
    full = [f for f, n in counts.items() if n >= enough]
    level = max(full) if full else max(counts, key=lambda f: (counts[f], f))
    out = []
    for o in history:
        loss = o.at(level)
        if loss is not None:
            out.append(replace(o, status="ok", loss=loss, fidelity=level))
        else:
            out.append(o if o.status == "failed" else replace(o, status="running", loss=None))
    return out


def failed_as_worst(history: Sequence[Observation]) -> list[Observation]:
    """The history with failed configurations as bad as the worst finite loss: models then keep clear of them.

    So is a loss that is not finite. As long as there is no finite loss, all stay as they are.
    """
    losses = [math.inf if o.loss is None else o.loss for o in history]
    worst = max(filter(math.isfinite, losses), default=None)
    if worst is None:
        return list(history)
    return [
        o if o.status == "running" or math.isfinite(loss) else replace(o, status="ok", loss=worst)
        for o, loss in zip(history, losses, strict=True)
    ]
