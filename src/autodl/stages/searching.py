"""The search: every finished trial is kept, and a usable model is in place from the first one on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from autodl.clock import Deadline
from autodl.duration import format_duration
from autodl.errors import RunError, StoppedError
from autodl.evaluate.base import metrics
from autodl.machine import in_gib
from autodl.models.base import families
from autodl.records import Ensemble, TrialResult
from autodl.run_context import RunContext
from autodl.search.feasibility import Feasibility
from autodl.search.loop import Refused
from autodl.search.naming import trial_names
from autodl.search.patience import told
from autodl.search.repeats import latest, merged
from autodl.search.runners.making import FIRST_OUTCOMES
from autodl.search.session import run_search
from autodl.search.study import FILE, StudyWriter
from autodl.search.trial import TrialOutcome
from autodl.serialize.pickled import vouch
from autodl.stages.explaining import expected_seconds
from autodl.stages.later import delivered_gain, leaders_gain
from autodl.stages.problem import Problem
from autodl.stages.warming import WarmUp

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIKELY_S = 1.0
"""Looking up the likely ensemble ends after so many seconds."""
LIKELY_CANDIDATES = 12
INTERIM_BYTES = 40_000_000
"""Larger fold models are not copied to ``model/`` while the search runs, unless there is no model yet."""
KEEP_MODELS = 25
"""Trials whose fold models stay on disk: the best ones, from which the ensemble is chosen."""


def search(ctx: RunContext, problem: Problem) -> list[TrialResult]:
    """Search and keep every finished trial; a usable model is in place as soon as there is one.

    Returns:
        One result a configuration, with means over the splits on which it was tried.

    Raises:
        RunError: If not a single trial succeeded.
        Exception: What ended the search before a trial succeeded.
    """
    results = ctx.folder.trials()
    known = len(results)
    dropped: set[str] = set()
    # What a finished run has put together is worth more than a single new model, also if this process is killed.
    concluded = ctx.resumed and problem.delivery.is_concluded()
    study = StudyWriter(
        ctx.folder.path / FILE, problem.setup.spaces(), metrics[problem.setup.plan.metric], ctx.started, results
    )

    warm = WarmUp() if problem.setup.plan.runner != "inline" and not ctx.budget.unlimited else None

    def store(outcome: TrialOutcome) -> TrialResult:
        for model in outcome.models:
            vouch(model)
        if len(results) == known:
            ctx.folder.forget_conclusions()  # an interrupted run drew them from fewer trials
        stored = ctx.folder.write_trial(outcome.result, outcome.oof, outcome.test, outcome.models)
        results.append(stored)
        study.add(stored)
        if stored.ok and ctx.first_model_s is None and families[stored.spec.family].complexity > 0:
            ctx.first_model_s = round(ctx.budget.elapsed(), 2)
        if not concluded:
            _deliver_interim(problem, results, stored)
        _drop_old_models(ctx, results, problem.setup.feasibility, dropped)
        ctx.write("running", results)
        if warm is not None and len(results) > known + FIRST_OUTCOMES:
            warm.conclusions()
            if stored.ok and families[stored.spec.family].deep:
                warm.networks()
        return stored

    try:
        state = run_search(
            problem.setup,
            ctx.budget,
            list(results),
            store,
            ctx.listener,
            ctx.stop,
            n_rows=problem.n_refit,
            resumed=ctx.resumed,
            models=ctx.folder,
            compare=delivered_gain(problem),
            likely=partial(_likely_members, problem, {}),
            explained=partial(expected_seconds, problem) if ctx.options.report else None,
        )
    except Exception as error:  # a full disk, a lost cluster, a fault of ours: the run fails, what it has found stays
        if not any(r.ok for r in results) or not ctx.folder.path.is_dir():
            raise
        ctx.trouble = error
        ctx.leave_out("The rest of the search", error)
    else:
        ctx.unfinished = state.unfinished
        slow = {k: s for k, s in state.too_slow.items() if not any(r.spec.family == k for r in results)}
        if slow:
            ctx.note(_too_slow(slow, checks=problem.setup.checking_s > 0))
        # What repeats exactly with the same seed must say nothing that depends on the clock.
        timed = not ctx.budget.unlimited and problem.setup.max_trials is None
        if timed and (len(results) > known or ctx.more_time is None):
            with ctx.guard("Looking at what the later part of the search brought"):
                ctx.more_time = state.settled or told(results, ctx.budget.elapsed(), leaders_gain(problem))
        for key, need in state.too_large.items():
            if not any(r.spec.family == key for r in results):
                room = in_gib(state.memory_left)
                ctx.note(f"{families[key].name} was not tried: it needs about {in_gib(need)}, {room} are free.")
        if left := problem.given_up(results):
            names = ", ".join(families[key].name for key in left)
            ctx.note(f"Not searched further, for what was tried is far beyond the limits for the model: {names}.")
    if not any(r.ok for r in results):
        if ctx.stop.is_set():
            raise StoppedError("stopped before a model was finished", ctx.how_to_go_on)
        errors = [r.error for r in results if r.error]
        raise RunError(
            "no model could be trained" + (f" (first error: {errors[0]})" if errors else ""),
            "Give more time with --time-budget, or other models with --families.",
        )
    return latest(merged(results)) if problem.setup.data.by_time else merged(results)


def _likely_members(
    problem: Problem, known: dict[str, NDArray[Any]], finished: Sequence[TrialResult]
) -> tuple[str, ...]:
    """Ids of the trials that the ensemble would take now, the heaviest first.

    Args:
        problem: The problem.
        known: Out-of-fold predictions that were read before, by their files; added to.
        finished: All finished trials.
    """
    from autodl.ensemble import select
    from autodl.stages.views import views

    plan = problem.setup.plan
    done = [r for r in merged(finished) if r.ok and r.oof is not None and families[r.spec.family].complexity > 0]
    best = sorted(done, key=problem.setup.feasibility.order)[:LIKELY_CANDIDATES]
    if not best:
        return ()
    seen = views(problem, best, known=known)
    chosen = select(
        best, seen.predictions, seen.rows.y, seen.rows.metric,
        n_classes=len(plan.classes), seed=plan.seed, deadline=Deadline.after(LIKELY_S),
        weight=seen.rows.weight, block=seen.rows.block,
    )  # fmt: skip
    return tuple(m.trial_id for m in sorted(chosen.members, key=lambda m: -m.weight))


def _too_slow(slow: Mapping[str, Refused], *, checks: bool = False) -> str:
    """The families that there was no time for, with the seconds as they stood when that was decided."""

    def weighed(key: str) -> str:
        # Rounded apart, so that what did not fit is seen not to fit.
        step = 1.0 if slow[key].need >= 10 else 0.1
        need = format_duration(max(step, math.ceil(slow[key].need / step) * step))
        left = math.floor(slow[key].left / step) * step
        return f"{families[key].name} ({need}, {format_duration(left) if left > 0 else 'none'} left)"

    kept = max(r.kept for r in slow.values())
    limits = ", for measuring what is limited" if checks else ""
    return (
        f"Not tried for lack of time: {', '.join(map(weighed, slow))}. In brackets: what it needs, with a "
        "margin of a quarter, and what was left for it when it came nearest to fitting; besides, "
        f"{format_duration(kept)} were kept for the final model, its test{limits} and the report."
    )


def _deliver_interim(problem: Problem, results: Sequence[TrialResult], stored: TrialResult) -> None:
    done = [r for r in merged(results) if r.ok and r.loss is not None]
    done = [r for r in done if families[r.spec.family].complexity > 0] or done
    best = min(done, key=problem.setup.feasibility.order, default=None)
    folder = problem.delivery.folder
    if best is None or best.spec.id != stored.spec.id or stored.cost is None:
        return
    if stored.cost.size_bytes > INTERIM_BYTES and (folder.path / "model").exists():
        return
    alone = Ensemble.model_validate(
        {
            "members": [{"trial_id": stored.spec.id, "family": stored.spec.family, "weight": 1.0}],
            "method": "single",
            "loss": stored.uncut_loss,
            "single_loss": stored.uncut_loss,
        }
    )
    (usable,) = latest([stored]) if problem.setup.data.by_time else [stored]
    problem.delivery.bag(alone, {stored.spec.id: usable}, trial_names([r.spec for r in results]))


def _drop_old_models(
    ctx: RunContext, results: Sequence[TrialResult], feasibility: Feasibility, dropped: set[str]
) -> None:
    """Delete the models of trials that no longer lead; ``dropped`` are those whose models are known to be gone."""
    done = sorted((r for r in merged(results) if r.ok), key=feasibility.order)
    seen: set[str] = set()
    for place, r in enumerate(done):
        if place >= KEEP_MODELS and r.spec.family in seen and r.spec.id not in dropped:
            for part in (r.spec.id, *(again.spec.id for again in results if again.spec.repeats == r.spec.id)):
                ctx.folder.drop_models(part)
            dropped.add(r.spec.id)
        seen.add(r.spec.family)
