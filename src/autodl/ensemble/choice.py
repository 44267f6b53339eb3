"""Which way to combine the models, chosen on rows that no way was fitted on: the simplest of those that tie.

Notation: m candidates, n rows, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.ensemble.answers import judging, settled
from autodl.ensemble.calibration import Kind, calibrated, fit_calibration, kinds_for
from autodl.ensemble.constraints import Allowed
from autodl.ensemble.few import Light
from autodl.ensemble.greedy import MAX_STEPS
from autodl.ensemble.known_rows import KnownRows, copies
from autodl.ensemble.nested import PARTS, PROOF_SE, Judged, judge, judge_calibration, judged, parts
from autodl.ensemble.pool import MAX_CANDIDATES, Pool, gather, wide
from autodl.ensemble.pooling import pooled
from autodl.ensemble.reasons import reasons
from autodl.ensemble.tied import SIMPLEST, simplest_tied
from autodl.ensemble.ways import Way, ways_for
from autodl.evaluate.base import Metric, metrics
from autodl.records import Calibration, Compared, Ensemble, Member, TrialResult

Array = NDArray[Any]
TIE_SE = 0.5
"""Of what does, a simpler way is as good if its held-out loss is within so many standard errors of the best one's."""
HASTE = 10
"""Where a greedy selection on all rows takes more than this part of the time, two halves of the rows judge."""
FEW_ROWS, LEAST_ROWS = 30, 4
"""With fewer, parts of them judge nothing: one model is taken."""


@dataclass(frozen=True)
class _Verdict:
    """What was chosen, all that was compared, the (m,) weights of every way on all rows, and the (n,) parts."""

    chosen: Judged
    compared: Sequence[Judged]
    weights: Mapping[str, Array]
    part: Array


def select(
    trials: Sequence[TrialResult],
    predictions: Mapping[str, Array],
    y: Array,
    metric: Metric,
    *,
    n_classes: int = 0,
    seed: int = 0,
    max_candidates: int = MAX_CANDIDATES,
    max_steps: int = MAX_STEPS,
    deadline: Deadline = NEVER,
    allowed: Allowed | None = None,
    weight: Array | None = None,
    block: Array | None = None,
    answers: bool = False,
) -> Ensemble:
    """Choose models and weights, how they are combined, a calibration, and what answers follow.

    Args:
        trials: The finished trials, for their families: the best of each is always a candidate.
        predictions: Trial id -> (n, K) or (n,) out-of-fold predictions; NaN rows are left out.
        y: (n,) targets.
        metric: To be optimized; where it needs a cut, models are combined by another one (``answers.judging``).
        n_classes: K; 0 for regression.
        seed: Of the row sample, the parts and random subsets.
        max_candidates: Models considered, the best by loss.
        max_steps: Picks of a greedy selection, repeats included.
        deadline: When the choice must be made; ways that would take longer are not looked at.
        allowed: Limits on what the models may take together; models that exceed them alone are no candidates.
        weight: (n,) weights of the rows; all alike if None.
        block: (n,) rows of the same number, such as a group, are never on both sides of a judgement.
        answers: Whether the cut, the factors or the shifts of quantiles are chosen too.

    Raises:
        ValueError: If there is no candidate with predictions, or none common to all.
    """
    n_known = len(predictions)
    if allowed is not None:
        predictions = {i: p for i, p in predictions.items() if allowed.fits([i])}
    rng = np.random.default_rng(seed)
    families = {t.spec.id: t.spec.family for t in trials if t.spec.id in predictions}
    pool = gather(predictions, y, judging(metric, n_classes), n_classes, families, rng, max_candidates, weight, block)
    best = metric.loss(pool.y, wide(pool.predictions[0]), n_classes, pool.weight)
    single = Ensemble(
        members=(Member(trial_id=pool.ids[0], family=pool.families[0], weight=1.0),),
        method="single", loss=best, single_loss=best,
        why="Only one model is available." if n_known == 1 else "Only one model is within the limits.",
    )  # fmt: skip
    n_apart = len(pool.y) // copies(pool.y, pool.block)
    if n_apart < FEW_ROWS:
        chosen, place = _of_few_rows(pool, single, metric)
        # Intervals are moved by what little is known: those that never were hold too few rows.
        known = answers and n_apart >= LEAST_ROWS
        return _settled(chosen, pool, wide(pool.predictions[place]), parts(pool, rng, 2), metric, seed, known)
    # Without a clock, or within limits of the user, nothing else depends on measured times: runs repeat.
    timed = allowed is None and deadline.left() < np.inf
    light = Light({t.spec.id: t.need for t in trials}) if timed else None
    verdict = compare(pool, ways_for(pool, seed, max_steps, allowed, light), rng, deadline)
    if verdict is None:
        chosen = single.model_copy(update={"why": "There was no time to compare combinations of models."})
        held_out, part = wide(pool.predictions[0]), parts(pool, rng)
    else:
        chosen, held_out = _described(pool, verdict, single, metric, alone=len(pool.ids) == 1)
        part = verdict.part
    return _settled(chosen, pool, held_out, part, metric, seed, answers, deadline)


