"""Random search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy


class RandomSearch(Strategy):
    """Independent uniform draws: the yardstick for every other strategy."""

    key: ClassVar[str] = "random"
    name: ClassVar[str] = "Random search"
    summary: ClassVar[str] = "draws settings at random; good as a baseline to compare with"
    paper: ClassVar[str] = "Bergstra and Bengio, JMLR 2012"

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Draw ``n`` configurations."""
        return [space.sample(rng) for _ in range(n)]
