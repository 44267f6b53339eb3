"""From a part of the rows to all of them: which configurations are worth it after their first passes, and when.

Where rows are very many, configurations are compared on a part of them (``Plan.scout``); each such trial counts as a
result, since it is scored on the same validation rows. The leaders are tried again on all rows, as trials of their
own: the best of the two leading families as soon as the usual families are known, or earlier where that would be too
late, further ones as long as they take no more time than the first passes. Where all rows do not fit into the time
left, a model that can do with fewer steps gets fewer (``Family.haste``); where they still do not fit, or memory has
no room for them, it gets as many rows as do. At last it learns from all rows until its time is up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from autodl.models.base import families
from autodl.records import TrialResult, TrialSpec
from autodl.records.origins import PROMOTED
from autodl.search.space import Config, SearchSpace

PART = 0.5
"""Where a promotion cannot have so many rows, it gets this share of them, as often as needed."""
HASTE = (1.0, 2.0, 4.0)
"""By so much steps are made larger, so that fewer do: many rows seen hastily teach more than few seen at leisure."""
LEAST_HASTE = 1.2
"""Where steps could not be made larger by as much, they stay."""
CUT_SHORT = 0.4
"""Share of its steps that a hasty model on all rows must have time for, where nothing else fits."""
LEAST_GROWTH = 1.5
"""A promotion must bring so many times the rows of the first pass."""
KNOWN = 3
"""Families with a result before the first promotion, unless no other is left to begin."""
AT_ONCE = 2
"""Leading families whose best goes on to all rows whatever time that takes."""
CLOSE = 0.9
"""A configuration goes on if it has taken this share of what the best one has taken off the loss of guessing: more
rows hardly make up for more."""
LEADERS = 5
"""Of further configurations, so many of the best may go on."""
SIMPLE = 1
"""Families up to this complexity gain little from more rows: none of them goes on before others are known."""
URGENT = 2.5
"""Where this many times the seconds on all rows are no longer left, the best so far does not wait for the others."""
MOST_BYTES, ROOM = 1.5e9, 0.5
"""A promotion that adds more bytes, and more than this share of what a trial may add, makes way for one on fewer
rows: two of so many bytes beside the table fill 4 GiB, and larger estimates err by more."""
SHARE = 0.5
"""Of the time spent on trials, further promotions may take this much."""
USELESS = 2
"""After so many promotions of which none was better than its first pass, further rows are not worth their time."""


Estimate = Callable[[TrialSpec, Sequence[TrialResult]], float]


@dataclass(frozen=True)
class Promotions:
    """Decides what goes on to all rows.

    Attributes:
        share: Of the training rows, for first passes.
        bytes: Estimates what a trial adds to the memory, from the finished ones.
        seconds: Estimates a trial's seconds from the finished ones; None where no clock is looked at.
        left: Seconds of the budget that are left.
        allowed: Bytes that a trial may add to the memory.
        spaces: Of the families; steps are not made larger than these allow.
    """

    share: float
    bytes: Estimate = lambda spec, finished: 0.0
    seconds: Estimate | None = None
    left: Callable[[], float] = lambda: math.inf
    allowed: float = 0.0
    spaces: Mapping[str, SearchSpace] = field(default_factory=dict)

    def next(
        self,
        finished: Sequence[TrialResult],
        running: Sequence[TrialSpec],
        fits: Callable[[TrialSpec], bool],
        id_: str,
        *,
        begun: bool,
    ) -> TrialSpec | None:
        """The next promotion that is due and fits, or None.

        Args:
            finished: All trials, promotions included. running: specifications of those that run.
            fits: Whether there is time and memory for a trial.
            id_: Of the trial that may come of it.
            begun: Whether every family that will take part has begun.
        """
        scouts = [r for r in finished if r.ok and r.loss is not None and _learns(r) and not is_promotion(r.spec)]
        scouts = sorted(scouts, key=lambda r: r.loss if r.loss is not None else float("inf"))
        soon = begun or len({r.spec.family for r in scouts}) >= KNOWN
        if not soon:
            scouts = [r for r in scouts if families[r.spec.family].complexity > SIMPLE]
        scouts = _close(scouts, finished)
        promoted = [r for r in finished if is_promotion(r.spec)]
        if _useless(promoted, scouts):
            return None
        best: dict[str, TrialResult] = {}
        for r in scouts:
            best.setdefault(r.spec.family, r)
        first = list(best.values())[:AT_ONCE]
        asked = [*(r.spec for r in promoted), *(s for s in running if is_promotion(s))]
        for r in first:
            if not soon and not self._urgent(r, finished):
                continue
            # Another of the family does as well where this one was too long: rows matter more than settings.
            if not any(s.family == r.spec.family for s in asked):
                own = [o for o in scouts if o.spec.family == r.spec.family][:LEADERS]
                if (found := self._fitting(own, finished, running, fits, id_)) is not None:
                    return found
        if not soon or not self._has_share(finished, running):
            return None
        return self._fitting(scouts[:LEADERS], finished, running, fits, id_)

    def _urgent(self, scout: TrialResult, finished: Sequence[TrialResult]) -> bool:
        """Whether all rows would soon take longer than what is left."""
        whole = scout.spec.model_copy(update={"fidelity": None})
        return self.seconds is not None and URGENT * self.seconds(whole, finished) > self.left()

    def _fitting(
        self,
        scouts: Sequence[TrialResult],
        finished: Sequence[TrialResult],
        running: Sequence[TrialSpec],
        fits: Callable[[TrialSpec], bool],
        id_: str,
    ) -> TrialSpec | None:
        """The best of these that fits on the most rows."""
        asked = [s for s in (*(r.spec for r in finished), *running) if is_promotion(s)]
        # On a cluster nobody knows yet what its machines have.
        most_bytes = max(MOST_BYTES, ROOM * self.allowed) if math.isfinite(self.allowed) else MOST_BYTES
        for part in _parts(LEAST_GROWTH * self.share):
            for factor, r in product(HASTE, scouts):
                config = hastened(r.spec, factor, self.spaces.get(r.spec.family))
                if config is None or any(same_settings(s, r.spec) for s in asked):
                    continue
                spec = r.spec.model_copy(update={"id": id_, "origin": PROMOTED, "fidelity": part, "config": config})
                if self.bytes(spec, finished) <= most_bytes and fits(spec):
                    return spec
        for r in scouts:
            config = hastened(r.spec, HASTE[-1], self.spaces.get(r.spec.family)) or r.spec.config
            if families[r.spec.family].haste is None or any(same_settings(s, r.spec) for s in asked):
                continue
            spec = r.spec.model_copy(update={"id": id_, "origin": PROMOTED, "fidelity": None, "config": config})
            # So many steps on all rows take as long as all steps on so many rows.
            briefly = spec.model_copy(update={"fidelity": CUT_SHORT})
            if self.bytes(spec, finished) <= most_bytes and fits(briefly):
                return spec
        return None

    def _has_share(self, finished: Sequence[TrialResult], running: Sequence[TrialSpec]) -> bool:
        spent = [0.0, 0.0]
        for r in finished:
            spent[is_promotion(r.spec)] += self._spent(r)
        for s in running:
            if is_promotion(s):
                spent[1] += 1.0 if self.seconds is None else self.seconds(s, finished)
        return (1.0 - SHARE) * spent[1] <= SHARE * spent[0]

    def _spent(self, result: TrialResult) -> float:
        if self.seconds is None:
            return 1.0
        return 0.0 if result.cost is None else result.cost.spent_s


def _parts(least: float) -> Iterator[float | None]:
    """Shares of the rows that a promotion may get, the most first, at least so much; None is all of them."""
    part = 1.0
    while part >= least > 0.0:
        yield part if part < 1.0 else None
        part *= PART


def is_promotion(spec: TrialSpec) -> bool:
    """Whether a trial takes a known configuration to more rows."""
    return spec.origin == PROMOTED


def _learns(result: TrialResult) -> bool:
    """Whether further rows can help: not a guess, nor what goes on from the weights of another trial."""
    return families[result.spec.family].complexity > 0 and result.spec.parent is None


def _close(scouts: Sequence[TrialResult], finished: Sequence[TrialResult]) -> list[TrialResult]:
    """Those that are not far behind the best, as far as the guess tells what far is; ``scouts`` are best first."""
    guesses = [r.loss for r in finished if r.loss is not None and families[r.spec.family].complexity == 0]
    if not guesses or not scouts or scouts[0].loss is None:
        return list(scouts)
    guess, best = min(guesses), scouts[0].loss
    if guess <= best:
        return list(scouts)
    return [r for r in scouts if r.loss is not None and guess - r.loss >= CLOSE * (guess - best)]


def hastened(spec: TrialSpec, factor: float, space: SearchSpace | None = None) -> Config | None:
    """The configuration with steps so many times as large, or the largest good ones; None if they are near those.

    Args:
        spec: Of the trial.
        factor: 1 changes nothing.
        space: Of the family; it may allow smaller steps only, and a choice among some none in between.
    """
    haste = families[spec.family].haste
    if factor == 1.0:
        return spec.config
    step = None if haste is None else spec.config.get(haste[0])
    if haste is None or not isinstance(step, int | float):
        return None
    most = haste[1]
    if space is not None and (param := space.params.get(haste[0])) is not None:
        most = step if param.high is None else min(most, param.high)
    return None if step * LEAST_HASTE > most else {**spec.config, haste[0]: min(factor * step, most)}


def same_settings(one: TrialSpec, other: TrialSpec) -> bool:
    """Whether they are the same configuration, whatever their haste."""
    if one.family != other.family:
        return False
    haste = families[one.family].haste
    but = "" if haste is None else haste[0]
    configs = ({k: v for k, v in s.config.items() if k != but} for s in (one, other))
    return next(configs) == next(configs)


def _useless(promoted: Sequence[TrialResult], scouts: Sequence[TrialResult]) -> bool:
    """Whether further rows have brought nothing so far."""
    gains = [
        scout.loss - p.loss
        for p in promoted
        for scout in scouts
        if p.ok and same_settings(p.spec, scout.spec) and p.loss is not None and scout.loss is not None
    ]
    return len(gains) >= USELESS and max(gains) <= 0.0