def _settled(
    chosen: Ensemble,
    pool: Pool,
    held_out: Array,
    part: Array,
    metric: Metric,
    seed: int,
    answers: bool,
    deadline: Deadline = NEVER,
) -> Ensemble:
    """With its cut, factors or shifts, where they are asked for."""
    if not answers:
        return chosen
    return settled(chosen, held_out, KnownRows(pool.y, metric, pool.weight, pool.block, seed, deadline), part)


def _of_few_rows(pool: Pool, single: Ensemble, metric: Metric) -> tuple[Ensemble, int]:
    """The best single model, or the simplest of those that a handful of rows cannot tell from it, and its place."""
    place, why = simplest_tied(pool, 0), "There are too few rows to judge a combination of models."
    if place == 0:
        return single.model_copy(update={"why": why}), place
    member = Member(trial_id=pool.ids[place], family=pool.families[place], weight=1.0)
    loss = metric.loss(pool.y, wide(pool.predictions[place]), pool.n_classes, pool.weight)
    why += " They cannot tell several models apart either: the simplest of these was taken."
    return single.model_copy(update={"members": (member,), "loss": loss, "why": why}), place


def compare(pool: Pool, ways: Sequence[Way], rng: np.random.Generator, deadline: Deadline = NEVER) -> _Verdict | None:
    """Judge the ways on held-out rows and choose; None if not even the first one could be judged in time.

    Args:
        pool: Candidates. ways: Simplest first, the first one a single model. rng: Draws the parts.
        deadline: When the choice must be made.
    """
    before = deadline.left()
    ways[min(1, len(ways) - 1)].fit(pool, deadline)
    part = parts(pool, rng, PARTS if before == np.inf or deadline.left() > HASTE * (before - deadline.left()) else 2)
    learning = [pool.part(np.flatnonzero(part != g)) for g in np.unique(part)]
    plain: list[Judged] = []
    weights: dict[str, Array] = {}
    for way in ways[: 1 if len(pool.ids) == 1 else None]:
        found = judge(pool, way, part, learning, deadline)
        if found is not None and np.isfinite(found.loss):
            plain.append(found)
            weights[way.key] = way.fit(pool, deadline)
    if not plain:
        return None
    own = _own_calibration(pool)
    compared = []
    for found in plain:
        compared.append(found)
        compared += [judge_calibration(pool, found, kind, part) for kind in own if not deadline.passed()]
    chosen = simplest(compared)
    if np.count_nonzero(weights[chosen.way.key]) == 1 and not deadline.passed():
        alone = SIMPLEST.fit(pool, deadline)
        same = alone[weights[chosen.way.key] > 0].any()
        plain_one = None if same else judge(pool, SIMPLEST, part, learning, deadline)
        if plain_one is not None:
            weights[SIMPLEST.key] = alone
            ones = [plain_one]
            ones += [judge_calibration(pool, plain_one, kind, part) for kind in own if not deadline.passed()]
            compared += ones
            chosen = min((j for j in ones if _beats(j, plain_one, PROOF_SE)), key=lambda j: j.loss, default=plain_one)
    return _Verdict(chosen, compared, weights, part)


