"""How a network's architecture is searched beside everything else: what to ask next, as functions of the history.

The parameters that a space lists as ``nas`` are the architecture, the others the rest. Notation: a turn is one trial
that the search, and no list, has asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autodl.search.history import Observation
from autodl.search.parts import free_part, joined, project
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy, strategies

MODES = ("joint", "none", "supernet")
"""Ways to search architectures besides the strategies."""
PROPOSALS = (1, 1, 2, 4)
"""Configurations asked for in turn, as long as those before were tried or do not fit: proposals may take long."""

Listed = Callable[[Observation], bool]


@dataclass(frozen=True)
class Past:
    """What a family has seen.

    Attributes:
        history: Its trials, running ones included.
        listed: Those of them that were on a list and not asked for by a strategy.
        turn: Configurations that a strategy has asked for.
        known: Configurations that are not tried again, besides those of ``history``.
    """

    history: Sequence[Observation]
    listed: Sequence[Observation]
    turn: int = 0
    known: Sequence[Config] = ()

    def best(self, among: Sequence[Observation]) -> Config | None:
        """The best finished configuration among some."""
        done = [o for o in among if o.status == "ok" and o.loss is not None]
        return min(done, key=lambda o: o.loss or 0.0).config if done else None


@dataclass(frozen=True)
class Architecture:
    """A way to search architectures.

    Attributes:
        mode: ``joint``, ``none``, ``supernet``, or ``strategy``.
        strategy: For ``strategy``: proposes architectures in every second turn.
    """

    mode: str = "joint"
    strategy: Strategy | None = None

    @classmethod
    def of(cls, nas: str, seed: int) -> Architecture:
        """From the key in a plan."""
        return cls(nas) if nas in MODES else cls("strategy", strategies[nas](seed))

    def parts(self, space: SearchSpace, fixed: Config) -> list[tuple[Strategy | None, SearchSpace]]:
        """What is searched apart, each with its strategy (None: the search's own), given the values of the others."""
        if not space.nas or self.mode in ("joint", "supernet"):
            return [(None, space)]
        rest = [n for n in space.params if n not in space.nas]
        found: list[tuple[Strategy | None, SearchSpace]] = [(None, free_part(space, rest, fixed))]
        if self.strategy is not None:
            found.append((self.strategy, free_part(space, space.nas, fixed)))
        return [(s, part) for s, part in found if part.params]

    def proposals(
        self, space: SearchSpace, past: Past, search: Strategy, rng: np.random.Generator
    ) -> Iterator[tuple[str, Config]]:
        """Origin and configuration of what could be tried next, the best bets first; new ones only.

        Args:
            space: The family's space.
            past: What it has seen.
            search: The strategy of the search.
            rng: The only source of randomness.
        """
        tried = [*(o.config for o in past.history), *past.known]
        if not space.nas or self.mode in ("joint", "supernet"):
            # What is listed comes before the strategy; what of it is left does not fit.
            unlisted = space.model_copy(update={"portfolio": ()})
            yield from _new(search, unlisted, past.history, rng, tried)
            return
        rest = tuple(n for n in space.params if n not in space.nas)
        if self.mode == "none":
            fixed = past.best(past.listed) or space.starts()[0]
            alike = [o for o in past.history if _same(o.config, fixed, space.nas)]
            yield from _within(search, space, rest, fixed, alike, rng, tried)
            return
        assert self.strategy is not None
        fixed = past.best(past.history) or space.starts()[0]
        turns: list[tuple[Strategy, Sequence[str]]] = [(self.strategy, space.nas), (search, rest)]
        if past.turn % 2:
            turns.reverse()
        for strategy, names in turns:
            yield from _within(strategy, space, names, fixed, past.history, rng, tried)


def _within(
    strategy: Strategy,
    space: SearchSpace,
    names: Sequence[str],
    fixed: Config,
    history: Sequence[Observation],
    rng: np.random.Generator,
    tried: list[Config],
) -> Iterator[tuple[str, Config]]:
    """Proposals for some parameters while the others stay fixed."""
    part = free_part(space, names, fixed)
    if not part.params:
        return
    for origin, config in _new(strategy, part, project(part, history), rng, []):
        full = joined(space, fixed, config, names)
        if full not in tried:
            yield origin, full


def _new(
    strategy: Strategy,
    space: SearchSpace,
    history: Sequence[Observation],
    rng: np.random.Generator,
    tried: list[Config],
) -> Iterator[tuple[str, Config]]:
    """The strategy's first choice, then, where that is not taken, others as if it ran."""
    seen = list(history)
    for n in PROPOSALS:
        fresh = [c for c in strategy.ask(space, seen, n, rng) if c not in tried]
        yield from ((strategy.key, config) for config in fresh)
        seen += [Observation(config, "running") for config in fresh]


def _same(a: Config, b: Config, names: Sequence[str]) -> bool:
    absent = object()
    return all(a.get(n, absent) == b.get(n, absent) for n in names)
