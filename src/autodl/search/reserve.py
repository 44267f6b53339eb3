"""Time kept for everything after the search: the end of the run, and training the likely members on all rows.

Quick models fill the time to the last second, so what is kept must be what is needed, or the run delivers the models
of its folds and explains half of the columns. Small amounts are therefore kept in full: a whole explanation, and what
the last trials may take from the reserve.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from autodl.records import TrialResult
from autodl.search.budget import AFTER_EXPLANATION, AFTER_REFITS, Budget
from autodl.search.repeats import merged

if TYPE_CHECKING:
    from autodl.search.setup import SearchSetup

Likely = Callable[[Sequence[TrialResult]], Sequence[str]]
"""Finished trials -> ids of those that the ensemble would take now, the heaviest first."""

Explained = Callable[[Sequence[TrialResult]], float]
"""Likely members -> seconds of a full explanation of them together, by what their predictions took."""

LIKELY_MEMBERS = 4
"""Members that are counted on as long as nobody has looked which they would be: the best trials."""
REFIT_SHARE = 0.25
"""At most this share of the budget is kept for refits; members that do not fit keep their fold models."""
KEPT_SHARE = 0.35
"""At most this share is kept for refits and the end of the run together, however slow the machine looks."""
REFIT_MARGIN = 1.3
"""A refit may take longer than estimated."""
LEAST_FURTHER = 0.4
"""A fold's model goes on learning if this share of what that should take is there; its schedule is compressed."""
EXPLAIN_SHARE = 0.03
"""At most this share is kept for a full explanation, beyond what the end of a run holds for a short one."""
LENT, LENT_SHARE = 0.25, 0.02
"""The last trials may take a fifth of the reserve: so much more of it is kept, at most this share of the budget."""
NEAR_END = 0.15
"""The likely ensemble is looked up where less than this share of the budget is left by the rougher estimate."""
LOOKING_SHARE = 0.05
"""At most about this share of the time goes into looking it up."""


def affordable(seconds: Sequence[tuple[float, float | None]], most: float) -> float:
    """What the refits that fit will take together; one that is too long for what is left is passed over.

    Args:
        seconds: Of each member, the most important first: to train it anew, and to let its model of the only fold go
            on, if it can; with a part of that time it goes on for less.
        most: For all.
    """
    total = 0.0
    for anew, further in seconds:
        if total + anew <= most:
            total += anew
        elif further is not None and LEAST_FURTHER * further <= most - total:
            total += min(further, most - total)
    return total


class Reserve:
    """Finished trials -> seconds to keep.

    Args:
        setup: The problem.
        budget: The clock.
        n_rows: Rows of the whole table.
        likely: Looks up the ensemble as it would be now; None where the best trials are taken for it.
        shared: Whether trials run beside this process, so that a look at the machine sees their load too.
        explained: Estimates a full explanation; None where there will be none.
    """

    def __init__(
        self,
        setup: SearchSetup,
        budget: Budget,
        n_rows: int,
        likely: Likely | None = None,
        shared: bool = False,
        explained: Explained | None = None,
    ) -> None:
        self._setup, self._budget, self._n_rows = setup, budget, n_rows
        self._likely, self._shared, self._explained = likely, shared, explained
        self._costs, self._growth = setup.costs(), setup.growth(n_rows)
        self._members: Sequence[str] | None = None
        self._looked_at, self._next_look = 0, 0.0
        self._kept: tuple[int, float] | None = None
        """Finished trials and the seconds of refits and explanation that followed from them."""

    def __call__(self, finished: Sequence[TrialResult]) -> float:
        """Seconds for refits, checks, evaluation, explanation, report and exit."""
        if self._budget.unlimited:
            return 0.0
        if self._shared:
            cores = max(1, self._setup.plan.workers * self._setup.plan.threads)
            self._budget.pace.look(crowd=(cores + 1) / cores)
        finish = self._budget.finish_s(self._n_rows, len(self._setup.data.schema.columns))
        kept = finish + self._setup.checking_s + self._refits(finished, finish)
        total = self._budget.total_s
        return kept + min(LENT * kept, LENT_SHARE * total, max(0.0, KEPT_SHARE * total - kept))

    def _refits(self, finished: Sequence[TrialResult], finish: float) -> float:
        if self._kept is None or self._kept[0] != len(finished):
            self._kept = len(finished), self._estimate(self._best(finished), finish)
        if self._likely is None or len(finished) == self._looked_at:
            return self._kept[1]
        left = self._budget.left() - finish - self._kept[1]
        if left < NEAR_END * self._budget.total_s and time.monotonic() >= self._next_look:
            begun = time.monotonic()
            self._members, self._looked_at = self._likely(finished), len(finished)
            spent = time.monotonic() - begun
            self._next_look = begun + spent / LOOKING_SHARE
            self._kept = len(finished), self._estimate(self._best(finished), finish)
        return self._kept[1]

    def _best(self, finished: Sequence[TrialResult]) -> list[TrialResult]:
        """The likely members, most important first."""
        done = [r for r in merged(finished) if r.ok]
        if self._members is not None:
            by_id = {r.spec.id: r for r in done}
            return [by_id[i] for i in self._members if i in by_id]
        return sorted(done, key=self._setup.feasibility.order)[:LIKELY_MEMBERS]

    def _estimate(self, members: Sequence[TrialResult], finish: float) -> float:
        total = self._budget.total_s
        room = max(0.0, KEPT_SHARE * total - finish)
        refits = 0.0
        if self._setup.plan.scout is None:  # else the leaders are trained on all rows while the search goes on
            refits = affordable([self._refit(r) for r in members], min(REFIT_SHARE * total, room))
        return refits + min(self._explanation(members, finish), room - refits)

    def _refit(self, result: TrialResult) -> tuple[float, float | None]:
        """See ``affordable``. What went on from the weights of another is not trained anew."""
        anew = math.inf if result.spec.parent is not None else REFIT_MARGIN * self._costs.refit(result, self._growth)
        return anew, self._costs.further(result, self._growth)

    def _explanation(self, members: Sequence[TrialResult], finish: float) -> float:
        """Seconds of a full explanation beyond those that ``finish`` holds for a short one, if that is not much."""
        if self._explained is None or not members:
            return 0.0
        held = (AFTER_REFITS - AFTER_EXPLANATION) * finish
        return min(max(0.0, self._explained(members) - held), EXPLAIN_SHARE * self._budget.total_s)
