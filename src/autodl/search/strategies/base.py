"""What a search strategy is: a pure function from a space and a history to the next configurations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.registry import Registry
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace


class Strategy(ABC):
    """Proposes configurations. Keeps no state: after a restart the same history gives the same proposals."""

    key: ClassVar[str]
    name: ClassVar[str]
    paper: ClassVar[str]

    @abstractmethod
    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Propose.

        Args:
            space: Where to search.
            history: Everything tried, running trials included.
            n: How many proposals are wanted.
            rng: The only source of randomness.

        Returns:
            At most ``n`` full configurations; fewer if the strategy has nothing more to propose.
        """


strategies: Registry[type[Strategy]] = Registry(
    "autodl.search.strategies", Strategy, group="autodl.strategies", noun="search strategy"
)
"""All strategies by key."""
