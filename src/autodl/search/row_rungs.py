"""Rows as the resource of successive halving: many configurations on a part of the rows, the best of them on more.

Every step is a trial of its own with ``TrialSpec.fidelity``, the share of the training rows; the validation rows stay
the same. Only trials on all rows count as results; see ``TrialStatus.STOPPED``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from autodl.records import TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import LISTED
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, comparable
from autodl.search.naming import trial_number
from autodl.search.schedulers.base import Scheduler, schedulers
from autodl.search.space import Config, SearchSpace

LEAST_ROWS = 1_000
"""On fewer training rows the ranking of configurations says little."""
LEAST_SHARE = 1 / 9


@dataclass(frozen=True)
class RowStep:
    """A trial to carry out: a configuration tried before, or None for a new one, and its share of the rows."""

    fidelity: float | None
    config: Config | None = None
    origin: str = ""


@dataclass(frozen=True)
class RowRungs:
    """Chooses shares of rows.

    Attributes:
        scheduler: Who promotes.
        span: Shares, up to 1.
    """

    scheduler: Scheduler
    span: Fidelity

    @classmethod
    def of(cls, key: str, training_rows: int, folds: int) -> RowRungs | None:
        """For a scheduler that halves, tables large enough for at least two rungs, and a single split.

        With several folds these are the resource already: ``Scheduler.decide`` is asked after each.

        Args:
            key: The scheduler.
            training_rows: Of one fit.
            folds: How many.
        """
        low = max(LEAST_SHARE, LEAST_ROWS / max(1, training_rows))
        if not schedulers[key].halves or folds > 1 or low > 1 / 3:
            return None
        return cls(schedulers[key](), Fidelity(low, 1.0))

    def next(
        self, finished: Sequence[TrialResult], running: Sequence[TrialSpec], fits: Callable[[RowStep], bool]
    ) -> RowStep | None:
        """The next step of a family, or None if there is none that fits.

        Args:
            finished: Trials of the family. running: specifications of those that run.
            fits: Whether there is time to go on with a configuration; a new one is returned unasked.
        """
        # The listed ones are on all rows from the beginning.
        own = [r for r in finished if r.spec.origin not in LISTED]
        tried = _configurations(own, [s for s in running if s.origin not in LISTED])
        most = math.inf
        while (step := self.scheduler.next([o for o, _ in tried], self.span, most)) is not None:
            share = None if step.fidelity >= self.span.high else step.fidelity
            if step.trial is None:
                return RowStep(share)
            observation, origin = tried[step.trial]
            further = RowStep(share, observation.config, origin)
            if fits(further):
                return further
            most = math.nextafter(step.fidelity, 0.0)  # a smaller part may do
        return None

    def observations(
        self,
        space: SearchSpace,
        finished: Sequence[TrialResult],
        running: Sequence[TrialSpec],
        several: Mapping[str, tuple[float, ...]] | None = None,
    ) -> list[Observation]:
        """What the strategy sees: a configuration each, with losses of one share of the rows only.

        Args:
            space: Of the family.
            finished: Trials of the family. running: specifications of those that run.
            several: All losses by trial id, for strategies that look at more than one.
        """
        seen = comparable([o for o, _ in _configurations(finished, running)], enough=len(space.params) + 2)
        return [replace(o, losses=_losses(o, finished, several)) for o in seen] if several else seen


def _configurations(finished: Sequence[TrialResult], running: Sequence[TrialSpec]) -> list[tuple[Observation, str]]:
    """Configurations in the order of their first trial, each with its losses by share of rows, and their origin."""
    results = {r.spec.id: r for r in finished}
    groups: list[list[TrialSpec]] = []
    for spec in sorted([*(r.spec for r in finished), *running], key=lambda s: trial_number(s.id)):
        group = next((g for g in groups if g[0].config == spec.config), None)
        if group is None:
            groups.append([spec])
        else:
            group.append(spec)
    return [(_observation(g, results), g[0].origin) for g in groups]


def _losses(
    seen: Observation, finished: Sequence[TrialResult], several: Mapping[str, tuple[float, ...]]
) -> tuple[float, ...]:
    """All losses of the trial whose loss the observation has."""
    same = (r for r in finished if r.spec.config == seen.config and (r.spec.fidelity or 1.0) == seen.fidelity)
    return next((several[r.spec.id] for r in same if r.loss == seen.loss and r.spec.id in several), ())


def _observation(specs: Sequence[TrialSpec], results: dict[str, TrialResult]) -> Observation:
    done = [results[s.id] for s in specs if s.id in results]
    scored = [r for r in done if r.loss is not None and r.reached >= 1.0]
    curve = tuple(sorted((r.spec.fidelity or 1.0, r.loss) for r in scored if r.loss is not None))
    if len(done) < len(specs):
        return Observation(specs[0].config, "running", curve=curve)
    bad = any(r.status in (TrialStatus.FAILED, TrialStatus.TIMEOUT) or r.reached < 1.0 for r in done)
    if not curve or bad:
        return Observation(specs[0].config, "failed", curve=curve)
    whole = done[-1].status is TrialStatus.OK
    return Observation(
        specs[0].config, "ok" if whole else "stopped", loss=curve[-1][1], fidelity=curve[-1][0], curve=curve
    )
