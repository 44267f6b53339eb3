"""The default: chooses by space, fidelity and budget, and says why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.search.encoding import Encoding
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy
from autodl.search.strategies.evolution import Evolution
from autodl.search.strategies.gp import GP
from autodl.search.strategies.mfgp import MultiFidelityGP

MODEL_LIMIT = 1000
"""Trials beyond which a Gaussian process costs more than it gives; evolution goes on from there."""


class Auto(Strategy):
    """A Gaussian process, with the fidelity in it where there is one; evolution for very long searches."""

    key: ClassVar[str] = "auto"
    name: ClassVar[str] = "Automatic choice"
    paper: ClassVar[str] = ""

    @property
    def plans_fidelity(self) -> bool:
        """It does, by its model."""
        return True

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """What the chosen strategy proposes."""
        chosen = Evolution(self.seed) if len(history) >= MODEL_LIMIT else GP(self.seed)
        return chosen.ask(space, history, n, rng)

    def step(
        self,
        space: SearchSpace,
        history: Sequence[Observation],
        fidelity: Fidelity,
        left: float,
        rng: np.random.Generator,
    ) -> Step | None:
        """What the model over configurations and fidelities proposes."""
        return MultiFidelityGP(self.seed).step(space, history, fidelity, left, rng)

    def why(self, space: SearchSpace, fidelity: Fidelity | None, max_evals: float) -> str:
        """The choice and its reason."""
        encoding = Encoding(space)
        choices = int(encoding.categorical.sum())
        kinds = [f"{n} {word}" for n, word in ((encoding.width - choices, "numbers"), (choices, "choices")) if n]
        space_text = " and ".join(kinds) or "nothing"
        if fidelity is not None:
            return (
                f"A Gaussian process over {space_text} and the fidelity: cheap evaluations say which configurations "
                "are worth going on with."
            )
        if encoding.size <= max_evals and not math.isinf(max_evals):
            return f"The space has only {encoding.size:,.0f} configurations: each is tried once, the best bets first."
        later = f" After {MODEL_LIMIT:,} trials evolution goes on." if max_evals > MODEL_LIMIT else ""
        return f"A Gaussian process over {space_text}: it learns most from few evaluations.{later}"
