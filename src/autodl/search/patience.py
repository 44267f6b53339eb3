"""When a search may end before its time: what its later half has brought, held against noise.

The later half is the part since half of the tuned trials and half of the seconds, whichever was earlier. What the
best models known then lose against the best known now, on the same out-of-fold rows, is its gain. Where gains fall
off, as they do for the best of more and more tries, each further doubling of the time brings no more than the last
one has; the search is settled where all doublings that the budget still has would bring less than the standard error
of the gain.
Ending when what is left to gain falls below the error of the validation is the rule of Makarova et al., Automatic
Termination for Hyperparameter Optimization (AutoML 2022); the gain in place of the bound by a Gaussian process holds
for several families and their ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autodl.records import MoreTime, TrialResult, TrialStatus
from autodl.records.origins import LISTED, PROMOTED, SUPERNET
from autodl.search.repeats import merged

LEAST_TRIALS = 40
"""Tuned trials that the later half must have."""
LEAST_S = 20.0
"""Seconds that it must have lasted."""
LOOK_AGAIN = 1.1
"""After a look that did not settle, the next is at this many times the tuned trials."""
TOLD_TRIALS = 10
"""Tuned trials of the later half from which on a run says what they have brought."""
SURE = 2.0
"""Standard errors beyond which a gain is called one."""


class Gain(NamedTuple):
    """How far a loss fell, and the standard error of that."""

    value: float
    error: float


Compare = Callable[[Sequence[TrialResult], Sequence[TrialResult]], Gain | None]
"""(best known results then, all results now) -> the gain; None where it cannot be measured."""


class LaterHalf(NamedTuple):
    """The later half of a search."""

    earlier: list[TrialResult]
    """What was known before, with what is known of it now; one result a configuration."""
    now: list[TrialResult]
    tuned: int
    """Tuned trials in it."""
    families: int
    """Families that these were of."""
    seconds: float


def later_half(finished: Sequence[TrialResult], now_s: float) -> LaterHalf | None:
    """The part of a search since half of its tuned trials and half of its seconds, whichever was earlier.

    Args:
        finished: All trials. now_s: Seconds after the start of the command.
    """
    results = merged(finished)
    tuned = sorted((r for r in results if _tuned(r)), key=lambda r: r.finished_s)
    if not tuned:
        return None
    begun = min(r.started_s for r in results)
    border = min(tuned[len(tuned) // 2].finished_s, begun + (now_s - begun) / 2)
    later = [r for r in tuned if r.finished_s > border]
    earlier = [r for r in results if r.finished_s <= border]
    return LaterHalf(earlier, results, len(later), len({r.spec.family for r in later}), now_s - border)


def _tuned(result: TrialResult) -> bool:
    """Whether somebody chose what was tried by what was seen before."""
    tried = result.ok or (result.status is TrialStatus.STOPPED and result.spec.fidelity is None)
    return tried and result.spec.origin not in (*LISTED, SUPERNET, PROMOTED)


@dataclass
class Patience:
    """Looks now and then whether a search is settled.

    Attributes:
        compare: Measures the gain of what would be delivered.
        total_s: Budget in seconds.
        kinds: Families that are tuned; two of them, where there are, must be among the tries of the later half.
    """

    compare: Compare
    total_s: float
    kinds: int = 1
    _next: int = 0

    def look(self, finished: Sequence[TrialResult], now_s: float) -> MoreTime | None:
        """Why the search may end, or None if it should go on.

        Args:
            finished: All trials. now_s: Seconds after the start of the command.
        """
        n_tuned = sum(r.spec.repeats is None and _tuned(r) for r in finished)
        if n_tuned < max(2 * LEAST_TRIALS, self._next) or self.total_s - now_s < LEAST_S:
            return None  # too early, or so late that a look costs more than it could save
        half = later_half(finished, now_s)
        if half is None or half.tuned < LEAST_TRIALS or half.seconds < LEAST_S or half.families < min(2, self.kinds):
            return None
        self._next = math.ceil(LOOK_AGAIN * n_tuned)
        gain = self.compare(half.earlier, half.now)
        if gain is None or max(0.0, gain.value) * self._doublings(now_s) > gain.error:
            return None
        return MoreTime(
            verdict="no", gain=gain.value, error=gain.error, trials=half.tuned, seconds=half.seconds, ended=True
        )

    def _doublings(self, now_s: float) -> float:
        """How often the time used so far could be doubled; at least once, as the gain is itself uncertain."""
        return max(1.0, math.log2(self.total_s / max(now_s, 1e-9)))


def told(finished: Sequence[TrialResult], now_s: float, compare: Compare) -> MoreTime | None:
    """What a run that used its time can say about more of it; None if too little was tried.

    Args:
        finished: All trials. now_s: Seconds after the start of the command.
        compare: Measures the gain.
    """
    half = later_half(finished, now_s)
    if half is None or half.tuned < TOLD_TRIALS:
        return None
    gain = compare(half.earlier, half.now)
    if gain is None:
        return None
    flat = gain.value <= gain.error and half.tuned >= LEAST_TRIALS
    verdict = "no" if flat else "yes" if gain.value > SURE * gain.error else "unclear"
    return MoreTime(
        verdict=verdict, gain=gain.value, error=gain.error, trials=half.tuned, seconds=half.seconds
    )  # fmt: skip
