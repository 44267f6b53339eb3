"""Which configuration to try next: the first wave, then the portfolios of what does well, then the strategy.

A pure function of the finished and running trials, so that a resumed run goes on as if it had not stopped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from autodl.records import FamilyPlan, TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import LISTED, SUPERNET
from autodl.search.architecture import Architecture, Past
from autodl.search.breeding import Breeding
from autodl.search.family_ranking import CONTENDERS, FamilyRanking
from autodl.search.feasibility import Feasibility
from autodl.search.history import Observation
from autodl.search.listed import next_listed
from autodl.search.naming import trial_number
from autodl.search.nas.sharing import sharing_steps, without_rankings
from autodl.search.promotion import Promotions, is_promotion
from autodl.search.repeats import Repeats, again, merged
from autodl.search.row_rungs import RowRungs, RowStep
from autodl.search.space import Config, SearchSpace
from autodl.search.stopped import comparable_losses
from autodl.search.strategies.base import Strategy

Fits = Callable[[TrialSpec], bool]

EARLY, CORE, DEAR = 4, 3, 3.0
"""So many listed configurations of the leaders go before the first trial of a family that takes ``DEAR`` times as
long, once ``CORE`` families have a result: a second brings more there."""


@dataclass(frozen=True)
class Allocation:
    """Chooses trials.

    Attributes:
        families: Candidates in the order of the first wave.
        spaces: Search space of each.
        strategy: Proposes configurations after the portfolios.
        seed: Seed of the run; each choice derives its own from it and from the trial's number.
        architecture: How the architectures of networks are searched.
        reserved: Highest number of a trial that a crash has cost; its id is not used again.
        feasibility: Limits of the user on what a model may take.
        breeding: Lets networks go on from the weights of others; None where the search does not do that.
        rungs: Tries configurations on parts of the rows first; None where all trials get all rows.
        promotions: Takes the leaders of first passes on a part of the rows to all of them; None likewise.
        repeats: Tries the leaders again on further splits; None where there is one split.
        seconds: Estimates a trial's seconds from the finished ones; None where the order does not depend on them.
        quick_s: What a family's first trial may take by that estimate, loading of libraries included; where the best
            known configuration takes longer, a quicker one is tried first, and families without one come last.
    """

    families: tuple[FamilyPlan, ...]
    spaces: dict[str, SearchSpace]
    strategy: Strategy
    seed: int
    architecture: Architecture = field(default_factory=Architecture)
    reserved: int = 0
    feasibility: Feasibility = field(default_factory=Feasibility)
    breeding: Breeding | None = None
    rungs: RowRungs | None = None
    promotions: Promotions | None = None
    repeats: Repeats | None = None
    seconds: Callable[[TrialSpec, Sequence[TrialResult]], float] | None = None
    quick_s: float = math.inf

    def next(
        self, finished: Sequence[TrialResult], running: Sequence[TrialSpec], fits: Fits, *, settled: bool = False
    ) -> TrialSpec | None:
        """The next trial that fits into the time left, or None if there is none.

        Args:
            finished: All of them, each further split a trial of its own.
            running: What is being tried.
            fits: Whether there is time and memory for a trial.
            settled: Whether nothing new is looked for any more: only known configurations are tried again.
        """
        number = 1 + max((trial_number(s.id) for s in (*(r.spec for r in finished), *running)), default=0)
        number = max(number, self.reserved + 1)
        # A resumed run may have had to leave out the network that a family goes on from.
        finished = [r for r in finished if r.spec.family in self.spaces]
        splits, busy = finished, running
        running = [s for s in running if s.repeats is None]
        finished = self.feasibility.as_told(comparable_losses(merged(finished)))
        # What was lost is as good as new.
        everything = finished = [r for r in finished if not r.lost]
        taken = [r.spec for r in finished] + list(running)
        finished = without_rankings(finished)
        under_way, running = running, [s for s in running if s.origin != SUPERNET]
        whole, going_on = finished, running
        # Losses on more rows do not compare with those of first passes.
        finished = [r for r in finished if not is_promotion(r.spec)]
        running = [s for s in running if not is_promotion(s)]
        id_ = f"t{number:04d}"

        def spec(family: str, config: Config, origin: str, part: float | None = None) -> TrialSpec:
            if self.promotions is not None and self.spaces[family].params:
                part = self.promotions.share
            return TrialSpec(id=id_, family=family, config=config, fidelity=part, seed=self.seed, origin=origin)

        def repeat(*, freely: bool) -> TrialSpec | None:
            searched = [r for r in finished if self.spaces[r.spec.family].params]
            due = () if self.repeats is None else self.repeats.next(searched, splits, busy, freely=freely)
            proposed = (again(r.spec, split, f"t{number:04d}") for r, split in due)
            return next((s for s in proposed if fits(s)), None)

        def promotion(*, begun: bool) -> TrialSpec | None:
            due = self.promotions
            return None if due is None else due.next(whole, going_on, fits, id_, begun=begun)

        if settled:
            return promotion(begun=True) or repeat(freely=True)
        ranking = self.ranking
        ranked = ranking.to_search(finished, running)
        known = [*self._again(finished, running), *self._portfolio(ranked, taken)]
        listed = [spec(key, config, "portfolio") for key, config in known]
        first = self._first(taken, spec, fits, splits)
        if (more_rows := promotion(begun=first is None)) is not None:
            return more_rows
        if (
            longer := next((s for s in listed if ranking.goes_on(s.family, ranked, taken) and fits(s)), None)
        ) is not None:
            return longer
        early = EARLY - sum(s.origin == "portfolio" for s in taken)
        if first is not None and (early <= 0 or len(ranking.order(finished)) < CORE):
            return first
        seconds = self.seconds
        told = None if seconds is None else lambda s: seconds(s, splits)
        known_best = next_listed((s for s in listed if fits(s)), ranking.best_losses(finished), told, self.quick_s)
        if first is not None and (known_best is None or not self._dear(first, known_best, splits)):
            return first
        if known_best is not None:
            return known_best
        if (once_more := repeat(freely=False)) is not None:
            return once_more
        rng = np.random.default_rng([self.seed, number])
        for family_key in ranking.contenders(ranked, rng):
            if (child := self._child(spec, family_key, finished, running, rng)) is not None and fits(child):
                return child
            if self.architecture.mode == "supernet":
                for origin, config in sharing_steps(family_key, self.spaces[family_key], everything, under_way):
                    step = spec(family_key, config, origin)
                    if fits(step):
                        return step
            rows = self._rows(finished, running, family_key, lambda again: fits(spec(*again)))
            if rows is None:
                continue
            if rows.config is not None:
                return spec(family_key, rows.config, rows.origin, rows.fidelity)
            past = self._past(family_key, finished, running)
            # Several proposals: the first may take more time than is left.
            for origin, config in self.architecture.proposals(self.spaces[family_key], past, self.strategy, rng):
                asked = spec(family_key, config, origin, rows.fidelity)
                if fits(asked):
                    return asked
        return repeat(freely=True)

    @property
    def ranking(self) -> FamilyRanking:
        """How the families stand."""
        return FamilyRanking(self.families, self.spaces, self.feasibility)

    def _first(
        self,
        taken: Sequence[TrialSpec],
        spec: Callable[[str, Config, str], TrialSpec],
        fits: Fits,
        finished: Sequence[TrialResult],
    ) -> TrialSpec | None:
        """The first trial of a family that has had none; those that take long wait for those that do not."""
        slow: TrialSpec | None = None
        # The simplest family, which comes first, gives a usable model soon.
        begun = any(self.spaces[s.family].params for s in taken)
        for family in self.families:
            if any(s.family == family.key for s in taken):
                continue
            origin = "default" if self.spaces[family.key].params else "baseline"
            listed = [spec(family.key, config, origin) for config in self.spaces[family.key].starts()]
            # The first listed configuration is the best known; a quicker one, the last or one before, is better than
            # none.
            soon = not begun or family.lead
            quick = (s for s in (*listed[:1], *reversed(listed[1:])) if soon or self._quick(s, finished))
            if (first := next((s for s in quick if fits(s)), None)) is not None:
                return first
            slow = slow or next((s for s in listed if fits(s)), None)
        return slow

    def _quick(self, first: TrialSpec, finished: Sequence[TrialResult]) -> bool:
        return self.seconds is None or self.seconds(first, finished) <= self.quick_s

    def _dear(self, first: TrialSpec, listed: TrialSpec, finished: Sequence[TrialResult]) -> bool:
        """Whether a family's first trial takes several times as long as a listed one of a family known to do well."""
        return self.seconds is not None and self.seconds(first, finished) > DEAR * self.seconds(listed, finished)

    def _rows(
        self,
        finished: Sequence[TrialResult],
        running: Sequence[TrialSpec],
        key: str,
        fits: Callable[[tuple[str, Config, str, float | None]], bool],
    ) -> RowStep | None:
        if self.rungs is None:
            return RowStep(None)
        own = _from_scratch(key, finished, running)
        return self.rungs.next(*own, lambda step: fits((key, step.config or {}, step.origin, step.fidelity)))

    def _again(self, finished: Sequence[TrialResult], running: Sequence[TrialSpec]) -> list[tuple[str, Config]]:
        """Other configurations of families that only ran out of time, the quick one, which is listed last, first."""
        found = []
        for family in self.families:
            own = [r for r in finished if r.spec.family == family.key]
            late = bool(own) and all(r.status is TrialStatus.TIMEOUT for r in own)
            if late and not any(s.family == family.key for s in running):
                tried = [r.spec.config for r in own]
                found += [(family.key, c) for c in reversed(self.spaces[family.key].starts()) if c not in tried]
        return found

    def _portfolio(self, ranked: Sequence[str], taken: Sequence[TrialSpec]) -> list[tuple[str, Config]]:
        entries = [
            (place + rank, rank, key, config)
            for rank, key in enumerate(ranked[: CONTENDERS + 1])
            for place, config in enumerate(self.spaces[key].starts())
            if not any(s.family == key and s.config == config for s in taken)
        ]
        return [(key, config) for _, _, key, config in sorted(entries, key=lambda e: e[:2])]

    def _child(
        self,
        spec: Callable[[str, Config, str], TrialSpec],
        key: str,
        finished: Sequence[TrialResult],
        running: Sequence[TrialSpec],
        rng: np.random.Generator,
    ) -> TrialSpec | None:
        if self.breeding is None:
            return None
        own = [r for r in finished if r.spec.family == key], [s for s in running if s.family == key]
        found = self.breeding.child(self.spaces[key], *own, rng)
        if found is None:
            return None
        config, parent = found
        return spec(key, config, self.breeding.strategy.key).model_copy(update={"parent": parent})

    def _past(self, key: str, finished: Sequence[TrialResult], running: Sequence[TrialSpec]) -> Past:
        listed = [r for r in finished if r.spec.origin in LISTED], [s for s in running if s.origin in LISTED]
        specs = [s for s in (*(r.spec for r in finished), *running) if s.family == key]
        asked = {frozenset(s.config.items()) for s in specs if s.parent is None and s.origin not in LISTED}
        return Past(
            self._observations(key, finished, running),
            self._observations(key, *listed),
            turn=len(asked),
            known=[s.config for s in specs],
        )

    def _observations(
        self, key: str, finished: Sequence[TrialResult], running: Sequence[TrialSpec]
    ) -> list[Observation]:
        own, busy = _from_scratch(key, finished, running)
        several = self.feasibility.objectives(finished) if self.strategy.several_losses else {}
        if self.rungs is not None:
            return self.rungs.observations(self.spaces[key], own, busy, several)
        seen = [
            Observation(
                config=r.spec.config,
                status=_status(r.status),
                loss=r.loss if r.status in (TrialStatus.OK, TrialStatus.STOPPED) else None,
                steps=r.fold_losses[: len(r.fold_losses) // r.n_splits],
                losses=several.get(r.spec.id, ()),
            )
            for r in own
        ]
        return seen + [Observation(config=s.config, status="running") for s in busy]


def _from_scratch(
    key: str, finished: Sequence[TrialResult], running: Sequence[TrialSpec]
) -> tuple[list[TrialResult], list[TrialSpec]]:
    """A family's trials without those that went on from the weights of others: these say little of their settings."""
    return (
        [r for r in finished if r.spec.family == key and r.spec.parent is None],
        [s for s in running if s.family == key and s.parent is None],
    )


def _status(status: TrialStatus) -> Literal["ok", "stopped", "failed"]:
    if status is TrialStatus.OK:
        return "ok"
    return "stopped" if status is TrialStatus.STOPPED else "failed"
