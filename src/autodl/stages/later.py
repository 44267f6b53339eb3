"""What the later part of a search has gained, measured on out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import Deadline
from autodl.ensemble import Allowed, KnownRows, combine, select
from autodl.ensemble.answers import needs_cut
from autodl.ensemble.nested import cut_parts, noise
from autodl.ensemble.quick_answers import quick_answers
from autodl.evaluate.influence import influence
from autodl.models.base import families
from autodl.records import Ensemble, Member, TrialResult
from autodl.search.patience import Compare, Gain
from autodl.stages.problem import Problem
from autodl.stages.views import Views, views

if TYPE_CHECKING:
    from numpy.typing import NDArray

CANDIDATES = 10
"""Models that each ensemble is chosen from: the comparison is made while the search waits."""
SELECT_S = 2.0
"""Seconds that choosing an ensemble may take."""


def delivered_gain(problem: Problem) -> Compare:
    """Compares what would be delivered: the ensembles of then and of now."""

    def chosen(results: Sequence[TrialResult], seen: Views) -> Ensemble:
        plan, rows = problem.setup.plan, seen.rows
        known = {r.spec.id: seen.predictions[r.spec.id] for r in results}
        allowed = _allowed(problem, results)
        if allowed is not None and not any(allowed.fits([key]) for key in known):
            return _alone(results[0])  # the nearest to the limits
        return select(
            results, known, rows.y, rows.metric, n_classes=len(plan.classes), seed=plan.seed,
            max_candidates=CANDIDATES, deadline=Deadline.after(SELECT_S), weight=rows.weight, block=rows.block,
            allowed=allowed,
        )  # fmt: skip

    def compare(earlier: Sequence[TrialResult], now: Sequence[TrialResult]) -> Gain | None:
        first, last = _candidates(problem, earlier), _candidates(problem, now)
        if not first or not last:
            return None
        seen = _views(problem, first, last)
        before, after = (combine(chosen(results, seen), seen.predictions) for results in (first, last))
        return _difference(seen.rows, len(problem.setup.plan.classes), before, after)

    return compare


def leaders_gain(problem: Problem) -> Compare:
    """Compares the best single models of then and of now, which takes next to no time."""

    def compare(earlier: Sequence[TrialResult], now: Sequence[TrialResult]) -> Gain | None:
        first, last = _candidates(problem, earlier)[:1], _candidates(problem, now)[:1]
        if not first or not last:
            return None
        seen = _views(problem, first, last)
        before, after = (combine(_alone(r), seen.predictions) for r in (*first, *last))
        return _difference(seen.rows, len(problem.setup.plan.classes), before, after)

    return compare


def _candidates(problem: Problem, results: Sequence[TrialResult]) -> list[TrialResult]:
    """Trials with predictions that have learnt something, best first: the first few, and the best of each family."""
    able = [r for r in results if r.ok and r.oof is not None and families[r.spec.family].complexity > 0]
    ranked = sorted(able, key=problem.setup.feasibility.order)
    best = {r.spec.family: r.spec.id for r in reversed(ranked)}
    return [r for place, r in enumerate(ranked) if place < CANDIDATES or best[r.spec.family] == r.spec.id]


def _allowed(problem: Problem, results: Sequence[TrialResult]) -> Allowed | None:
    """The limits, with what was measured in the trials; None without limits."""
    feasibility = problem.setup.feasibility
    if not feasibility.limits.any:
        return None
    return Allowed.of_trials(feasibility.limits, results, feasibility.base)


def _views(problem: Problem, first: Sequence[TrialResult], last: Sequence[TrialResult]) -> Views:
    """Of both, each trial as far as it is known now: what was tried again since has gained nothing by that."""
    return views(problem, list({r.spec.id: r for r in (*first, *last)}.values()))


def _alone(result: TrialResult) -> Ensemble:
    loss = 0.0 if result.loss is None else result.loss
    member = Member(trial_id=result.spec.id, family=result.spec.family, weight=1.0)
    return Ensemble(members=(member,), method="single", loss=loss, single_loss=loss)


def _difference(rows: KnownRows, k: int, first: NDArray[Any], last: NDArray[Any]) -> Gain | None:
    """How much lower the loss of the last is, on the rows that both predict; None for scores that are not smooth."""
    known = np.logical_and(*(np.isfinite(p).reshape(len(p), -1).all(axis=1) for p in (first, last)))
    rows, first, last = rows.only(known), first[known], last[known]
    if len(rows) < 2:
        return None
    if needs_cut(rows.metric, k):
        # Each gets cuts of its own, as what is delivered does; the same parts of the rows for both.
        part = cut_parts(rows.y, True, rows.block, np.random.default_rng(rows.seed))
        first, last = (quick_answers(p, rows, part) for p in (first, last))
    before, after = (influence(rows.metric, rows.y, p, k, rows.weight) for p in (first, last))
    if before is None or after is None:
        return None
    return Gain(rows.loss(first, k) - rows.loss(last, k), noise(after - before, rows.block))
