"""The combination that keeps the limits of the user: expected from the trials, checked on the models, corrected."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.clock import Deadline
from autodl.ensemble import Allowed, select
from autodl.errors import RunError
from autodl.footprint import folder_bytes, library_bytes, measure, measure_fresh
from autodl.model import DeliveredModel
from autodl.models.base import families
from autodl.records import Ensemble, Footprint, Member, TrialResult
from autodl.scoring import Predicted, few_models_predicted
from autodl.search.naming import trial_names
from autodl.stages.problem import Problem
from autodl.stages.views import Views
from autodl.store import RunFolder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.ensemble import KnownRows

ATTEMPTS = 3
"""Combinations that are checked; the one that exceeds the limits least is taken if none keeps them."""
PROCESS_S = 60.0
"""Seconds that a process for measuring may take, where the budget has them."""


def choose_within(
    problem: Problem,
    usable: Sequence[TrialResult],
    seen: Views,
    guess: float,
    deadline: Deadline,
) -> Ensemble:
    """Choose members and weights whose models keep the limits together, or the nearest single model.

    What a model takes was measured once, in a trial, beside others. The models that are chosen are loaded and
    measured together; if they take more than expected, the expectations are corrected and the choice is made anew.

    Args:
        problem: With its limits.
        usable: Trials that may be members.
        seen: Their out-of-fold predictions.
        guess: Loss of the guess; infinite if not known.
        deadline: When the choice should be made.
    """
    plan, limits = problem.setup.plan, problem.setup.feasibility.limits
    oof, rows = seen.predictions, seen.rows
    losses = {r.spec.id: r.loss for r in usable if r.loss is not None}
    plain = {r.spec.id: loss for r in usable if (loss := r.uncut_loss) is not None}
    learnt = any(families[r.spec.family].complexity > 0 for r in usable)
    allowed = expected(problem, usable, deadline)
    tried: list[tuple[float, float, Ensemble]] = []
    for _ in range(ATTEMPTS):
        if any(allowed.fits([key]) for key in oof):
            chosen = select(
                usable, oof, rows.y, rows.metric,
                n_classes=len(plan.classes), seed=plan.seed, deadline=deadline, allowed=allowed,
                weight=rows.weight, block=rows.block, answers=learnt or bool(plan.quantiles),
            )  # fmt: skip
        else:
            chosen = _alone(allowed.nearest({k: v for k, v in losses.items() if k in oof}, guess), plain, allowed)
            if learnt or plan.quantiles:
                chosen = _with_answers(problem, chosen, oof[chosen.members[0].trial_id], rows)
        ids = [m.trial_id for m in chosen.members]
        measured = _measured(problem, chosen, usable, deadline) or allowed.together(ids)
        far = limits.violation(measured)
        tried.append((far, chosen.loss, chosen.model_copy(update={"takes": measured})))
        if far == 0 or deadline.passed():
            break
        allowed = allowed.corrected(ids, measured)
    return min(tried, key=lambda t: t[:2])[2]


def expected(problem: Problem, usable: Sequence[TrialResult], deadline: Deadline) -> Allowed:
    """What each model is expected to take; memory only where it is limited, for it needs a process of its own."""
    feasibility = problem.setup.feasibility
    base, libraries = feasibility.base, dict[str, int]()
    if feasibility.limits.memory_bytes is not None:
        folder = problem.delivery.folder
        best = {r.spec.family: r for r in sorted(usable, key=feasibility.order, reverse=True)}
        with tempfile.TemporaryDirectory(prefix="autodl-") as place:
            folders: dict[str, Path] = {}
            for r in sorted(best.values(), key=feasibility.order):
                if folder.sound_models(r):
                    staged = _staged(problem, _single(r), usable, Path(place) / str(len(folders)))
                    DeliveredModel(
                        RunFolder(staged.parent, trusted=folder.trusted)
                    )  # refuses what nobody vouches for
                    folders[r.spec.family] = staged
            found = library_bytes(folders, problem.setup.data.frame, timeout_s=_time(deadline))
        if found is not None:
            base, libraries = base.plus(Footprint(memory_bytes=found[0])), found[1]
    return Allowed.of_trials(feasibility.limits, usable, base, libraries)


def most_copies(problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult], most: int) -> int | None:
    """How many models of each member may be delivered; None without limits."""
    return copies(problem, ensemble, [m.trial_id for m in ensemble.members], results, most)


def copies(
    problem: Problem, ensemble: Ensemble, ids: Sequence[str], results: Sequence[TrialResult], most: int
) -> int | None:
    """How many models of each of these trials may be delivered together; None without limits.

    Args:
        problem: With its limits.
        ensemble: What was measured of its members holds for all trials.
        ids: Trials.
        results: Finished trials.
        most: At most so many.
    """
    feasibility = problem.setup.feasibility
    if not feasibility.limits.any:
        return None
    allowed = Allowed.of_trials(feasibility.limits, results, feasibility.base)
    if ensemble.takes is not None:
        allowed = allowed.corrected([m.trial_id for m in ensemble.members], ensemble.takes)
    return allowed.copies(ids, most)


def as_delivered(
    problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult], deadline: Deadline
) -> Predicted | None:
    """Test predictions with as many fold models as would be delivered; None where all of them are, without limits.

    Models that were not chosen keep the mean of all their fold models where the time is up or their files are gone.

    Args:
        problem: With its limits.
        ensemble: What is delivered.
        results: Finished trials.
        deadline: When models that were not chosen are not loaded any more.
    """
    if not problem.setup.feasibility.limits.any:
        return None
    folder, frame = problem.delivery.folder, problem.setup.data.test_frame
    members = {m.trial_id for m in ensemble.members}

    def predicted(result: TrialResult, among: Sequence[str]) -> NDArray[Any]:
        whole, chosen = len(problem.setup.data.folds), result.spec.id in members
        most = copies(problem, ensemble, among, results, whole) if folder.has_models(result) else None
        if most is None or (deadline.passed() and not chosen):
            return few_models_predicted(result, folder, frame, None)
        try:
            return few_models_predicted(result, folder, frame, most)
        except RunError:
            if chosen:
                raise
            logging.getLogger("autodl").exception("the models of %s could not be loaded", result.spec.id)
            return few_models_predicted(result, folder, frame, None)

    return predicted


def _alone(key: str, losses: Mapping[str, float], allowed: Allowed) -> Ensemble:
    """The model that comes nearest to the limits."""
    return Ensemble(
        members=(Member(trial_id=key, family=allowed.families[key], weight=1.0),),
        method="single",
        loss=losses[key],
        single_loss=losses[key],
        why="No model keeps the limits. This one comes nearest to them, of those that have learnt enough to be used.",
    )


def _with_answers(problem: Problem, alone: Ensemble, oof: NDArray[Any], rows: KnownRows) -> Ensemble:
    """A single model with the cut, factors or shifts that its (n, ...) out-of-fold predictions for n rows ask for."""
    import numpy as np

    from autodl.ensemble.answers import settled
    from autodl.ensemble.nested import cut_parts

    known = np.isfinite(oof).reshape(len(oof), -1).all(axis=1)
    rows = rows.only(known)
    classes = bool(problem.setup.plan.classes)
    part = cut_parts(rows.y, classes, rows.block, np.random.default_rng(rows.seed))
    return settled(alone, oof[known].astype(float), rows, part)


def _single(result: TrialResult) -> Ensemble:
    loss = 0.0 if result.loss is None else result.loss
    member = Member(trial_id=result.spec.id, family=result.spec.family, weight=1.0)
    return Ensemble(members=(member,), method="single", loss=loss, single_loss=loss)


def _staged(
    problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult], place: Path, most: int | None = 1
) -> Path:
    """A model folder with so many fold models of each member."""
    names = trial_names([r.spec for r in results])
    place.mkdir()
    staged = RunFolder(place, trusted=problem.delivery.folder.trusted)
    problem.delivery.bag(ensemble, {r.spec.id: r for r in results}, names, most=most, into=staged)
    return staged.model_folder()


def _measured(
    problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult], deadline: Deadline
) -> Footprint | None:
    """What one model of each member takes together; None if they could not be measured."""
    limits, frame = problem.setup.feasibility.limits, problem.setup.data.frame
    folder = problem.delivery.folder
    if not all(folder.has_models(r) for r in results if r.spec.id in {m.trial_id for m in ensemble.members}):
        return None
    with tempfile.TemporaryDirectory(prefix="autodl-") as place:
        try:
            staged = _staged(problem, ensemble, results, Path(place) / "run")
            model = DeliveredModel(RunFolder(staged.parent, trusted=folder.trusted))
        except RunError:  # damaged by whatever ended an earlier run: told and mended where the models are delivered
            logging.getLogger("autodl").exception("the chosen models could not be measured")
            return None
        if limits.memory_bytes is not None:
            return measure_fresh(staged, frame, timeout_s=_time(deadline), batch=False)
        size = Footprint(size_bytes=folder_bytes(staged))
        return size if limits.row_s is None else measure(model, frame, batch=False).plus(size)


def _time(deadline: Deadline) -> float:
    return min(PROCESS_S, max(2.0, deadline.left()))


def guess_loss(results: Sequence[TrialResult]) -> float:
    """Loss of the answer without looking at any column; infinite if it was not tried."""
    found = [r.loss for r in results if r.loss is not None and families[r.spec.family].complexity == 0]
    return min(found, default=float("inf"))
