"""Several objectives at once: non-dominated sorting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from autodl.search.encoding import Encoding, Matrix
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy


class NSGA2(Strategy):
    """Children of the configurations that no other beats in everything; sparse regions of the front come first."""

    key: ClassVar[str] = "nsga2"
    name: ClassVar[str] = "Several objectives (NSGA-II)"
    summary: ClassVar[str] = (
        "seeks models that trade score for speed and size; good to see what a quick model would cost"
    )
    paper: ClassVar[str] = "Deb et al., IEEE TEC 2002"

    several_losses: ClassVar[bool] = True
    population: ClassVar[int] = 24

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Random configurations until the population is full, then crossed and changed ones."""
        if not space.params:
            return []
        encoding = Encoding(space)
        width = max((len(_losses(o)) for o in history), default=0)
        done = [o for o in history if len(_losses(o)) == width > 0 and np.isfinite(_losses(o)).all()]
        tried = [o.config for o in history]
        if len(history) < self.population or len(done) < 2:
            return [encoding.decode(r) for r in encoding.random(n, rng)]
        X = encoding.encode([o.config for o in done])
        F = np.array([_losses(o) for o in done])
        rank, crowd = fronts(F), np.zeros(len(F))
        for level in np.unique(rank):
            crowd[rank == level] = crowding(F[rank == level])
        alive = np.lexsort((-crowd, rank))[: self.population]  # sorted: a lower place is the better parent
        out: list[Config] = []
        for _ in range(n):
            child: Config = {}
            for _attempt in range(20):
                mother, father = (alive[rng.integers(len(alive), size=2).min()] for _ in range(2))
                mixed = np.where(rng.random(encoding.width) < 0.5, X[mother], X[father])[None]
                child = encoding.decode(encoding.mutate(encoding.snap(mixed), rng)[0])
                if child not in tried and child not in out:
                    break
            out.append(child)
        return out


def _losses(o: Observation) -> tuple[float, ...]:
    """All losses of an observation; of one that has a single one beside others with several no use can be made."""
    return o.losses or (() if o.loss is None else (o.loss,))


def fronts(F: Matrix) -> NDArray[np.int_]:
    """Ranks of (n, k) losses: 0 for rows that no other row dominates, 1 for those then, and so on; (n,)."""
    beats: NDArray[np.bool_] = np.asarray(
        (F[:, None, :] <= F[None, :, :]).all(axis=2) & (F[:, None, :] < F[None, :, :]).any(axis=2)
    )
    rank = np.full(len(F), -1)
    level = 0
    while (rank < 0).any():
        open_rows = rank < 0
        rank[open_rows & ~beats[open_rows].any(axis=0)] = level
        level += 1
    return rank


def crowding(F: Matrix) -> Matrix:
    """Distance between the neighbours of each row of one front, (n,); infinite at its ends."""
    n, k = F.shape
    out = np.zeros(n)
    for j in range(k):
        order = np.argsort(F[:, j], kind="stable")
        span = F[order[-1], j] - F[order[0], j]
        out[order[[0, -1]]] = np.inf
        if n > 2 and span > 0:
            out[order[1:-1]] += (F[order[2:], j] - F[order[:-2], j]) / span
    return out
