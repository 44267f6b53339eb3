"""What the delivered model takes, and how that compares with everything that was tried."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autodl.clock import Deadline
from autodl.errors import DiskError
from autodl.evaluate.base import metrics
from autodl.evaluate.pareto import undominated
from autodl.footprint import folder_bytes, handling_seconds, measure_fresh
from autodl.footprint import measure as measure_here
from autodl.model import DeliveredModel
from autodl.models.base import families
from autodl.records import Ensemble, Evaluation, Footprint, Front, FrontPoint, Interval, TrialResult
from autodl.run_context import RunContext
from autodl.scoring import ENSEMBLE_NAME
from autodl.search.budget import AFTER_EXPLANATION
from autodl.search.naming import trial_names
from autodl.stages.limiting import PROCESS_S, most_copies
from autodl.stages.problem import Problem
from autodl.store import RunFolder

LEAST_S = 1.0
"""Without so many seconds left, on a slow or busy machine more, the delivered model is not measured: the report is
worth more."""
LATE_PART = 0.25
"""With less than this part of the end of the run left, nothing is measured that is not limited."""
LOADED = 2e7
"""Bytes of a model that are loaded and measured in a second."""
QUICK_S = 0.5
"""A model that loads within so many seconds is held against a limit of latency even if time is up."""


_Way = Callable[[RunFolder | None], str]
"""Delivers into a folder, or into that of the run, and says what."""


@dataclass(frozen=True)
class _Instead:
    """What is delivered instead of a model that exceeds the limits.

    Attributes:
        told: What the user is told.
        folds: Whether fold models take the place of models that were trained on all rows.
        need: What it takes.
        fresh: Whether a fresh process measured it.
    """

    told: str
    folds: bool = False
    need: Footprint = field(default_factory=Footprint)
    fresh: bool = False


def measure(
    ctx: RunContext,
    problem: Problem,
    ensemble: Ensemble,
    results: Sequence[TrialResult],
    evaluation: Evaluation | None,
) -> Front:
    """Measure the delivered model, hold it against the limits, and find the Pareto front.

    A model that was trained again on all rows may be larger or slower than those of the folds, and several models may
    take more together than was expected: where fold models or fewer ones keep the limits, they are delivered instead.
    """
    known = ctx.folder.read("front", Front)
    if known is not None and _complete(known) and known.model == problem.delivery.fingerprint():
        return known
    need, fresh = _measured(ctx, problem, ctx.folder)
    limits, kept_folds = problem.setup.feasibility.limits, False
    if need is not None and limits.broken(need):
        instead = _with_less(ctx, problem, ensemble, results, need)
        if instead is not None:
            need, fresh, kept_folds = instead.need, instead.fresh, instead.folds
    base = problem.setup.feasibility.base
    late = _late(ctx, problem)
    if late:
        ctx.note("How long the model takes to answer was not measured: no time was left.")
    elif base.row_s is None:
        manifest = problem.delivery.described()
        base = base.plus(Footprint(row_s=handling_seconds(manifest, problem.setup.data.frame)))
    front = Front(
        metric=problem.setup.plan.metric,
        limits=limits,
        points=() if late else tuple(_points(problem, ensemble, results, evaluation, base, need)),
        delivered=need,
        model=problem.delivery.fingerprint(),
        fresh=fresh,
        given_up=tuple(problem.given_up(results)),
        kept_folds=kept_folds,
    )
    with ctx.guard("Writing the front", only=DiskError):
        ctx.folder.write("front", front)
    return front


def _late(ctx: RunContext, problem: Problem) -> bool:
    """Whether what is left is needed for explanation and report; what is limited is measured all the same."""
    budget, limits = ctx.budget, problem.setup.feasibility.limits
    if budget.unlimited or limits.any:
        return False
    return budget.left() <= LATE_PART * problem.finish_s(budget)


def _measured(ctx: RunContext, problem: Problem, folder: RunFolder) -> tuple[Footprint | None, bool]:
    """What ``model/`` of a folder takes, and whether a fresh process measured it, as only a limit of memory is worth.

    Where no time is left, only what is limited and quickly found; None without limits.
    """
    limits, frame = problem.setup.feasibility.limits, problem.setup.data.frame
    ctx.budget.look_closely()
    left = math.inf if ctx.budget.unlimited else ctx.budget.left() - AFTER_EXPLANATION * problem.finish_s(ctx.budget)
    size = Footprint(size_bytes=folder_bytes(folder.model_folder()))
    loading = (size.size_bytes or 0) / LOADED
    if left < max(1.0, ctx.budget.pace.slowdown) * (LEAST_S + loading):
        if not limits.any:
            return None, False
        if limits.row_s is None or loading > QUICK_S:
            return size, False
        return measure_here(DeliveredModel(folder), frame, batch=False).plus(size), False
    model = DeliveredModel(folder)  # refuses what nobody vouches for
    if limits.memory_bytes is not None:
        found = measure_fresh(folder.model_folder(), frame, timeout_s=min(PROCESS_S, 0.8 * left))
        if found is not None:
            return found, True
        left = math.inf if ctx.budget.unlimited else min(left, ctx.budget.left())
    return measure_here(model, frame, deadline=Deadline.after(0.5 * left)).plus(size), False


def _complete(front: Front) -> bool:
    """Whether nothing is left to measure of the delivered model."""
    need = front.delivered
    return need is not None and need.row_s is not None and not front.limits.open(need).any


def _with_less(
    ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult], need: Footprint
) -> _Instead | None:
    """Deliver what takes less than ``model/``: fold models instead of those of all rows, or one model of each member.

    Each way is measured beside ``model/``, and the first one that keeps the limits is taken. If none does, one model
    of each member is still nearer to them than several.

    Args:
        ctx: Of the run.
        problem: With its limits.
        ensemble: What is delivered.
        results: Finished trials.
        need: What ``model/`` takes, which is too much.
    """
    limits, chosen = problem.setup.feasibility.limits, None
    for way, instead in _ways(problem, ensemble, results):
        with ctx.guard("Measuring fewer models"), tempfile.TemporaryDirectory(prefix="autodl-") as place:
            staged = RunFolder(place, trusted=problem.delivery.folder.trusted)
            way(staged)
            found, fresh = _measured(ctx, problem, staged)
            if found is None:
                continue
            kept = not limits.broken(found) and not limits.open(found).any
            if kept or (not instead.folds and limits.violation(found) < limits.violation(need)):
                chosen = way, replace(instead, need=found, fresh=fresh)
            if kept:
                break
    if chosen is None:
        return None
    way, instead = chosen
    ctx.delivered = way(None)
    ctx.note(instead.told)
    return instead


def _ways(problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]) -> Iterator[tuple[_Way, _Instead]]:
    """What may be delivered instead of ``model/``; first fold models as they were tested."""
    delivery, by_id = problem.delivery, {r.spec.id: r for r in results}
    whole = delivery.has_all_rows(ensemble) and all(
        delivery.folder.has_models(by_id[m.trial_id]) for m in ensemble.members
    )
    tested = most_copies(problem, ensemble, results, len(problem.setup.data.folds)) or 1
    names = trial_names([r.spec for r in results])

    def folds(most: int, told: str) -> tuple[_Way, _Instead]:
        return lambda into: delivery.bag(ensemble, by_id, names, most=most, into=into), _Instead(told, folds=True)

    back = "Trained again on all rows the model would exceed its limits; those of the folds are delivered."
    several = tested > 1 and len(problem.y_test) > 0
    scored = " The score on the held-back rows is of several models of each member." if several else ""
    if whole and tested > 1:
        yield folds(tested, back)
    now = delivery.manifest()
    if now is not None and any(len(m.files) > 1 for m in now.members):
        told = "With several models of each member the model would exceed its limits; one of each is delivered."
        yield delivery.first_of_each, _Instead(told + scored)
    if whole:
        yield folds(1, back + scored)


def _points(
    problem: Problem,
    ensemble: Ensemble,
    results: Sequence[TrialResult],
    evaluation: Evaluation | None,
    base: Footprint,
    delivered: Footprint | None,
) -> list[FrontPoint]:
    """Every measured trial that has learnt something, and what is delivered; by time for one row."""
    metric, limits = metrics[problem.setup.plan.metric], problem.setup.feasibility.limits
    names = trial_names([r.spec for r in results])
    tested: Mapping[str, Interval] = (
        {m.name: m.test for m in evaluation.models if m.test is not None} if evaluation is not None else {}
    )
    # A model's cut or shifts are part of it: where the leaderboard has its score with them, it is the same here.
    scored = {m.name: m.validation for m in evaluation.models} if evaluation is not None else {}
    points = []
    for r in results:
        if not r.ok or r.loss is None or r.need.row_s is None or families[r.spec.family].complexity == 0:
            continue
        need = base.plus(r.whole_need)
        known = scored.get(names[r.spec.id])
        loss = r.loss if known is None else metric.to_loss(known)
        points.append(
            FrontPoint(
                name=names[r.spec.id], trial_id=r.spec.id, family=r.spec.family, kind="trial", loss=loss,
                score=metric.to_score(loss), test=tested.get(names[r.spec.id]), need=need,
                within=not limits.broken(need),
            )
        )  # fmt: skip
    if delivered is not None and delivered.row_s is not None:
        single = len(ensemble.members) == 1
        name = names[ensemble.members[0].trial_id] if single else ENSEMBLE_NAME
        points.append(
            FrontPoint(
                name=name, trial_id=ensemble.members[0].trial_id if single else None,
                family=ensemble.members[0].family if single else "ensemble", kind="delivered", loss=ensemble.loss,
                score=metric.to_score(ensemble.loss), test=tested.get(name), need=delivered,
                within=not limits.broken(delivered),
            )
        )  # fmt: skip
    best = undominated([(p.loss, p.need.row_s if p.need.row_s is not None else float("nan")) for p in points])
    marked = [p.model_copy(update={"best": b}) for p, b in zip(points, best, strict=True)]
    return sorted(marked, key=lambda p: (p.need.row_s or 0.0, p.loss, p.name))
