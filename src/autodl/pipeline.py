"""The road that data travels: read, profile, plan, search, ensemble, evaluate, explain, report.

This module alone knows the order of the stages; it writes every record to the run folder.
"""

from __future__ import annotations

import math
import time
from pathlib import Path
from threading import Event as Flag
from typing import TYPE_CHECKING, Any

from autodl.duration import format_duration
from autodl.errors import DiskError, RunError
from autodl.events import Listener, PlanReady, RunFinished, TrialFinished, silent
from autodl.opening import OpenRun, open_run
from autodl.options import FitOptions
from autodl.records import ArtifactRef, Ensemble, Evaluation, Examples, Explanation, Front, Plan, Profile, RunRecord
from autodl.run_context import RunContext, RunIdentity
from autodl.store import RunFolder
from autodl.store.lock import MEDIA

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.search.budget import Budget


def run_fit(
    data: str | pd.DataFrame,
    options: FitOptions,
    out: Path,
    *,
    listener: Listener = silent,
    started: float | None = None,
    command: str = "",
    resume: bool = False,
    trust: bool = False,
    stop: Flag | None = None,
) -> RunRecord:
    """Fit models to a table inside the budget and leave a run folder with the model and the report.

    Args:
        data: A path, glob or folder that ``read_table`` understands, or a frame.
        options: What the user asked for.
        out: The run folder; made if needed.
        listener: Is told what happens.
        started: ``time.time()`` at which the budget began; now if None.
        command: The command line, for the report.
        resume: Go on with an interrupted run in ``out``.
        trust: The user vouches for that run: models in it that are pickles may be opened.
        stop: When set, the search ends and the best so far is kept.

    Raises:
        AutodlError: Bad input, or no model could be trained at all.
    """
    from autodl.planning import check_names
    from autodl.search.budget import Budget
    from autodl.search.runners.ray_address import check_address

    check_names(options, resumed=resume)
    if options.address is not None:
        check_address(options.address)
    begun = time.time() if started is None else started
    total = math.inf if options.time_budget_s is None else options.time_budget_s
    with open_run(out, options, resume, trust) as opened:
        ctx = RunContext(
            opened.folder, options, Budget(total, begun - opened.used_s), listener, stop or Flag(), command,
            resumed=opened.resumed,
        )  # fmt: skip
        if opened.earlier is not None:
            ctx.take_over(opened.earlier)
        for note in opened.notes:
            ctx.note(note)
        with ctx.recording_failure():
            return _run(ctx, data, opened)


def _run(ctx: RunContext, data: str | pd.DataFrame, opened: OpenRun) -> RunRecord:
    """The stages in order, in a folder that this process holds."""
    from autodl import stages
    from autodl.media.place import MediaPlace
    from autodl.report.figures.pacing import drawing_until
    from autodl.search.naming import trial_names

    folder, options, budget, listener = ctx.folder, ctx.options, ctx.budget, ctx.listener
    with ctx.stage("read"):
        place = MediaPlace(folder.path / MEDIA)
        dataset = stages.read(data, options, folder.read("profile", Profile), place)
        held_out = stages.read_test(options, dataset, place)
    if dataset.read.sample is not None:
        ctx.note(dataset.read.sample.note)
    ctx.check_stop()
    with ctx.stage("profile"):
        profile = folder.read("profile", Profile) or stages.profile(dataset, held_out, options, budget.looking())
    ctx.check_stop()
    with ctx.stage("plan"):
        planned, before = folder.read("plan", Plan), folder.read("options", FitOptions)
        if planned is not None and before is not None:
            planned = stages.plan_again(planned, before, options)
        plan = planned or stages.plan(profile, options, held_out is not None, budget.pace)
        rows = stages.rows(ctx, dataset, held_out, plan)
        # Nothing is written before everything that bad options can break has been checked.
        folder.write("profile", profile)
        folder.write("plan", plan)
        folder.write("options", options)
        ctx.identity = RunIdentity(plan, profile)
    known = folder.trials()
    ctx.write("running", known)
    names = trial_names([r.spec for r in known])
    kept = tuple(TrialFinished(r, names[r.spec.id], best=False, elapsed_s=r.finished_s) for r in known)
    listener(PlanReady(profile, plan, budget.elapsed(), kept))
    if opened.resumed:
        ctx.note(_going_on(len(known), opened.used_s, budget))
    problem = stages.encode(ctx, stages.problem(ctx, dataset, held_out, plan, rows))
    problem = stages.mirroring(ctx, problem)
    plan = problem.setup.plan
    with ctx.stage("search"):
        results = stages.search(ctx, problem)
    with ctx.stage("ensemble"):
        ensemble = stages.ensemble(ctx, problem, results)
        ctx.delivered = stages.deliver_bag(ctx, problem, ensemble, results)
    if opened.resumed:
        with ctx.guard("Noting what is in place", only=DiskError):
            ctx.write("running", results)  # what was told of the model before no longer holds if this is another
    # From here on a usable model is in place: whatever goes wrong is told, and the report is written all the same.
    evaluation: Evaluation | None = None
    with ctx.stage("evaluate"), ctx.guard("The test of the model"):
        evaluation = ctx.once(
            "evaluation", Evaluation, lambda: stages.evaluate(problem, plan, ensemble, results, budget)
        )
    with ctx.guard("Noting the test", only=DiskError):
        ctx.write("running", results, evaluation)  # training on all rows may take long, and be ended at once
    trained: str | None = None
    with ctx.stage("refit"), ctx.guard("Training on all rows"):
        trained = stages.deliver_refit(ctx, problem, ensemble, results)
    if trained:
        ctx.delivered = trained
        with ctx.guard("Noting the model", only=DiskError):
            ctx.write("running", results, evaluation)
    with ctx.stage("measure"), ctx.guard("Measuring what the model takes"):
        ctx.front = stages.measure(ctx, problem, ensemble, results, evaluation)
    if options.report:
        with ctx.stage("explain"):
            with ctx.guard("Picking examples"):
                ctx.once("examples", Examples, lambda: stages.show(ctx, problem, ensemble, results))
            with ctx.guard("The explanation"):
                ctx.once("explanation", Explanation, lambda: stages.explain(ctx, problem, ensemble, results))
    status = "interrupted" if ctx.stop.is_set() else "done"
    if options.report:
        with ctx.stage("report"), ctx.guard("The report"):
            ctx.write(status, results, evaluation)
            with drawing_until(budget.charts()):
                write_report(folder)
    if ctx.trouble is not None:
        raise ctx.trouble
    record = ctx.write(status, results, evaluation)
    listener(RunFinished(record, evaluation, str(folder.path), budget.elapsed()))
    return record


