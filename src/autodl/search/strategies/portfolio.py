"""The listed configurations, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy


class Portfolio(Strategy):
    """Tries the space's portfolio in its order."""

    key: ClassVar[str] = "portfolio"
    name: ClassVar[str] = "Portfolio"
    summary: ClassVar[str] = "tries the listed settings only, then ends; good when time is very short"
    paper: ClassVar[str] = "Feurer et al., Auto-sklearn 2.0, JMLR 2022"

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """The first ``n`` listed configurations that were not tried yet."""
        tried = [o.config for o in history]
        return [c for c in space.starts() if c not in tried][:n]
