"""Population based training in a fit: networks that go on from the weights of others.

The population are a family's finished trials. A child takes over the fold models of one of the best, and is trained
for a part of the usual epochs with changed values; it is a whole model and competes with all others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autodl.models.base import families
from autodl.records import TrialResult, TrialSpec, TrialStatus
from autodl.search.encoding import is_ordered
from autodl.search.history import Observation
from autodl.search.space import Config, SearchSpace, family_space
from autodl.search.strategies.pbt import PBT
from autodl.train.config import TrainConfig

FOUNDERS = 4
"""Trained networks of a family before there are children."""
FRESH = 0.25
"""Share of further networks that begin anew, so that one early lead does not decide everything."""
TRIES = 8
MOST_FAILURES = 2
"""After so many failed children in a row a family has no more."""


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
        if _barren(finished):
            return None
        lost = {r.spec.parent for r in finished if r.status is TrialStatus.FAILED}
        able = [r for r in finished if r.ok and families[r.spec.family].deep and r.spec.id not in lost]
        able = [r for r in able if self.has_models(r)]
        if len(able) < FOUNDERS or rng.random() < FRESH:
            return None
        population = [Observation(r.spec.config, "ok", r.loss) for r in able]
        known = [(r.spec.config, r.spec.parent) for r in finished] + [(s.config, s.parent) for s in running]
        for _ in range(TRIES):
            step = self.strategy.child(space, population, rng, inherited(able[0].spec.family, space))
            if step is None or step.config is None or step.parent is None:
                return None
            parent = able[step.parent].spec.id
            if (step.config, parent) not in known and step.config != able[step.parent].spec.config:
                return step.config, parent
        return None


def inherited(family: str, space: SearchSpace) -> frozenset[str]:
    """Parameters that a child cannot change: architecture, preparation, and kinds of things (optimizer, schedule).

    Architecture is what the space calls so, what the family's shipped space calls so, and what is no fraction and no
    part of the training: most such values are sizes.
    """
    kinds = {n for n, p in space.params.items() if p.type == "choice" and not is_ordered(p)}
    fields = families[family].config.model_fields
    sizes = {n for n in space.params if n in fields and n not in TrainConfig.model_fields}
    sizes = {n for n in sizes if fields[n].annotation is not float}
    preparation = {n for n in space.params if n.startswith("prep.")}
    return frozenset({*space.nas, *family_space(family).nas, *kinds, *sizes, *preparation} & {*space.params})


def _barren(finished: Sequence[TrialResult]) -> bool:
    """Whether the last children failed: whatever the reason is, the next would hardly do better."""
    last = [r for r in finished if r.spec.parent is not None][-MOST_FAILURES:]
    bad = (TrialStatus.FAILED, TrialStatus.TIMEOUT)
    return len(last) == MOST_FAILURES and all(r.status in bad for r in last)