def _going_on(n_known: int, used_s: float, budget: Budget) -> str:
    """What a resumed run has, and what is left of its budget."""
    kept = f"Going on: {n_known} {'trial is' if n_known == 1 else 'trials are'} kept"
    if budget.unlimited:
        return f"{kept}."
    total, used = format_duration(budget.total_s), format_duration(used_s)
    if not budget.left():
        return (
            f"{kept}. The budget of {total} is spent: the run had used {used} before. What is there is finished; to "
            "search on, give more than that with --time-budget, which counts from the first start."
        )
    since = format_duration(max(0.0, budget.elapsed() - used_s))
    return (
        f"{kept}; of the {total}, {used} were used before and {since} now to read the data again, "
        f"{format_duration(budget.left())} are left."
    )


def run_plan(data: str | pd.DataFrame, options: FitOptions, listener: Listener = silent) -> tuple[Profile, Plan]:
    """What ``run_fit`` would do and why; trains nothing and writes nothing."""
    from autodl import stages
    from autodl.media.place import passing_place
    from autodl.planning import check_names

    check_names(options)
    with passing_place() as place:
        dataset = stages.read(data, options, place=place)
        held_out = stages.read_test(options, dataset, place)
        profile = stages.profile(dataset, held_out, options)
        return profile, stages.plan(profile, options, held_out is not None)


def rebuild_report(path: Path) -> Path:
    """Write ``report.html`` again from the records of a run.

    Raises:
        RunError: If the folder holds no run with a plan.
    """
    folder = RunFolder(path)
    folder.read_run()
    return write_report(folder)


def write_report(folder: RunFolder) -> Path:
    """Render the records on disk; this is all that the report knows."""
    from autodl.report import write_report as render
    from autodl.search.naming import trial_names
    from autodl.search.repeats import merged

    profile, plan = folder.read("profile", Profile), folder.read("plan", Plan)
    if profile is None or plan is None:
        raise RunError(f"{folder.path} has no plan yet", "Start the run again with `autodl fit`.")
    trials = merged(folder.trials())
    examples = folder.read("examples", Examples)
    return render(
        folder.path,
        run=folder.read_run(),
        profile=profile,
        plan=plan,
        trials=trials,
        ensemble=folder.read("ensemble", Ensemble),
        evaluation=folder.read("evaluation", Evaluation),
        explanation=folder.read("explanation", Explanation),
        front=folder.read("front", Front),
        examples=examples,
        pictures=None if examples is None else _array(folder, examples.pictures),
        heats=None if examples is None else _array(folder, examples.heats),
        names=trial_names([t.spec for t in trials]),
    )


def _array(folder: RunFolder, ref: ArtifactRef | None) -> NDArray[Any] | None:
    """An array of the report; None where there is none, or it is gone or damaged: the page then goes without."""
    if ref is None:
        return None
    try:
        return folder.read_array(ref)
    except RunError:
        return None
