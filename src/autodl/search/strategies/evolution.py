"""Regularized evolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.search.encoding import Encoding
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy


class Evolution(Strategy):
    """Changes one part of the best of a few members of the youngest generation; the oldest die."""

    key: ClassVar[str] = "evolution"
    name: ClassVar[str] = "Regularized evolution"
    summary: ClassVar[str] = (
        "changes one setting of a good trial at a time; good for choices and architectures, and many trials"
    )
    paper: ClassVar[str] = "Real et al., AAAI 2019"

    population: ClassVar[int] = 20
    sample: ClassVar[int] = 10

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Random configurations until the population is full, then children of tournament winners."""
        if not space.params:
            return []
        encoding = Encoding(space)
        alive = [o for o in history if o.loss is not None and np.isfinite(o.loss)][-self.population :]
        tried = [o.config for o in history]
        out: list[Config] = []
        for _ in range(n):
            child: Config = {}
            for _attempt in range(20):  # a child that was tried before teaches nothing
                if len(history) + len(out) < self.population or not alive:
                    row = encoding.random(1, rng)
                else:
                    few = rng.choice(len(alive), size=min(self.sample, len(alive)), replace=False)
                    parent = min((alive[i] for i in few), key=lambda o: o.loss or 0.0)
                    row = encoding.mutate(encoding.encode([parent.config]), rng, extra=0.1 if _attempt > 5 else 0.0)
                child = encoding.decode(row[0])
                if child not in tried and child not in out:
                    break
            out.append(child)
        return out
