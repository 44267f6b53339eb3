"""What a search strategy is: a pure function from a space and a history to the next configurations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.errors import ConfigError
from autodl.registry import Registry
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step
from autodl.search.space import Config, SearchSpace


class Strategy(ABC):
    """Proposes configurations. Keeps no state: after a restart the same history gives the same proposals.

    Args:
        seed: Seed of the whole search, for strategies that lay out their points in advance.
    """

    key: ClassVar[str]
    name: ClassVar[str]
    summary: ClassVar[str] = ""
    """What it does and when it is good, in one plain line without a full stop; for ``--search help``."""
    paper: ClassVar[str]
    scheduler: ClassVar[str] = "none"
    """The scheduler that it goes with where evaluations have a fidelity and the user names none."""
    several_losses: ClassVar[bool] = False
    """Whether it minimizes several losses at once; in a fit these are the loss, the time for a row and the size."""

    inherits: ClassVar[bool] = False
    """Whether new configurations go on from the trained state of others."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

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

    def check(self, space: SearchSpace) -> None:  # noqa: B027 - most can search any space
        """Refuse a space that the strategy cannot search.

        Raises:
            ConfigError: Naming the parameter and the remedy.
        """

    def step(
        self,
        space: SearchSpace,
        history: Sequence[Observation],
        fidelity: Fidelity,
        left: float,
        rng: np.random.Generator,
    ) -> Step | None:
        """Choose configuration and fidelity together; only for strategies that say ``plans_fidelity``.

        Args:
            space: Where to search.
            history: Everything tried, each with its ``curve``.
            fidelity: The range of the resource.
            left: Resource that may still be spent.
            rng: The only source of randomness.

        Returns:
            The next evaluation, or None if none fits.
        """
        return None

    @property
    def plans_fidelity(self) -> bool:
        """Whether ``step`` is to be used where evaluations have a fidelity and no scheduler was named."""
        return False

    def why(self, space: SearchSpace, fidelity: Fidelity | None, max_evals: float) -> str:
        """What it does here, in a sentence."""
        return f"{self.name}, as asked."


def refuse(strategy: Strategy, names: Sequence[str], kind: str, remedy: str) -> None:
    """Raise if there are parameters that a strategy cannot search.

    Raises:
        ConfigError: If ``names`` is not empty.
    """
    if names:
        shown = ", ".join(f"'{n}'" for n in names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise ConfigError(f"the strategy '{strategy.key}' cannot search {kind}: {shown}", remedy)


strategies: Registry[type[Strategy]] = Registry(
    "autodl.search.strategies", Strategy, group="autodl.strategies", noun="search strategy"
)
"""All strategies by key."""
