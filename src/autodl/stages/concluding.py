"""From finished trials to a tested and delivered model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autodl.clock import NEVER, Deadline
from autodl.errors import DiskError, RunError
from autodl.machine import available_memory, free_threads, in_gib, this_machine
from autodl.models.base import families
from autodl.records import Ensemble, Evaluation, Front, Plan, TrialResult
from autodl.refitting import MAX_SEEDS
from autodl.run_context import RunContext
from autodl.search.budget import AFTER_CHOICE, AFTER_REFITS, Budget
from autodl.search.memory import allowance
from autodl.search.naming import trial_names
from autodl.search.reserve import LEAST_FURTHER
from autodl.search.session import further_seconds, nearly_all_rows, refit_bytes, refit_seconds
from autodl.stages.explaining import kept_for_the_end
from autodl.stages.limiting import as_delivered, choose_within, guess_loss, most_copies
from autodl.stages.problem import Problem

LEAST_REFITS = 0.25
"""Share of the time that is left for refits on a machine that became busy: the model is worth more than charts."""
BAG_FOLDS = 3
"""Fewer folds than these give models of too few rows, and too few models, to help those trained on all rows."""


def ensemble(ctx: RunContext, problem: Problem, results: Sequence[TrialResult]) -> Ensemble:
    """The stored combination of a resumed run, or a new one; its members' models are whole."""
    from autodl.store import DamagedError

    plan, folder = problem.setup.plan, ctx.folder
    by_id = {r.spec.id: r for r in results}
    older = [r.spec.id for r in results if ctx.resumed and folder.has_models(r)]
    older = [i for i in older if problem.delivery.is_older(folder, by_id[i].models)]
    if older:
        ctx.note(
            f"The models of {len(older)} trials were written by an older autodl that prepared texts in another way: "
            "their scores are kept, their models are not used."
        )
        folder.forget_conclusions()
        for trial_id in older:
            folder.drop_models(trial_id)
    anew = False
    while True:
        chosen = ctx.once("ensemble", Ensemble, lambda: choose(problem, plan, results, ctx.budget))
        if not ctx.resumed or problem.delivery.is_complete(chosen):
            return chosen
        try:
            for member in chosen.members:
                for ref in by_id[member.trial_id].models if folder.has_models(by_id[member.trial_id]) else ():
                    folder.read_bytes(ref)
        except DamagedError as error:
            ctx.note(f"{error.what}; the models of trial {member.trial_id} are not used.")
            folder.drop_models(member.trial_id)
        else:
            if any(folder.has_models(by_id[m.trial_id]) for m in chosen.members):
                return chosen
            if anew or not any(folder.has_models(r) for r in results if r.ok):
                return chosen
            anew = True  # chosen again from what is left, once: the same choice would come for ever
        folder.forget_conclusions()


def choose(problem: Problem, plan: Plan, results: Sequence[TrialResult], budget: Budget) -> Ensemble:
    """Choose the combination, and what its answers follow from, by out-of-fold predictions."""
    from autodl.ensemble import select
    from autodl.stages.views import views

    folder = problem.delivery.folder
    usable = [r for r in results if r.ok and r.oof is not None]
    usable = [r for r in usable if folder.has_models(r)] or usable  # what cannot be delivered is not chosen
    # A constant guess changes no ranking: for AUC it would get weight by accident and spoil the probabilities.
    usable = [r for r in usable if families[r.spec.family].complexity > 0] or usable
    budget.look_closely()
    deadline = budget.until(AFTER_CHOICE * problem.finish_s(budget))
    seen = views(problem, usable, deadline)
    if problem.setup.feasibility.limits.any:
        return choose_within(problem, usable, seen, guess_loss(results), deadline)
    return select(
        usable, seen.predictions, seen.rows.y, seen.rows.metric,
        n_classes=len(plan.classes), seed=plan.seed, deadline=deadline, weight=seen.rows.weight,
        block=seen.rows.block,
        answers=bool(plan.quantiles) or any(families[r.spec.family].complexity > 0 for r in usable),
    )  # fmt: skip


def deliver_bag(ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]) -> str:
    """Deliver the fold models that exist; cheap, and safe against whatever comes after.

    Raises:
        RunError: If there is no model at all that could be delivered.
        DiskError: If the disk refuses the first model; a later one costs only itself.
    """
    delivery, by_id = problem.delivery, {r.spec.id: r for r in results}
    if delivery.has_all_rows(ensemble) or _folds_kept(problem):
        return delivery.text()  # a resumed run that had come further
    before = delivery.manifest()
    if not any(ctx.folder.has_models(by_id[m.trial_id]) for m in ensemble.members):
        if before is None:
            raise RunError(
                f"the models of the finished trials in {ctx.folder.path} are gone",
                "Start again with `autodl fit` and another --out.",
            )
        return delivery.text()
    names = trial_names([r.spec for r in results])
    most = most_copies(problem, ensemble, results, len(problem.setup.data.folds))
    if before is None:
        return delivery.bag(ensemble, by_id, names, most=most)
    with ctx.guard("Delivering the ensemble", only=DiskError):
        delivery.bag(ensemble, by_id, names, most=most)
    return delivery.text()


