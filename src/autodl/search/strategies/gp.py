"""Bayesian optimization with a Gaussian process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from autodl.search.encoding import Encoding, Matrix
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.base import Strategy
from autodl.search.strategies.sobol import Sobol
from autodl.search.surrogate.acquisition import log_expected_improvement
from autodl.search.surrogate.climb import climbed, worthwhile
from autodl.search.surrogate.gp import GaussianProcess, Hyper, fit
from autodl.search.surrogate.propose import best_candidate
from autodl.search.surrogate.threads import one_thread
from autodl.search.surrogate.warping import warp_of

LARGEST = 400
"""Trials that the model is made of at most: the best half of them and the youngest half."""
LEARN = 250
"""Trials that hyperparameters are learnt from at most."""
REFIT_GROWTH = 1.12
"""Hyperparameters are learnt anew whenever the history has grown by this factor: their fit is the costly part."""
BLIND_EVERY = 10
"""One configuration in so many is drawn at random, whatever the model says: a model that is sure of the wrong region
finds out (as in SMAC; Hutter et al., LION 2011, section 4.1)."""


class GP(Strategy):
    """Expected improvement under a Gaussian process over numbers and choices alike.

    Losses enter clipped, so that outliers do not matter, and in every other ask partly by rank. Configurations that
    run are taken to end at what the model expects; failed ones count as the worst.
    """

    key: ClassVar[str] = "gp"
    name: ClassVar[str] = "Bayesian search (Gaussian process)"
    summary: ClassVar[str] = (
        "models the score as a smooth function of the settings; good when only some dozens of trials are possible"
    )
    paper: ClassVar[str] = "Jones et al., JGO 1998; Ru et al., ICML 2020; Hvarfner et al., ICML 2024"

    def ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        """Listed configurations and a quasi-random start first, then what the model promises most of."""
        if not space.params:
            return []
        with one_thread():
            return self._ask(space, history, n, rng)

    def _ask(
        self, space: SearchSpace, history: Sequence[Observation], n: int, rng: np.random.Generator
    ) -> list[Config]:
        out: list[Config] = [c for c in first_configs(space) if c not in [o.config for o in history]][:n]
        seen = [*history, *(Observation(c, "running") for c in out)]
        encoding = Encoding(space)
        known = sum(o.status != "running" for o in history)
        while len(out) < n:
            if known < start_size(encoding):
                fresh = Sobol(self.seed).fresh(space, seen, 1, rng)
            else:
                blind = _blind(encoding, seen, rng) if len(seen) % BLIND_EVERY == BLIND_EVERY - 1 else None
                row = _propose(encoding, seen, rng) if blind is None else None
                fresh = [encoding.decode(r) for r in (blind, row) if r is not None]
            if not fresh:
                break
            out += fresh
            seen.append(Observation(fresh[0], "running"))
        return out


def first_configs(space: SearchSpace) -> list[Config]:
    """The portfolio, where someone has written one or given defaults; any other middle is no better than chance."""
    written = space.portfolio != ({},) or any(p.default is not None for p in space.params.values())
    return space.starts() if written else []


def start_size(encoding: Encoding) -> int:
    """Trials before the model takes over."""
    return min(max(6, encoding.width + 2), 16)


def _blind(encoding: Encoding, history: Sequence[Observation], rng: np.random.Generator) -> Matrix | None:
    """A random row that was not tried; None where many draws give none."""
    tried = [o.config for o in history]
    return next((row for row in encoding.random(20, rng) if encoding.decode(row) not in tried), None)


def _propose(encoding: Encoding, history: Sequence[Observation], rng: np.random.Generator) -> Matrix | None:
    taken = encoding.encode([o.config for o in history])
    done = np.array([o.status != "running" for o in history])
    losses = np.array([np.inf if o.loss is None or not np.isfinite(o.loss) else o.loss for o in history])[done]
    X, order = taken[done], np.argsort(losses, kind="stable")
    keep = kept(len(X), order)
    warp = warp_of(len(history))
    hyper = learnt(X, losses, encoding.categorical, warp)
    y = warp(losses)
    model = GaussianProcess(X[keep], y[keep], encoding.categorical, hyper)
    running = taken[~done]
    if len(running):
        believed, _ = model.predict(running)
        model = GaussianProcess(
            np.concatenate([X[keep], running]), np.concatenate([y[keep], believed]), encoding.categorical, hyper
        )
    best = float(y.min())
    return best_candidate(
        encoding,
        lambda Z: log_expected_improvement(*model.predict(Z), best),
        around=X[order[:5]],
        taken=taken,
        rng=rng,
        climb=(lambda row: climbed(model, encoding, row, best)) if worthwhile(encoding, warp) else None,
    )


def kept(n: int, order: NDArray[np.intp], most: int = LARGEST) -> NDArray[np.intp]:
    """Which of n trials the model is made of, in their order; ``order`` sorts them by loss."""
    if n <= most:
        return np.arange(n)
    return np.union1d(order[: most // 2], np.arange(n - most // 2, n))


def learnt(
    X: Matrix,
    losses: Matrix,
    categorical: NDArray[np.bool_],
    warp: Callable[[Matrix], Matrix],
    times: Matrix | None = None,
) -> Hyper:
    """Hyperparameters of the longest prefix at which they are learnt: a function of the data, remembered.

    Args:
        X: (n, d) rows in the order in which they were begun.
        losses: (n,) their losses.
        categorical: (d,) which columns hold codes.
        warp: Puts losses on the scale of the model.
        times: (n,) places of their fidelities, or None.
    """
    size = 4
    while (larger := int(size * REFIT_GROWTH) + 1) <= len(X):
        size = larger
    size = min(size, len(X))
    rows = np.arange(size) if size <= LEARN else kept(size, np.argsort(losses[:size], kind="stable"), LEARN)
    y = warp(losses[:size])[rows]
    clock = b"" if times is None else times[rows].tobytes()
    return _fit(X[rows].tobytes(), y.tobytes(), categorical.tobytes(), clock)


@lru_cache(maxsize=64)
def _fit(X: bytes, y: bytes, categorical: bytes, times: bytes) -> Hyper:
    kinds = np.frombuffer(categorical, dtype=bool)
    return fit(
        np.frombuffer(X).reshape(-1, len(kinds)), np.frombuffer(y), kinds, np.frombuffer(times) if times else None
    )
