"""One model among those that the rows cannot tell apart: the simplest, not the luckiest.

Where a combination comes down to one model, dozens of configurations compete for the last thousandth on what may be
forty rows, often all of them without an error; the winner is then the luckiest. The one-standard-error rule (Breiman
et al. 1984, section 3.4.3) takes the simplest of those within the noise of the best instead.

Notation: m candidates, n rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import Deadline
from autodl.ensemble.nested import noise
from autodl.ensemble.pool import Pool, wide
from autodl.ensemble.ways import Way
from autodl.evaluate.influence import influence
from autodl.models.base import families

Array = NDArray[Any]
WITHIN_SE = 1.0
"""A simpler model is as good if its loss is higher by at most so many standard errors of the difference."""
ROUNDING = 1e-9
"""Where a single row makes the difference, the gap is its own standard error, however both are rounded."""
USUAL = 5
"""Complexity of a family that the registry does not know."""


def simplest_tied(pool: Pool, best: int) -> int:
    """The place of the simplest candidate that ties with one of them; among equally simple ones the first tried.

    What is listed first is what does best on other data, which tells more than a lead within the noise.

    Where the metric has no influence function nothing is known of the noise: only equal losses tie.

    Args:
        pool: Candidates, best first. best: The place of the one that would be taken.
    """
    moved = _influence(pool, best)
    tied = [i for i in range(len(pool.ids)) if i == best or _ties(pool, i, best, moved)]
    return min(tied, key=lambda i: (_complexity(pool.families[i]), len(pool.ids[i]), pool.ids[i]))


def _ties(pool: Pool, one: int, best: int, moved: Array | None) -> bool:
    gap = float(pool.losses[one] - pool.losses[best])
    if gap <= 0 or moved is None:
        return gap <= 0
    own = _influence(pool, one)
    return own is not None and gap <= (1 + ROUNDING) * WITHIN_SE * noise(own - moved, pool.block)


def _influence(pool: Pool, place: int) -> Array | None:
    return influence(pool.metric, pool.y, wide(pool.predictions[place]), pool.n_classes, pool.weight)


def _complexity(family: str) -> int:
    return families[family].complexity if family in families else USUAL


def _alone(pool: Pool, deadline: Deadline) -> Array:
    return np.asarray(np.eye(len(pool.ids))[simplest_tied(pool, int(np.argmin(pool.losses)))])


SIMPLEST = Way("simplest", "the simplest of the models that tie", "mean", _alone)
"""The best single model, or a simpler one that ties with it."""
