"""Covariance matrix adaptation, by the package ``cmaes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.search.encoding import Encoding
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy, refuse


class CMAES(Strategy):
    """Samples from a normal distribution that follows the best points; for numbers only.

    The distribution is learnt anew from the history at each ask, generation by generation in the order of the trials.
    """

    key: ClassVar[str] = "cmaes"
    name: ClassVar[str] = "Evolution strategy (CMA-ES)"
    summary: ClassVar[str] = "moves a cloud of tries towards better ones; good for many numbers that act together"
    paper: ClassVar[str] = "Hansen, arXiv:1604.00772"

    def check(self, space: SearchSpace) -> None:
        """Numbers only, without conditions, and at least one."""
        remedy = "Use 'auto', 'gp' or 'tpe', which can."
        choices = [n for n, p in space.params.items() if p.type == "choice"]
        refuse(self, choices, "choices", remedy)
        refuse(self, [n for n, p in space.params.items() if p.when], "parameters with a condition", remedy)

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Sample ``n`` configurations."""
        self.check(space)
        if not space.params:
            return []
        from cmaes import CMA

        encoding = Encoding(space)
        d = encoding.width
        if d == 1:  # the covariance of one number is not worth learning, and the package wants two
            return _line_search(encoding, history, n, rng)
        model = CMA(
            mean=encoding.encode([space.complete({})])[0],
            sigma=1 / 6,
            bounds=np.array([[0.0, 1.0]] * d),
            seed=int(rng.integers(2**31)),
        )
        done = [o for o in history if o.loss is not None and np.isfinite(o.loss)]
        X = encoding.encode([o.config for o in done])
        size = model.population_size
        for start in range(0, len(done) - size + 1, size):
            if model.should_stop():
                break
            model.tell([(X[i], float(done[i].loss or 0.0)) for i in range(start, start + size)])
        rows = np.array([model.ask() for _ in range(n)])
        return [encoding.decode(row) for row in encoding.snap(rows)]


def _line_search(
    encoding: Encoding, history: Sequence[Observation], n: int, rng: np.random.Generator
) -> list[Config]:
    done = sorted((o for o in history if o.loss is not None), key=lambda o: o.loss or 0.0)
    if not done:
        return [encoding.decode(r) for r in encoding.random(n, rng)]
    spread = max(0.3 * 0.8 ** (len(done) / 4), 1e-4)
    best = encoding.encode([done[0].config])
    return [encoding.decode(encoding.mutate(best, rng, spread)[0]) for _ in range(n)]
