"""How the model families stand: which do best so far, which lead as expected, and which are searched on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autodl.records import FamilyPlan, TrialResult, TrialSpec
from autodl.search.feasibility import Feasibility
from autodl.search.space import SearchSpace

CONTENDERS = 4
"""Families that the strategy searches: the best few by their best trial so far."""
LEAD = 3
"""So many further listed configurations come before anything else where a family leads as expected."""


@dataclass(frozen=True)
class FamilyRanking:
    """Ranks families by the losses of their trials.

    Attributes:
        families: Candidates in the order of the first wave.
        spaces: Search space of each.
        feasibility: Limits of the user on what a model may take.
    """

    families: tuple[FamilyPlan, ...]
    spaces: dict[str, SearchSpace]
    feasibility: Feasibility

    def order(self, finished: Sequence[TrialResult]) -> list[str]:
        """Families with a finished trial, best first, without those that are far beyond the limits."""
        best = self.best_losses(finished)
        return sorted(best, key=lambda k: best[k])

    def best_losses(self, finished: Sequence[TrialResult]) -> dict[str, float]:
        """Lowest loss of each family of the ranking."""
        listed = {key: len(space.starts()) for key, space in self.spaces.items() if space.params}
        left = self.feasibility.hopeless(finished, listed)
        best: dict[str, float] = {}
        for r in finished:
            if r.ok and r.loss is not None and self.spaces[r.spec.family].params and r.spec.family not in left:
                best[r.spec.family] = min(r.loss, best.get(r.spec.family, np.inf))
        return best

    def to_search(self, finished: Sequence[TrialResult], running: Sequence[TrialSpec]) -> list[str]:
        """Families, best first; as long as none has a result, those that are being tried, so that no worker idles.

        One that is expected to lead comes first until its own first result tells. Not so where it trains what others
        trained: two such trainings at a time leave no time for either on all rows.
        """
        busy = {s.family for s in running}
        known = self.order(finished)
        tried = {r.spec.family for r in finished}
        leading = [f.key for f in self.families if f.lead and not f.encoder and self.spaces[f.key].params]
        awaited = [key for key in leading if key in busy - tried]
        if known:
            return [*awaited, *known]
        return [f.key for f in self.families if f.key in busy and self.spaces[f.key].params]

    def _leads(self, ranked: Sequence[str], key: str) -> bool:
        """Whether a family is the best, and was expected to be; of failed trials alone there is no best."""
        return key in ranked[:1] and any(f.key == key and f.lead for f in self.families)

    def goes_on(self, key: str, ranked: Sequence[str], taken: Sequence[TrialSpec]) -> bool:
        """Whether longer trainings of a family that leads come before the first trials of others."""
        return self._leads(ranked, key) and sum(s.family == key and s.origin == "portfolio" for s in taken) < LEAD

    def contenders(self, ranked: Sequence[str], rng: np.random.Generator) -> list[str]:
        """The best families in random order, better ones more often first (weights 1/rank, and one that leads as
        expected ``LEAD`` more)."""
        keys = ranked[:CONTENDERS]
        if not keys:
            return []
        weights = 1.0 / np.arange(1, len(keys) + 1)
        weights[0] += LEAD * self._leads(ranked, keys[0])
        order = rng.choice(len(keys), size=len(keys), replace=False, p=weights / weights.sum())
        return [keys[i] for i in order]
