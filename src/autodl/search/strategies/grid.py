"""Grid search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import ClassVar

import numpy as np

from autodl.errors import ConfigError
from autodl.search.encoding import Encoding, listed
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy, refuse

LARGEST = 100_000
"""Configurations beyond which a grid is refused: nobody waits for its end."""


class Grid(Strategy):
    """Every combination once, in an order shuffled by the seed, so that a search cut short saw all corners."""

    key: ClassVar[str] = "grid"
    name: ClassVar[str] = "Grid search"
    summary: ClassVar[str] = "tries every combination in order; good for a few choices with few values"
    paper: ClassVar[str] = ""

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._known: tuple[str, list[Config]] = "", []
        """The combinations of the last space: to list them takes longer than all else."""

    def check(self, space: SearchSpace) -> None:
        """Only choices, whole numbers and stepped numbers, and not too many combinations."""
        encoding = Encoding(space)
        endless = [n for n, k in zip(encoding.names, encoding.levels, strict=True) if k == 0]
        refuse(self, endless, "continuous parameters", "Give each a `step`, make it a choice, or use 'sobol'.")
        self._cells(space)

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """The next combinations that were not tried yet."""
        self.check(space)
        cells = self._cells(space)
        tried = {_frozen(o.config) for o in history}
        order = np.random.default_rng(self.seed).permutation(len(cells))
        fresh = (dict(cells[i]) for i in order if _frozen(cells[i]) not in tried)
        return list(islice(fresh, n))

    def _cells(self, space: SearchSpace) -> list[Config]:
        form = space.model_dump_json(include={"params"})
        if self._known[0] != form:
            cells = list(islice(_combinations(space), LARGEST + 1))
            if len(cells) > LARGEST:
                raise ConfigError(
                    f"the strategy 'grid' would have more than {LARGEST:,} combinations to try",
                    "Give fewer values, or use 'sobol' or 'auto'.",
                )
            self._known = form, cells
        return self._known[1]


def _frozen(config: Config) -> frozenset[tuple[str, object]]:
    return frozenset((k, (type(v).__name__, v)) for k, v in config.items())


def _combinations(space: SearchSpace) -> Iterator[Config]:
    names = space.order()

    def extend(config: Config, at: int) -> Iterator[Config]:
        if at == len(names):
            yield dict(config)
            return
        if not space.active(names[at], config):
            yield from extend(config, at + 1)
            return
        for value in listed(space.params[names[at]]):
            yield from extend({**config, names[at]: value}, at + 1)

    return extend({}, 0) if names else iter(())
