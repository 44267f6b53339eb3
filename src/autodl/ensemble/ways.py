"""Ways to combine candidates, from the simplest on. Each is a function of a pool, so that it can be judged on others.

Notation: m candidates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autodl.clock import Deadline
from autodl.ensemble.constraints import Allowed
from autodl.ensemble.few import Light, few
from autodl.ensemble.greedy import MAX_STEPS, bagged_weights, greedy_weights
from autodl.ensemble.pool import Pool
from autodl.ensemble.weights import log_weights, mean_weights
from autodl.records.ensemble import Method, Pooling

Array = NDArray[Any]
Fit = Callable[[Pool, Deadline], Array]


class _Best(Protocol):
    """Finds the best weights of a pool, held towards given ones."""

    def __call__(self, pool: Pool, towards: Array, *, deadline: Deadline) -> Array: ...


@dataclass(frozen=True)
class Way:
    """One way: its name, how predictions are pooled, and what finds its (m,) weights."""

    key: Method
    words: str
    pooling: Pooling
    fit: Fit


def ways_for(
    pool: Pool, seed: int, max_steps: int = MAX_STEPS, allowed: Allowed | None = None, light: Light | None = None
) -> list[Way]:
    """The ways that apply, simplest first; all but the first combine few models, see ``few``.

    Args:
        pool: For its metric and task. seed: Of random subsets. max_steps: Picks of a greedy selection.
        allowed: Limits on what models may take together: weights are then sought among models that keep them.
        light: What combinations should rather not exceed; None for whatever they take.
    """

    def single(part: Pool, deadline: Deadline) -> Array:
        return np.asarray(np.eye(len(part.ids))[int(np.argmin(part.losses))])

    def greedy(part: Pool, deadline: Deadline) -> Array:
        def again(rest: Pool, _: Array) -> Array:
            return greedy_weights(rest, max_steps=max_steps, deadline=deadline, allowed=allowed)

        found = greedy_weights(part, max_steps=max_steps, deadline=deadline, allowed=allowed)
        return few(part, found, again, light=light)

    known: dict[int, tuple[Pool, Array]] = {}  # asked for twice; the pool is held, so that its id stays its own

    def bagged(part: Pool, deadline: Deadline) -> Array:
        if id(part) not in known:
            found = bagged_weights(part, np.random.default_rng(seed), deadline=deadline)
            known[id(part)] = part, few(part, found, lambda _, old: old, light=light)
        return known[id(part)][1]

    def weighted(part: Pool, deadline: Deadline) -> Array:
        start = bagged(part, deadline) if allowed is None else None
        found = _among(part, deadline, mean_weights, start)
        return few(part, found, lambda rest, old: mean_weights(rest, old, deadline=deadline), light=light)

    def log_pool(part: Pool, deadline: Deadline) -> Array:
        def again(rest: Pool, old: Array) -> Array:
            return log_weights(rest, np.full(len(old), 1 / len(old)), deadline=deadline)

        return few(part, _among(part, deadline, log_weights), again, "log", light)

    def _among(part: Pool, deadline: Deadline, best: _Best, towards: Array | None = None) -> Array:
        if allowed is None:
            start = np.full(len(part.ids), 1 / len(part.ids)) if towards is None else towards
            return best(part, start, deadline=deadline)
        start = greedy(part, deadline)
        used = np.flatnonzero(start)
        found = np.zeros(len(start))
        found[used] = best(part.only(used), start[used], deadline=deadline)
        return found

    found = [
        Way("single", "the best single model", "mean", single),
        Way("greedy", "a greedy selection", "mean", greedy),
    ]
    if allowed is None:
        found.append(Way("bagged", "the mean of greedy selections", "mean", bagged))
    if smooth(pool):
        found.append(Way("weighted", "a mean with the best weights", "mean", weighted))
        if pool.n_classes:
            found.append(Way("pooled", "a mean of log-probabilities with the best weights", "log", log_pool))
    return found


def smooth(pool: Pool) -> bool:
    """Whether squared errors or the log loss are what the metric asks for, or near enough to it."""
    if pool.predictions.ndim != (3 if pool.n_classes else 2):
        return False
    return pool.metric.needs != "label" if pool.n_classes else pool.metric.key in ("rmse", "r2")
