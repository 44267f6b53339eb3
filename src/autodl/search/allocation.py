"""Which configuration to try next: the first wave, then the portfolios of what does well, then the strategy.

A pure function of the finished and running trials, so that a resumed run goes on as if it had not stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from autodl.records import FamilyPlan, TrialResult, TrialSpec, TrialStatus
from autodl.search.history import Observation
from autodl.search.naming import trial_number
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy

Fits = Callable[[TrialSpec], bool]

PROPOSALS = 8
"""Configurations asked for at a time, of which the first new one that fits is tried."""
CONTENDERS = 4
"""Families that the strategy searches: the best few by their best trial so far."""


@dataclass(frozen=True)
class Allocation:
    """Chooses trials.

    Attributes:
        families: Candidates in the order of the first wave.
        spaces: Search space of each.
        strategy: Proposes configurations after the portfolios.
        seed: Seed of the run; each choice derives its own from it and from the trial's number.
        reserved: Highest number of a trial that a crash has cost; its id is not used again.
    """

    families: tuple[FamilyPlan, ...]
    spaces: dict[str, SearchSpace]
    strategy: Strategy
    seed: int
    reserved: int = 0

    def next(self, finished: Sequence[TrialResult], running: Sequence[TrialSpec], fits: Fits) -> TrialSpec | None:
        """The next trial that fits into the time left, or None if there is none."""
        taken = [r.spec for r in finished] + list(running)
        number = 1 + max((trial_number(s.id) for s in taken), default=0)
        number = max(number, self.reserved + 1)

        def spec(family: str, config: Config, origin: str) -> TrialSpec:
            return TrialSpec(id=f"t{number:04d}", family=family, config=config, seed=self.seed, origin=origin)

        for family in self.families:
            if not any(s.family == family.key for s in taken):
                # The first listed configuration is the best known; a later, quicker one is better than none.
                for config in self.spaces[family.key].starts():
                    first = spec(family.key, config, "default" if self.spaces[family.key].params else "baseline")
                    if fits(first):
                        return first
        for family_key, config in self._portfolio(finished, taken):
            listed = spec(family_key, config, "portfolio")
            if fits(listed):
                return listed
        rng = np.random.default_rng([self.seed, number])
        for family_key in self._contenders(finished, rng):
            history = self._observations(family_key, finished, running)
            space = self.spaces[family_key]
            # Several proposals: the first may repeat a trial or take more time than is left.
            for config in self.strategy.ask(space, history, PROPOSALS, rng):
                asked = spec(family_key, config, self.strategy.key)
                if not any(o.config == config for o in history) and fits(asked):
                    return asked
        return None

    def ranking(self, finished: Sequence[TrialResult]) -> list[str]:
        """Families with a finished trial, best first."""
        best: dict[str, float] = {}
        for r in finished:
            if r.ok and r.loss is not None and self.spaces[r.spec.family].params:
                best[r.spec.family] = min(r.loss, best.get(r.spec.family, np.inf))
        return sorted(best, key=lambda k: best[k])

    def _portfolio(self, finished: Sequence[TrialResult], taken: Sequence[TrialSpec]) -> list[tuple[str, Config]]:
        entries = [
            (place + rank, rank, key, config)
            for rank, key in enumerate(self.ranking(finished)[: CONTENDERS + 1])
            for place, config in enumerate(self.spaces[key].starts())
            if not any(s.family == key and s.config == config for s in taken)
        ]
        return [(key, config) for _, _, key, config in sorted(entries, key=lambda e: e[:2])]

    def _contenders(self, finished: Sequence[TrialResult], rng: np.random.Generator) -> list[str]:
        """The best families in random order, better ones more often first (weights 1/rank)."""
        keys = self.ranking(finished)[:CONTENDERS]
        if not keys:
            return []
        weights = 1.0 / np.arange(1, len(keys) + 1)
        order = rng.choice(len(keys), size=len(keys), replace=False, p=weights / weights.sum())
        return [keys[i] for i in order]

    def _observations(
        self, key: str, finished: Sequence[TrialResult], running: Sequence[TrialSpec]
    ) -> list[Observation]:
        seen = [
            Observation(
                config=r.spec.config,
                status=_status(r.status),
                loss=r.loss if r.status in (TrialStatus.OK, TrialStatus.STOPPED) else None,
                steps=r.fold_losses,
            )
            for r in finished
            if r.spec.family == key
        ]
        return seen + [Observation(config=s.config, status="running") for s in running if s.family == key]


def _status(status: TrialStatus) -> Literal["ok", "stopped", "failed"]:
    if status is TrialStatus.OK:
        return "ok"
    return "stopped" if status is TrialStatus.STOPPED else "failed"