def deliver_refit(
    ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]
) -> str | None:
    """Train the members again on all rows, as far as time allows."""
    if ctx.stop.is_set():
        return None
    if problem.delivery.is_complete(ensemble) or _folds_kept(problem):
        return problem.delivery.text()
    # No trial runs now: a refit may have all cores, also where trials shared them, but for what other programs take.
    setup, cores = problem.setup, this_machine().cores
    threads = max(setup.data.threads, cores if ctx.budget.unlimited else free_threads(cores))
    data = replace(setup.data, threads=threads, weight=problem.dataset.weight, blocks=problem.groups)
    seconds = refit_seconds(setup, results, problem.n_refit, threads)
    ctx.budget.look_closely()
    further = further_seconds(setup, results, problem.n_refit, threads)
    bred = {r.spec.id for r in results if r.spec.parent is not None}
    ids = [m.trial_id for m in ensemble.members]
    anew = {i: math.inf if i in bred else seconds[i] for i in ids}
    quickest = [min(anew[i], LEAST_FURTHER * further.get(i, math.inf)) for i in ids]
    if not _any_fits(ctx, problem, quickest):
        return None
    deadline = _until(ctx.budget, kept_for_the_end(ctx, problem, ensemble, results))
    frame = problem.dataset.frame[list(setup.plan.features)]
    names = trial_names([r.spec for r in results])
    return problem.delivery.refit(
        ensemble,
        {r.spec.id: r for r in results},
        names,
        data,
        (frame, problem.dataset.y),
        deadline,
        seconds,
        further,
        [*_too_large(ctx, problem, ensemble, results, names), *nearly_all_rows(setup, results, problem.n_refit)],
        most_copies(problem, ensemble, results, MAX_SEEDS),
        _beside(problem),
        ctx.stop.is_set,
    )


def _any_fits(ctx: RunContext, problem: Problem, seconds: Sequence[float]) -> bool:
    """Whether the quickest refit could fit at all; if not, no time is lost on finding out how much is left."""
    return _until(ctx.budget, AFTER_REFITS * problem.finish_s(ctx.budget)).left() >= min(seconds, default=0.0)


def _until(budget: Budget, kept_s: float) -> Deadline:
    """When the last refit must end: quick ones have a part of the time that is left, however late it is."""
    if budget.unlimited:
        return NEVER
    return Deadline.after(max(budget.left() - kept_s, LEAST_REFITS * budget.left()))


def _beside(problem: Problem) -> int:
    """Fold models of each member that are delivered with those trained on all rows.

    Where classes overlap, more models vary less; numbers gain more from the further rows of a model of all rows. With
    folds by time none: they know the oldest rows only, and together would outvote the model that knows the latest.
    """
    setup, folds = problem.setup, len(problem.setup.data.folds)
    if not setup.plan.classes or setup.data.by_time or setup.feasibility.limits.any:
        return 0
    return folds if folds >= BAG_FOLDS else 0


def _folds_kept(problem: Problem) -> bool:
    """Whether ``model/`` holds fold models because one trained on all rows would exceed the limits: not repeated."""
    front = problem.delivery.folder.read("front", Front)
    return front is not None and front.kept_folds and front.model == problem.delivery.fingerprint()


def _too_large(
    ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult], names: Mapping[str, str]
) -> list[str]:
    """Members that would take more memory than is free: nothing protects the run's own process from them."""
    free = allowance(available_memory(), 1)
    need = refit_bytes(problem.setup, results, problem.n_refit)
    found = [m.trial_id for m in ensemble.members if need[m.trial_id] > free]
    for key in found:
        ctx.note(
            f"{names[key]} was not trained again on all rows: it needs about {in_gib(need[key])}, {in_gib(free)} "
            "are free. The models of its validation folds are used."
        )
    return found


def evaluate(
    problem: Problem,
    plan: Plan,
    ensemble: Ensemble,
    results: Sequence[TrialResult],
    budget: Budget,
) -> Evaluation | None:
    """Open the test rows once; None if there are none."""
    import numpy as np

    from autodl.evaluate import EvaluationInputs
    from autodl.evaluate import evaluate as judge
    from autodl.scoring import CUTS_S, candidates

    y_test = problem.y_test
    if len(y_test) == 0:
        return None
    budget.look_closely()
    models, leader = candidates(
        results,
        ensemble,
        plan,
        problem.known_rows(NEVER if budget.unlimited else Deadline.after(CUTS_S)),
        problem.delivery.folder,
        trial_names([r.spec for r in results]),
        problem.setup.feasibility,
        as_delivered(problem, ensemble, results, budget.until(0.5 * problem.finish_s(budget))),
    )
    baseline = min(models, key=lambda c: c.complexity)
    return judge(
        EvaluationInputs(
            task=plan.task,
            classes=plan.classes,
            metric=plan.metric,
            y_train=problem.setup.data.y,
            y_test=y_test,
            candidates=tuple(models),
            leader=leader,
            baseline=baseline.name,
            test_frame=problem.setup.data.test_frame,
            schema=problem.setup.data.schema,
            row_numbers=problem.test_row_numbers,
            seed=plan.seed,
            deadline=NEVER if budget.unlimited else Deadline.after(max(1.5, min(20.0, 0.4 * budget.left()))),
            weight=problem.w_test,
            weight_train=problem.setup.data.weight,
            group=problem.test_groups,
            stretches=problem.test_stretches,
            n_validated=len(np.unique(np.concatenate([valid for _, valid in problem.setup.data.folds]))),
        )
    )
