"""Model-based Hyperband."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy
from autodl.search.strategies.tpe import TPE


class BOHB(Strategy):
    """Hyperband whose configurations a Parzen estimator proposes, but for a random share.

    The driver hands it losses of one fidelity: the highest with enough of them.
    """

    key: ClassVar[str] = "bohb"
    name: ClassVar[str] = "Model-based Hyperband (BOHB)"
    summary: ClassVar[str] = (
        "guesses where good settings lie, and tries most on little data or few rounds first; "
        "good when training is long"
    )
    paper: ClassVar[str] = "Falkner et al., ICML 2018"
    scheduler: ClassVar[str] = "hyperband"

    random_share: ClassVar[float] = 1 / 3

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """A third at random, the rest from the model."""
        draws = rng.random(n) < self.random_share
        modelled = TPE().ask(space, history, int((~draws).sum()), rng)
        fresh = iter(modelled)
        return [c for c in (space.sample(rng) if d else next(fresh, None) for d in draws) if c is not None]
