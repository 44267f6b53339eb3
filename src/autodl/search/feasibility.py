"""Limits of the user inside the search: which trials keep them, and what the strategy is told of those that do not.

Deb's rules (Deb 2000): of two that keep the limits the smaller loss is better; one that keeps them is better than one
that does not; of two that do not, the one that exceeds them less. They become one number, which any strategy
understands.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autodl.records import Footprint, Limits, TrialResult

FAR = math.log(3.0)
"""A family whose nearest trial exceeds the limits by more than this factor is left, once several have been seen."""
SEEN = 2
"""Trials of a family that are looked at before it is left; fewer if it has no more listed configurations."""


@dataclass(frozen=True)
class Feasibility:
    """Judges single trials, by what one of their models takes.

    Attributes:
        limits: Of the user.
        base: What any model of this run takes besides its own part.
    """

    limits: Limits = field(default_factory=Limits)
    base: Footprint = field(default_factory=Footprint)

    def violation(self, result: TrialResult) -> float:
        """0 within the limits, else the sum of the logarithms of need over limit."""
        return self.limits.violation(self.base.plus(result.whole_need)) if self.limits.any else 0.0

    def order(self, result: TrialResult) -> tuple[float, float]:
        """Sorts trials: those within the limits by loss, then the others by how far they exceed them."""
        loss = math.inf if result.loss is None else result.loss
        return self.violation(result), loss

    def told(self, finished: Iterable[TrialResult]) -> dict[str, float]:
        """The loss that strategies are told, by trial id: beyond the limits worse than any within, and bounded.

        What was not measured, as in trials of earlier versions that were stopped, is told no better than the worst
        that is known to be within.
        """
        scored = [r for r in finished if r.loss is not None and math.isfinite(r.loss)]
        losses = {r.spec.id: r.loss for r in scored if r.loss is not None}
        beyond = {r.spec.id: v for r in scored if (v := self.violation(r)) > 0}
        learning = [r for r in scored if r.spec.origin != "baseline"]
        unknown = {r.spec.id for r in learning if r.spec.id not in beyond and not self._known(r)}
        if not beyond and not unknown:
            return losses
        learnt = [losses[r.spec.id] for r in learning] or [*losses.values()]
        within = [losses[r.spec.id] for r in learning if r.spec.id not in beyond]
        measured = [losses[r.spec.id] for r in learning if r.spec.id not in beyond and r.spec.id not in unknown]
        best, worst = min(learnt), max(measured or within or learnt)
        spread = (worst - best) or abs(worst) or 1.0
        told = losses | {key: worst + spread * (0.1 + v / (1.0 + v)) for key, v in beyond.items()}
        return told | ({key: max(losses[key], worst) for key in unknown} if measured else {})

    def _known(self, result: TrialResult) -> bool:
        """Whether everything that is limited was measured, memory aside, which is not known of single trials."""
        need, limits = result.need, self.limits
        return (limits.row_s is None or need.row_s is not None) and (
            limits.size_bytes is None or need.size_bytes is not None
        )

    def as_told(self, finished: Sequence[TrialResult]) -> Sequence[TrialResult]:
        """The trials with the losses that strategies are told."""
        if not self.limits.any:
            return finished
        told = self.told(finished)
        return [r.model_copy(update={"loss": told[r.spec.id]}) if r.spec.id in told else r for r in finished]

    def objectives(self, finished: Sequence[TrialResult]) -> dict[str, tuple[float, ...]]:
        """Loss, and the logarithms of seconds for one row and of bytes, by trial id; for multi-objective search.

        What was not measured of a trial counts as the worst that was.

        Args:
            finished: With the losses that strategies are told.
        """
        rows = {r.spec.id: row_s for r in finished if (row_s := r.whole_need.row_s)}
        sizes = {r.spec.id: r.need.size_bytes for r in finished if r.need.size_bytes}
        slowest, largest = max(rows.values(), default=1.0), max(sizes.values(), default=1)
        return {
            r.spec.id: (r.loss, math.log(rows.get(r.spec.id, slowest)), math.log(sizes.get(r.spec.id, largest)))
            for r in finished
            if r.loss is not None and math.isfinite(r.loss)
        }

    def hopeless(self, finished: Sequence[TrialResult], listed: Mapping[str, int]) -> frozenset[str]:
        """Families that are far beyond the limits even where they come nearest.

        Where that holds for all that were tried, the nearest is not left: something has to be searched.

        Args:
            finished: All finished trials.
            listed: How many listed configurations each family has that can be searched; others are not looked at.
        """
        if not self.limits.any:
            return frozenset()
        seen: dict[str, list[float]] = {}
        for r in finished:
            if r.ok and r.spec.family in listed:
                seen.setdefault(r.spec.family, []).append(self.violation(r))
        left = {key for key, far in seen.items() if len(far) >= min(SEEN, listed[key]) and min(far) > FAR}
        if left == set(seen):
            left -= set(sorted(left, key=lambda key: (min(seen[key]), key))[:1])
        return frozenset(left)
