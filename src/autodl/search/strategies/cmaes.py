"""Covariance matrix adaptation, by the package ``cmaes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.search.encoding import Encoding, Matrix
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy, refuse

NARROW = 1e-6
"""Share of each range within which a generation has converged: what the package itself waits for, 1e-12, takes more
calls than most searches have."""


class CMAES(Strategy):
    """Samples from a normal distribution that follows the best points; for numbers only.

    The distribution is learnt anew from the history at each ask, generation by generation in the order of the trials.
    Where it has shrunk to a point, it begins again elsewhere with generations of twice the size (Auger & Hansen, A
    restart CMA evolution strategy with increasing population size, CEC 2005).
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
        seed = int(rng.integers(2**31))

        def begun(mean: Matrix, size: int | None = None) -> CMA:
            bounds = np.array([[0.0, 1.0]] * d)
            return CMA(mean=mean, sigma=1 / 6, bounds=bounds, seed=seed, population_size=size)

        model = begun(encoding.encode([space.complete({})])[0])
        done = [o for o in history if o.loss is not None and np.isfinite(o.loss)]
        X = encoding.encode([o.config for o in done])
        start = 0
        while (end := start + model.population_size) <= len(done):
            model.tell([(X[i], float(done[i].loss or 0.0)) for i in range(start, end)])
            narrow = float(np.ptp(X[start:end], axis=0).max()) < NARROW
            start = end
            if narrow or model.should_stop():
                # Drawn from what does not change from one ask to the next, so that all begin at the same place.
                anew = np.random.default_rng([self.seed, start]).random(d)
                model = begun(anew, 2 * model.population_size)
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
