"""Quasi-random search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from autodl.search.encoding import Encoding, Matrix
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy


class Sobol(Strategy):
    """Points of a scrambled Sobol sequence: they leave smaller gaps than random ones."""

    key: ClassVar[str] = "sobol"
    name: ClassVar[str] = "Quasi-random search (Sobol)"
    summary: ClassVar[str] = "spreads settings evenly; good as a first look at a space, with many trials at a time"
    paper: ClassVar[str] = "Sobol 1967; Owen, Journal of Complexity 1998 (scrambling); Bousquet et al. 2017"

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """The next ``n`` points; ones that fall on a tried configuration are skipped where there are others."""
        if not space.params:
            return []
        fresh = self.fresh(space, history, n, rng)
        if fresh:
            return fresh
        encoding = Encoding(space)
        return [encoding.decode(row) for row in sobol_rows(encoding, len(history), 1, self.seed)]

    def fresh(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """As ``ask``, without repeats: fewer where no others are found."""
        encoding = Encoding(space)
        rows = sobol_rows(encoding, len(history), 4 * n, self.seed)
        fresh: list[Config] = []
        tried = [o.config for o in history]
        for row in rows:
            config = encoding.decode(row)
            if config not in tried and config not in fresh:
                fresh.append(config)
        for row in encoding.random(50, rng) if len(fresh) < n else ():
            if (config := encoding.decode(row)) not in tried and config not in fresh:
                fresh.append(config)
        return fresh[:n]


def sobol_rows(encoding: Encoding, first: int, n: int, seed: int) -> Matrix:
    """(n, d) valid rows from the place ``first`` of the sequence on."""
    from scipy.stats import qmc

    sequence = qmc.Sobol(encoding.width, scramble=True, rng=np.random.default_rng(seed))
    if first:
        sequence.fast_forward(first)
    return encoding.from_unit(_drawn(sequence, n))


def _drawn(sequence, n: int) -> Matrix:  # type: ignore[no-untyped-def]
    import warnings

    with warnings.catch_warnings():
        # SciPy warns of a number of points that is no power of 2; here they come one by one.
        warnings.simplefilter("ignore", UserWarning)
        return np.asarray(sequence.random(n))
