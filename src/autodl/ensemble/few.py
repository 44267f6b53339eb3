"""Combinations of few models: a long tail of small weights costs an answer of each model for every row.

The best part of a combination's gain comes from its first models, and what a tail adds is mostly noise of the weights
(Caruana, Munson and Niculescu-Mizil 2006, "Getting the most out of ensemble selection", on pruning). What is left is
weighted anew, within the way of combining itself, so that its held-out loss is that of what would be delivered.

Notation: m candidates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.ensemble.calibration import calibrated, fit_calibration
from autodl.ensemble.pool import Pool
from autodl.records import Calibration, Footprint
from autodl.records.ensemble import Pooling

Array = NDArray[Any]
Refit = Callable[[Pool, Array], Array]
"""Weights of the models that are left, given their old ones brought to the sum 1."""
MOST = 8
LEAST = 0.03
"""Models with less weight leave."""
ROUNDS = 4
"""New weights may be small again; so often models leave, in the last round without new weights for the others."""
ROW_S, MS_PER_1000 = 0.040, 200.0
"""A combination should take at most: seconds for one row, and milliseconds for 1,000 beyond its quickest model."""
HARDLY = 0.003
"""A model is given up for quicker answers if the loss rises by at most this share of it."""


@dataclass(frozen=True)
class Light:
    """Combinations that answer quickly, by what their models took in the trials; what was not measured takes nothing.

    Attributes:
        needs: What one model of each trial takes, by trial id.
    """

    needs: Mapping[str, Footprint]

    def excess(self, ids: Iterable[str]) -> float:
        """0 for a combination that answers quickly, and for every single model, else how far it is from that."""
        found = [self.needs[i] for i in ids if i in self.needs]
        if len(found) < 2:
            return 0.0
        row = sum(n.row_s or 0.0 for n in found) / ROW_S
        many = [n.ms_per_1000 or 0.0 for n in found]
        bulk = (sum(many) - min(many)) / MS_PER_1000
        return sum(math.log(times) for times in (row, bulk) if times > 1)


def few(pool: Pool, weights: Array, refit: Refit, pooling: Pooling = "mean", light: Light | None = None) -> Array:
    """(m,) weights of at most ``MOST`` models, none of a weight below ``LEAST``.

    Args:
        pool: Candidates. weights: (m,) of a combination. refit: Finds new weights for some of them.
        pooling: How predictions become one. light: Dear models leave as well; None if time does not matter.
    """
    weights = _without_tail(pool, weights, refit)
    if light is None:
        return weights
    return _without_tail(pool, _lightened(pool, weights, refit, pooling, light), refit)


def _without_tail(pool: Pool, weights: Array, refit: Refit) -> Array:
    for done in range(ROUNDS):
        heaviest = np.argsort(-weights, kind="stable")[:MOST]
        kept = np.zeros(len(weights))
        strong = heaviest[weights[heaviest] >= min(LEAST * weights.sum(), weights.max())]
        kept[strong] = weights[strong]
        if np.count_nonzero(kept) == np.count_nonzero(weights):
            break
        weights = _again(pool, kept, refit) if done < ROUNDS - 1 else kept / kept.sum()
    return weights


def _again(pool: Pool, weights: Array, refit: Refit) -> Array:
    """New weights for the models with weight."""
    used = np.flatnonzero(weights)
    found = np.zeros(len(weights))
    found[used] = refit(pool.only(used), weights[used] / weights[used].sum()) if len(used) > 1 else 1.0
    return found


def _lightened(pool: Pool, weights: Array, refit: Refit, pooling: Pooling, light: Light) -> Array:
    """New weights after models left that cost much time and gain little, as long as the loss hardly rises."""
    curve = _temperature(pool, weights, pooling)
    now = _loss(pool, weights, pooling, curve)
    staying: set[int] = set()
    while (far := light.excess(pool.ids[i] for i in np.flatnonzero(weights))) > 0:
        price: dict[int, float] = {}
        for i in set(np.flatnonzero(weights).tolist()) - staying:
            rest = np.where(np.arange(len(weights)) == i, 0.0, weights)
            relief = far - light.excess(pool.ids[j] for j in np.flatnonzero(rest))
            if relief > 0:
                price[i] = (_loss(pool, rest, pooling, curve) - now) / relief
        if not price:
            break
        first = min(price, key=lambda i: (price[i], i))
        rest = _again(pool, np.where(np.arange(len(weights)) == first, 0.0, weights), refit)
        if _loss(pool, rest, pooling, _temperature(pool, rest, pooling)) <= now + HARDLY * abs(now):
            weights = rest
        else:
            staying.add(first)
    return weights


def _temperature(pool: Pool, weights: Array, pooling: Pooling) -> Calibration | None:
    """Of a logarithmic pool the best temperature, which weights of the sum 1 leave out."""
    if pooling != "log":
        return None
    return fit_calibration("temperature", pool.blend(weights, pooling), pool.y, pool.metric, pool.weight)


def _loss(pool: Pool, weights: Array, pooling: Pooling, curve: Calibration | None) -> float:
    blend = pool.blend(weights, pooling)
    return pool.picking_loss(blend if curve is None else calibrated(curve, blend))
