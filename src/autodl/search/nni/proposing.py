"""New configurations from whatever gives samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autodl.search.history import Observation
from autodl.search.nni.translation import Translation
from autodl.search.nni.tuners import Propose
from autodl.search.space import Config

PATIENCE = 20
"""Samples looked at for one that was not tried before."""


def fresh(
    propose: Propose, space: Translation, history: Sequence[Observation], n: int, rng: np.random.Generator
) -> list[Config]:
    """At most ``n`` configurations that were not tried; a random one where the samples repeat."""
    tried = [o.config for o in history]
    out: list[Config] = []
    for _ in range(n):
        for attempt in range(2 * PATIENCE):
            sample = propose() if attempt < PATIENCE else None
            if sample is None and attempt < PATIENCE:
                return out
            config = space.config(sample) if sample is not None else space.space.sample(rng)
            if config not in tried and config not in out:
                out.append(config)
                break
    return out
