"""Population based training in a fit: networks that go on from the weights of others.

The population are a family's finished trials. A child takes over the fold models of one of the best, and is trained
for a part of the usual epochs with changed values; it is a whole model and competes with all others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autodl.models.base import families
from autodl.records import TrialResult, TrialSpec
from autodl.search.encoding import is_ordered
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace
from autodl.search.strategies.pbt import PBT

FOUNDERS = 4
"""Trained networks of a family before there are children."""
FRESH = 0.25
"""Share of further networks that begin anew, so that one early lead does not decide everything."""
TRIES = 8


@dataclass(frozen=True)
class Breeding:
    """Proposes children.

    Attributes:
        strategy: Chooses parents and changes values.
        has_models: Whether the fold models of a trial are still there.
    """

    strategy: PBT
    has_models: Callable[[TrialResult], bool]

    def child(
        self,
        space: SearchSpace,
        finished: Sequence[TrialResult],
        running: Sequence[TrialSpec],
        rng: np.random.Generator,
    ) -> tuple[Config, str] | None:
        """A configuration and the trial from whose weights it goes on; None where a network begins anew.

        Args:
            space: Of the family.
            finished: Trials of the family.
            running: The same, still running.
            rng: The only source of randomness.
        """
        able = [r for r in finished if r.ok and families[r.spec.family].deep and self.has_models(r)]
        if len(able) < FOUNDERS or rng.random() < FRESH:
            return None
        population = [Observation(r.spec.config, "ok", r.loss) for r in able]
        known = [(r.spec.config, r.spec.parent) for r in finished] + [(s.config, s.parent) for s in running]
        for _ in range(TRIES):
            step = self.strategy.child(space, population, rng, inherited(space))
            if step is None or step.config is None or step.parent is None:
                return None
            parent = able[step.parent].spec.id
            if (step.config, parent) not in known and step.config != able[step.parent].spec.config:
                return step.config, parent
        return None


def inherited(space: SearchSpace) -> frozenset[str]:
    """Parameters that a child cannot change: architecture, preparation, and kinds of things (optimizer, schedule)."""
    kinds = {n for n, p in space.params.items() if p.type == "choice" and not is_ordered(p)}
    return frozenset({*space.nas, *kinds, *(n for n in space.params if n.startswith("prep."))})