def simplest(compared: Sequence[Judged]) -> Judged:
    """A greedy selection, unless something else is better by more than noise: then the simplest of what is.

    That a greedy selection helps is known from many tables; on one table of some hundred rows the noise of its
    held-out loss is larger than its gain, and who asks for evidence throws the gain away (``benchmarks/LOG.md``). So
    the burden of proof lies with the others, the best single model included.

    Args:
        compared: Simplest first; the first is a single model without calibration.
    """
    reference = next((j for j in compared if j.way.key == "greedy" and j.calibration is None), compared[0])
    better = [j for j in compared if _beats(j, reference, PROOF_SE)]
    chosen = reference
    if better:
        best = min(better, key=lambda j: j.loss)
        chosen = next(j for j in better if not _beats(best, j, TIE_SE))
    return chosen


def _beats(one: Judged, other: Judged, by_se: float) -> bool:
    """Whether the loss is smaller by more than so many standard errors of the difference."""
    gap, spread = other.worse(one)
    return gap > by_se * spread


def combine(ensemble: Ensemble, predictions: Mapping[str, Array]) -> Array:
    """The combination of the members' predictions, calibrated, as float64.

    Args:
        ensemble: What to combine.
        predictions: Trial id -> (n, K) or (n,) for at least its members.

    Raises:
        KeyError: If the predictions of a member are missing.
    """
    parts = [(m.weight, predictions[m.trial_id]) for m in ensemble.members]
    return pooled(parts, ensemble.pooling, ensemble.calibration)


def _own_calibration(pool: Pool) -> tuple[Kind, ...]:
    """Kinds of calibration that the metric itself can judge."""
    if pool.n_classes and (pool.metric.needs == "label" or pool.metric.rows is None):
        return ()
    return kinds_for(pool.metric, pool.y, pool.n_classes)


def _described(
    pool: Pool, verdict: _Verdict, single: Ensemble, metric: Metric, *, alone: bool
) -> tuple[Ensemble, Array]:
    """The record of what was chosen, its calibration learnt on all held-out predictions, and these, calibrated."""
    chosen, part = verdict.chosen, verdict.part
    weights = verdict.weights[chosen.way.key]
    used = np.flatnonzero(weights)
    order = used[np.argsort(-weights[used], kind="stable")]
    members = tuple(Member(trial_id=pool.ids[i], family=pool.families[i], weight=float(weights[i])) for i in order)
    calibration = None
    if chosen.calibration is not None:
        calibration = fit_calibration(chosen.calibration, chosen.held_out, pool.y, pool.metric, pool.weight)
    elif not _own_calibration(pool):
        calibration = _for_readers(pool, chosen, part)
    best = min(verdict.compared, key=lambda j: j.loss)
    sizes = {key: int(np.count_nonzero(w)) for key, w in verdict.weights.items()}
    compared = tuple(
        Compared(
            way=j.way.key,
            calibrated=j.calibration is not None,
            chosen=j is chosen,
            n_models=sizes[j.way.key],
            loss=j.loss,
            worse=max(0.0, j.worse(best)[0]),
            worse_se=j.worse(best)[1],
        )
        for j in verdict.compared
    )
    held_out = chosen.held_out if calibration is None else calibrated(calibration, chosen.held_out)
    found = Ensemble(
        members=members,
        method=chosen.way.key if len(members) > 1 else "single",
        loss=chosen.loss if metric is pool.metric else metric.loss(pool.y, held_out, pool.n_classes, pool.weight),
        single_loss=single.single_loss,
        why=single.why if alone else reasons(pool, chosen, verdict.compared, sizes, calibration, metric),
        pooling=chosen.way.pooling if len(members) > 1 else "mean",
        calibration=calibration,
        compared=compared,
        compared_by="" if metric is pool.metric else pool.metric.key,
    )
    return found, held_out


def _for_readers(pool: Pool, chosen: Judged, part: Array) -> Calibration | None:
    """A calibration that leaves the metric as it is, if it makes the probabilities truer by their log loss."""
    if not pool.n_classes:
        return None
    plain = judged(replace(pool, metric=metrics["log_loss"]), chosen.way, None, chosen.held_out, part)
    for kind in kinds_for(pool.metric, pool.y, pool.n_classes):
        moved = judge_calibration(pool, plain, kind, part, metrics["log_loss"])
        gap, spread = plain.worse(moved)
        if gap > PROOF_SE * spread:
            return fit_calibration(kind, chosen.held_out, pool.y, pool.metric, pool.weight)
    return None
