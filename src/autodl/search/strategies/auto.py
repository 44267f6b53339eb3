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
from autodl.search.strategies.gp import GP, start_size
from autodl.search.strategies.mfgp import MultiFidelityGP

MODEL_LIMIT = 1000
"""Trials beyond which a Gaussian process costs more than it gives; evolution goes on from there."""

FULL_ENOUGH, FULL_LEAST = 2.0, 20.0
"""Full evaluations from which early results are not needed: a multiple of the model's start, and at least so many."""


class Auto(Strategy):
    """A Gaussian process, with the fidelity in it where means are scarce; evolution for very long searches."""

    key: ClassVar[str] = "auto"
    name: ClassVar[str] = "Bayesian search (auto)"
    summary: ClassVar[str] = "picks one of the others by the space and the budget; good when in doubt"
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
        """All of the resource for each where that allows for enough of them, else little first."""
        # With what is left it adds up to the same total in every step, so that the choice stays as it is.
        spent = sum(fidelity.spent(o.calls) for o in history)
        if not affords_full(Encoding(space), (left + spent) / fidelity.high + 1e-9):
            return MultiFidelityGP(self.seed).step(space, history, fidelity, left, rng)
        if fidelity.high > left:
            return None
        config = next(iter(GP(self.seed).ask(space, history, 1, rng)), None)
        return None if config is None else Step(fidelity.high, config=config)

    def why(self, space: SearchSpace, fidelity: Fidelity | None, max_evals: float) -> str:
        """The choice and its reason."""
        encoding = Encoding(space)
        choices = int(encoding.categorical.sum())
        kinds = [f"{n} {word}" for n, word in ((encoding.width - choices, "numbers"), (choices, "choices")) if n]
        space_text = " and ".join(kinds) or "nothing"
        if fidelity is not None and affords_full(encoding, max_evals):
            return (
                f"A Gaussian process over {space_text}, each configuration with all of the resource: the total "
                "allows for enough of them, and a model of full results errs less than one of early results."
            )
        if fidelity is not None:
            return (
                f"A Gaussian process over {space_text} and the fidelity: cheap evaluations say which configurations "
                "are worth going on with."
            )
        if encoding.size <= max_evals and not math.isinf(max_evals):
            return f"The space has only {encoding.size:,.0f} configurations: each is tried once, the best bets first."
        later = f" After {MODEL_LIMIT:,} trials evolution goes on." if max_evals > MODEL_LIMIT else ""
        return f"A Gaussian process over {space_text}: it learns most from few evaluations.{later}"


def affords_full(encoding: Encoding, full: float) -> bool:
    """Whether so many full evaluations are enough for a model of full results alone; not if the number is unknown."""
    return max(FULL_LEAST, FULL_ENOUGH * start_size(encoding)) <= full < math.inf
