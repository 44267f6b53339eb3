"""Greedy ensemble selection with replacement (Caruana et al., ICML 2004) on out-of-fold predictions.

Notation: m candidates, n rows, K classes. Weights are shares of the picks; the blend is the weighted mean. Guards
against overfitting the rows: start from the best models (sorted initialization), stop when nothing improves, and, as
``bagged_weights``, the mean over random subsets of the candidates (their section 2.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.ensemble.constraints import SHARES, Allowed
from autodl.ensemble.objective import BlendLoss
from autodl.ensemble.pool import Pool

Array = NDArray[Any]
MAX_STEPS = 25
BAGS = 10
BAG_SHARE = 0.5
"""Of the candidates, in each subset."""
LEAST_WEIGHT = 0.02
"""Models with less are dropped from a mean over subsets: each costs a training and an answer for every row."""


def greedy_weights(
    pool: Pool, *, max_steps: int = MAX_STEPS, deadline: Deadline = NEVER, allowed: Allowed | None = None
) -> Array:
    """(m,) weights; under limits the best of several tries.

    The best model may take so much that no other fits beside it, where two or three small ones together do better. Or
    a combination chosen without limits keeps them once a few of its members are gone.

    Args:
        pool: Candidates. max_steps: Picks, repeats included. deadline: Picking stops there.
        allowed: Limits on what the models may take together.
    """
    objective = pool.objective()
    if allowed is None:
        return _greedy(objective, max_steps, deadline)[1]
    tries = [_pruned(pool, _greedy(objective, max_steps, deadline)[1], allowed)]
    for share in SHARES:
        small = np.array([allowed.fits([i], share) for i in pool.ids])

        def may(picks: Sequence[int], small: Array = small) -> Array:
            chosen = [pool.ids[i] for i in picks]
            return np.array([s and allowed.fits([*chosen, i]) for i, s in zip(pool.ids, small, strict=True)])

        if small.any():
            tries.append(_greedy(objective, max_steps, deadline, may)[1])
    return min(tries, key=lambda weights: pool.picking_loss(pool.blend(weights)))


def _pruned(pool: Pool, weights: Array, allowed: Allowed) -> Array:
    """(m,) weights after members left until the limits are kept, the ones first that gain least for what they take.

    Args:
        pool: Candidates that keep the limits alone. weights: (m,) of a combination. allowed: The limits.
    """
    weights = weights.copy()
    while np.count_nonzero(weights) > 1 and (far := allowed.violation(_ids(pool, weights))) > 0:
        now = pool.picking_loss(pool.blend(weights))
        price = {}
        for i in np.flatnonzero(weights):
            rest = np.where(np.arange(len(weights)) == i, 0.0, weights)
            relief = far - allowed.violation(_ids(pool, rest))
            price[int(i)] = (pool.picking_loss(pool.blend(rest)) - now) / max(relief, 1e-9 * far)
        weights[min(price, key=lambda i: (price[i], i))] = 0.0
    return np.asarray(weights / weights.sum())


def _ids(pool: Pool, weights: Array) -> list[str]:
    """The trials with weight."""
    return [pool.ids[i] for i in np.flatnonzero(weights)]


def bagged_weights(pool: Pool, rng: np.random.Generator, *, bags: int = BAGS, deadline: Deadline = NEVER) -> Array:
    """(m,) weights: the mean of greedy selections among random halves of the candidates, the best always among them.

    Args:
        pool: Candidates. rng: Draws the subsets. bags: Subsets. deadline: No further subset after it.
    """
    m = len(pool.ids)
    objective, size = pool.objective(), max(2, round(BAG_SHARE * m))
    if m <= 3:
        return _greedy(objective, MAX_STEPS, deadline)[1]
    total = np.zeros(m)
    for bag in range(bags):
        if bag and deadline.passed():
            break
        inside = np.arange(m) == int(np.argmin(pool.losses))
        inside[rng.choice(m, size=size, replace=False)] = True

        def may(_: Sequence[int], inside: Array = inside) -> Array:
            return inside

        total += _greedy(objective, MAX_STEPS, deadline, may)[1]
    return without_crumbs(total)


def without_crumbs(weights: Array, least: float = LEAST_WEIGHT) -> Array:
    """(m,) weights that sum to 1, without those that hardly count."""
    weights = weights / weights.sum()
    kept = np.where(weights >= min(least, weights.max()), weights, 0.0)
    return np.asarray(kept / kept.sum())


def _greedy(
    objective: BlendLoss, max_steps: int, deadline: Deadline, may: Callable[[Sequence[int]], Array] | None = None
) -> tuple[float, Array]:
    """Loss and (m,) weights. Starts from the one to three best models, whichever number does best.

    Args:
        objective: Losses of blends.
        max_steps: Picks. deadline: Picking stops there.
        may: Given the picks so far, (m,) which models may follow; all if None.
    """
    m = len(objective.predictions)
    picks: list[int] = []
    best_picks: list[int] = []
    best = np.inf
    total = np.zeros(objective.predictions.shape[1:])
    first = objective.losses(total, 0)
    sorted_start = [int(i) for i in np.argsort(first, kind="stable")[:3]] if may is None else []
    for step in range(max_steps):
        if deadline.passed() and best_picks:
            break
        losses = first if step == 0 else objective.losses(total, step)
        if may is not None:
            losses = np.where(may(picks), losses, np.inf)
        pick = sorted_start[step] if step < len(sorted_start) else int(np.nanargmin(losses))
        if step and step < len(sorted_start) and losses[pick] >= best * (1 - objective.gain):
            pick = int(np.nanargmin(losses))
        total = total + objective.predictions[pick]
        picks.append(pick)
        if losses[pick] < best * (1 - objective.gain):
            best, best_picks = float(losses[pick]), list(picks)
        elif len(picks) - len(best_picks) >= 5:
            break
    return best, np.bincount(best_picks, minlength=m) / len(best_picks)
