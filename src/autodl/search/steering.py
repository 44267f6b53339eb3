"""What to evaluate next: strategy and scheduler put together, as a pure function of the history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autodl.errors import ConfigError
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step, comparable
from autodl.search.schedulers.base import Scheduler, going_on, schedulers
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy, strategies

PROPOSALS = 4
"""Proposals looked at when the first was tried before."""


@dataclass(frozen=True)
class Steering:
    """Chooses evaluations.

    Attributes:
        space: Where to search.
        strategy: Proposes configurations.
        scheduler: Says how far each goes; None where the strategy does that itself or there is no fidelity.
        fidelity: The range of the resource, or None.
        seed: Each choice derives its own from it and from the number of evaluations begun.
    """

    space: SearchSpace
    strategy: Strategy
    scheduler: Scheduler | None
    fidelity: Fidelity | None
    seed: int

    @classmethod
    def of(
        cls, space: SearchSpace, strategy: str, scheduler: str | None, fidelity: Fidelity | None, seed: int
    ) -> Steering:
        """From the names a user gives.

        Raises:
            ConfigError: An unknown name, a space the strategy cannot search, a scheduler without a fidelity.
        """
        chosen = strategies[strategy](seed)
        chosen.check(space)
        if fidelity is None:
            if scheduler not in (None, "none"):
                schedulers[str(scheduler)]
                raise ConfigError(
                    f"the scheduler '{scheduler}' needs a `fidelity` to schedule",
                    "Give for example fidelity=(1, 50), or leave the scheduler out.",
                )
            return cls(space, chosen, None, None, seed)
        if scheduler is None and chosen.plans_fidelity:
            return cls(space, chosen, None, fidelity, seed)
        return cls(space, chosen, schedulers[scheduler or chosen.scheduler](), fidelity, seed)

    def next(self, history: Sequence[Observation], begun: int, left: float, calls: float = math.inf) -> Step | None:
        """The next evaluation, or None if there is none now.

        Args:
            history: One observation a configuration.
            begun: Evaluations begun so far.
            left: Resource that may still be spent.
            calls: Evaluations that may still be begun.
        """
        if self.fidelity is None or calls > 1 or self.fidelity.high > left or _in_full(history, self.fidelity.high):
            return self._next(history, begun, left)
        # Nothing would be evaluated in full: the last call takes the most promising configuration to the top.
        if any(o.status == "running" for o in history):
            return None  # it may be that one
        paused = [i for i, o in enumerate(history) if going_on(o)]
        if paused:
            best = min(paused, key=lambda i: (-history[i].reached, history[i].loss or 0.0))
            return Step(self.fidelity.high, trial=best)
        step = self._next(history, begun, left)
        return None if step is None else replace(step, fidelity=self.fidelity.high)

    def _next(self, history: Sequence[Observation], begun: int, left: float) -> Step | None:
        rng = np.random.default_rng([self.seed, begun])
        if self.fidelity is None:
            config = self._new(history, rng)
            return Step(1.0, config=config) if config is not None else None
        if self.scheduler is None:
            return self.strategy.step(self.space, history, self.fidelity, left, rng)
        step = self.scheduler.next(history, self.fidelity, left)
        if step is None or step.trial is not None:
            return step
        level = comparable(history, enough=len(self.space.params) + 2)
        config = self._new(level, rng)
        if config is None:
            return self.scheduler.finish(history, self.fidelity, left)
        return Step(step.fidelity, config=config)

    def _new(self, history: Sequence[Observation], rng: np.random.Generator) -> Config | None:
        proposals = self.strategy.ask(self.space, history, 1, rng)
        if not proposals:
            return None
        tried = [o.config for o in history]
        if proposals[0] in tried:  # try on; a repeat is better than an end where the space is small
            more = self.strategy.ask(self.space, history, PROPOSALS, rng)
            return next((c for c in more if c not in tried), proposals[0])
        return proposals[0]


def _in_full(history: Sequence[Observation], top: float) -> bool:
    """Whether a configuration has, or is just getting, all of the resource."""
    return any(o.reached >= top or (o.status == "running" and o.fidelity == top) for o in history)
