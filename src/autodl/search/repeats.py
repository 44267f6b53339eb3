"""Repeated cross-validation: leading configurations are tried again on further splits of the rows into folds.

A score from one split is partly luck, and the best of many scores has had most of it. Each further split is a trial
of its own, so that it can run anywhere and be resumed; whoever looks at results sees one result a configuration, with
means over its splits. Its predictions are averaged over the splits: no model has seen the rows that it predicts on
its own split, so neither has the mean.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from autodl.records import ArtifactRef, Cost, TrialResult, TrialSpec
from autodl.records.origins import LISTED, REPEAT
from autodl.search.fold_model import merge_refits

SHARE = 0.35
"""Of the time spent on trials after the listed ones and the first tuned ones, repeats may take this much."""
FIRST = 20
"""Tuned trials before the first repeat: as long as there are few, new ones bring more (``benchmarks/LOG.md``)."""
LEADERS, KINDS = 5, 4
"""Repeated are the best so many configurations, and the best of each of the best so many families."""
SEED_STEP = 10_007
"""Between the seeds of a configuration's splits; folds use the next few numbers after each."""


def merged(finished: Sequence[TrialResult]) -> list[TrialResult]:
    """One result a configuration, in the order of the trials on the first split.

    What was tried on several splits has means over them: loss, score, out-of-fold and test predictions. Its models
    are those of all splits, its costs their sums. Trials of further splits that did not end well count for nothing.
    """
    again: dict[str, list[TrialResult]] = {}
    for r in finished:
        if r.spec.repeats is not None and r.ok:
            again.setdefault(r.spec.repeats, []).append(r)
    first = [r for r in finished if r.spec.repeats is None]
    return [_together(r, again[r.spec.id]) if r.ok and r.spec.id in again else r for r in first]


def _together(first: TrialResult, others: Sequence[TrialResult]) -> TrialResult:
    parts = [first, *sorted(others, key=lambda r: r.spec.split)]
    losses = tuple(r.loss for r in parts if r.loss is not None)
    scores = [r.score for r in parts if r.score is not None]
    plain = [r.plain_loss for r in parts if r.plain_loss is not None]
    return first.model_copy(
        update={
            "loss": statistics.fmean(losses),
            # Scores are losses turned round, so that their mean is the score of the mean loss.
            "score": statistics.fmean(scores) if scores else None,
            "plain_loss": statistics.fmean(plain) if plain else None,
            "split_losses": losses,
            "fold_losses": tuple(loss for r in parts for loss in r.fold_losses),
            "oof": _mean([r.oof for r in parts]),
            "test": _mean([r.test for r in parts]),
            "models": tuple(m for r in parts for m in r.models),
            "cost": _total([r.cost for r in parts if r.cost is not None]),
            "refit": merge_refits([r.refit for r in parts]),
        }
    )


def latest(results: Sequence[TrialResult]) -> list[TrialResult]:
    """The same with the model of the last fold alone, as folds by time have it: earlier ones know the oldest rows."""
    return [r.model_copy(update={"models": r.models[-1:]}) for r in results]


def first_split(ref: ArtifactRef) -> ArtifactRef:
    """The predictions on the first split alone."""
    return ref.model_copy(update={"others": ()})


def _mean(refs: Sequence[ArtifactRef | None]) -> ArtifactRef | None:
    known = [r for r in refs if r is not None]
    return known[0].model_copy(update={"others": tuple(known[1:])}) if known and refs[0] is not None else None


def _total(costs: Sequence[Cost]) -> Cost | None:
    if not costs:
        return None
    return Cost(
        fit_s=sum(c.fit_s for c in costs),
        cached_s=sum(c.cached_s for c in costs),
        predict_s=sum(c.predict_s for c in costs),
        n_predicted=sum(c.n_predicted for c in costs),
        bulk_row_s=costs[0].bulk_row_s,
        size_bytes=sum(c.size_bytes for c in costs),
        peak_bytes=max(c.peak_bytes for c in costs),
        row_s=costs[0].row_s,
        vectors=costs[0].vectors,
    )


@dataclass(frozen=True)
class Repeats:
    """Decides which configuration is tried on a further split.

    A race: the leaders get further splits, those with the fewest first. Who led by luck falls back when its mean
    becomes known, and the next takes its place.

    Attributes:
        most: Splits of one configuration at most, the first included.
        timed: Whether shares are of seconds; without a clock they are of trials, so that runs repeat exactly.
    """

    most: int
    timed: bool = True

    def next(
        self,
        results: Sequence[TrialResult],
        everything: Sequence[TrialResult],
        running: Sequence[TrialSpec],
        *,
        freely: bool = False,
    ) -> list[tuple[TrialResult, int]]:
        """What may be tried again, (configuration, number of the split), most useful first; empty if nothing is due.

        Args:
            results: One a configuration, as ``merged`` makes them, without families that are not searched.
            everything: All finished trials, those of further splits included.
            running: All running ones.
            freely: Whether there is nothing else to try, so that there is no share to keep to.
        """
        if self.most < 2 or not (freely or self._has_share(everything, running)):
            return []
        asked: dict[str, set[int]] = {}
        for spec in (*(r.spec for r in everything if not r.lost), *running):
            if spec.repeats is not None:
                asked.setdefault(spec.repeats, set()).add(spec.split)
        due = []
        for place, leader in enumerate(leaders(results)):
            known = asked.get(leader.spec.id, set())
            if (split := next((s for s in range(1, self.most) if s not in known), None)) is not None:
                due.append((len(known), place, leader, split))
        return [(leader, split) for _, _, leader, split in sorted(due, key=lambda d: d[:2])]

    def _has_share(self, everything: Sequence[TrialResult], running: Sequence[TrialSpec]) -> bool:
        again = sum(self._spent(r) for r in everything if r.spec.repeats is not None)
        tuned = [self._spent(r) for r in everything if r.spec.repeats is None and r.spec.origin not in LISTED]
        # What runs now takes about as long as what ran before.
        usual = statistics.fmean(map(self._spent, everything)) if everything else 1.0
        again += usual * sum(s.repeats is not None for s in running)
        return again < SHARE * (again + sum(tuned[FIRST:]))

    def _spent(self, result: TrialResult) -> float:
        if not self.timed or result.cost is None:
            return 1.0
        return result.cost.spent_s


def leaders(results: Sequence[TrialResult]) -> list[TrialResult]:
    """The best configurations, and the best of each of the best families; best first."""
    whole = [r for r in results if r.ok and r.spec.fidelity is None and r.spec.parent is None]
    ranked = sorted(whole, key=lambda r: math.inf if r.loss is None else r.loss)
    best: dict[str, str] = {}
    for r in ranked:
        best.setdefault(r.spec.family, r.spec.id)
    chosen = {*list(best.values())[:KINDS], *(r.spec.id for r in ranked[:LEADERS])}
    return [r for r in ranked if r.spec.id in chosen]


def again(of: TrialSpec, split: int, id_: str) -> TrialSpec:
    """The trial of a known configuration on a further split."""
    more = {"id": id_, "origin": REPEAT, "repeats": of.id, "split": split, "seed": of.seed + SEED_STEP * split}
    return of.model_copy(update=more)
