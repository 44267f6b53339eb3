"""The stages as functions from records and rows to a record; ``pipeline`` calls them in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autodl.clock import NEVER, Deadline
from autodl.delivery import Delivery
from autodl.errors import RunError
from autodl.machine import this_machine
from autodl.models.base import Shape, families
from autodl.options import FitOptions
from autodl.records import (
    ColumnKind,
    Ensemble,
    Evaluation,
    Explanation,
    Plan,
    Profile,
    Record,
    TrialResult,
)
from autodl.run_context import RunContext
from autodl.search.budget import Budget
from autodl.search.naming import trial_names
from autodl.search.session import SearchSetup, refit_seconds, run_search
from autodl.search.trial import TrialData, TrialOutcome

if TYPE_CHECKING:
    import pandas as pd

    from autodl.dataset import Dataset, Rows

INTERIM_BYTES = 40_000_000
"""Larger fold models are not copied to ``model/`` while the search runs, unless there is no model yet."""
KEEP_MODELS = 25
"""Trials whose fold models stay on disk: the best ones, from which the ensemble is chosen."""


class RowsRecord(Record):
    """Identifies the data of a run, so that it is not resumed on other data."""

    fingerprint: str
    test_fingerprint: str | None
    """Of the test file, if there is one."""
    n_rows: int
    n_search: int
    n_test: int


@dataclass(frozen=True)
class Problem:
    """The rows of one run, cut for search and test.

    Attributes:
        setup: What the search needs.
        dataset: All rows of the file that have a target.
        test: Where the test rows come from: ``dataset`` or the test file.
        rows: Positions.
        delivery: Writes the model folder.
    """

    setup: SearchSetup
    dataset: Dataset
    test: Dataset
    rows: Rows
    delivery: Delivery

    @property
    def n_refit(self) -> int:
        """Rows that the delivered model may be trained on; a test file is left alone."""
        return len(self.dataset.y)


def read(data: str | pd.DataFrame, options: FitOptions) -> Dataset:
    """Read the table and find its target."""
    from autodl.dataset import load

    return load(data, options)


def read_test(options: FitOptions, dataset: Dataset) -> Dataset | None:
    """Read the test file, if there is one."""
    from autodl.dataset import load_test

    return None if options.test is None else load_test(options.test, dataset)


def profile(dataset: Dataset, held_out: Dataset | None, options: FitOptions) -> Profile:
    """The facts about the table."""
    from autodl.profiling import profile_table

    return profile_table(
        dataset.frame,
        dataset.schema,
        dataset.read,
        target=dataset.target,
        options=options,
        test_frame=None if held_out is None else held_out.frame,
        seed=options.seed,
    )


def plan(profile: Profile, options: FitOptions, has_test_file: bool) -> Plan:
    """What will be done and why."""
    from autodl.planning import make_plan

    return make_plan(profile, options, machine=this_machine(), has_test_file=has_test_file)


def rows(ctx: RunContext, dataset: Dataset, held_out: Dataset | None, plan: Plan) -> Rows:
    """Cut the rows; a resumed run must have the same data.

    Raises:
        RunError: If the data differ from those the run began with.
    """
    from autodl.dataset import split

    cut = split(dataset, plan.validation, plan.seed)
    now = RowsRecord(
        fingerprint=dataset.fingerprint(),
        test_fingerprint=None if held_out is None else held_out.fingerprint(),
        n_rows=len(dataset.y),
        n_search=len(cut.search),
        n_test=len(cut.test) if held_out is None else len(held_out.y),
    )
    before = ctx.folder.read("rows", RowsRecord)
    if before is None:
        ctx.folder.write("rows", now)
    elif before != now:
        raise RunError(
            f"the data are not those that the run in {ctx.folder.path} began with",
            "Resume with the same file and options, or start anew with another --out.",
        )
    return cut


def problem(ctx: RunContext, dataset: Dataset, held_out: Dataset | None, plan: Plan, rows: Rows) -> Problem:
    """Put together what search, delivery and evaluation work on."""
    names = list(plan.features)
    test = dataset if held_out is None else held_out
    test_frame = dataset.frame.iloc[rows.test] if held_out is None else held_out.frame
    schema = dataset.schema.only(plan.features)
    data = TrialData(
        frame=dataset.frame.iloc[rows.search][names].reset_index(drop=True),
        y=dataset.y[rows.search],
        test_frame=test_frame[names].reset_index(drop=True),
        folds=rows.folds,
        schema=schema,
        task=plan.task,
        n_classes=len(plan.classes),
        metric=plan.metric,
        recipes={f.key: f.recipe for f in plan.families},
        threads=plan.threads,
    )
    shape = Shape(
        rows=round(sum(len(train) for train, _ in rows.folds) / len(rows.folds)),
        numeric=len(schema.of_kind(ColumnKind.NUMERIC, ColumnKind.BOOLEAN, ColumnKind.DATETIME)),
        categorical=len(schema.of_kind(ColumnKind.CATEGORICAL)),
        levels=sum(c.n_unique for c in schema.columns if c.kind is ColumnKind.CATEGORICAL),
        text=len(schema.of_kind(ColumnKind.TEXT)),
        classes=len(plan.classes),
        threads=plan.threads,
    )
    setup = SearchSetup(plan, data, shape, ctx.options.address, ctx.options.max_trials)
    delivery = Delivery(ctx.folder, plan.task, plan.target, plan.classes, schema)
    return Problem(setup, dataset, test, rows, delivery)


def search(ctx: RunContext, problem: Problem) -> list[TrialResult]:
    """Search and keep every finished trial; a usable model is in place as soon as there is one.

    Raises:
        RunError: If not a single trial succeeded.
    """
    results = ctx.folder.trials()
    known = len(results)

    def store(outcome: TrialOutcome) -> TrialResult:
        stored = ctx.folder.write_trial(outcome.result, outcome.oof, outcome.test, outcome.models)
        results.append(stored)
        if stored.ok and ctx.first_model_s is None and families[stored.spec.family].complexity > 0:
            ctx.first_model_s = round(ctx.budget.elapsed(), 2)
        _deliver_interim(problem, results, stored)
        _drop_old_models(ctx, results)
        ctx.write("running", results)
        return stored

    with ctx.guard("The search"):
        run_search(problem.setup, ctx.budget, list(results), store, ctx.listener, ctx.stop, n_rows=problem.n_refit)
    if len(results) > known:
        # What an interrupted run had concluded from fewer trials no longer holds.
        for name in ("ensemble", "evaluation", "explanation"):
            ctx.folder.remove(name)
    if not any(r.ok for r in results):
        if ctx.stop.is_set():
            raise RunError("stopped before a model was finished", "Nothing is lost but the time; start it again.")
        errors = [r.error for r in results if r.error]
        raise RunError(
            "no model could be trained" + (f" (first error: {errors[0]})" if errors else ""),
            "Give more time with --time-budget, or other models with --families.",
        )
    return results


def ensemble(problem: Problem, plan: Plan, results: Sequence[TrialResult], budget: Budget) -> Ensemble:
    """Choose the combination, and for two classes the cut, by out-of-fold predictions."""
    from autodl.ensemble import choose_threshold, combine, select
    from autodl.evaluate.base import metrics

    folder = problem.delivery.folder
    usable = [r for r in results if r.ok and r.oof is not None]
    # A constant guess changes no ranking: for AUC it would get weight by accident and spoil the probabilities.
    usable = [r for r in usable if families[r.spec.family].complexity > 0] or usable
    usable = [r for r in usable if folder.has_models(r)] or usable  # what cannot be delivered is not chosen
    oof = {r.spec.id: folder.read_array(r.oof) for r in usable if r.oof is not None}
    y, metric = problem.setup.data.y, metrics[plan.metric]
    deadline = budget.until(0.75 * budget.finish_s(problem.n_refit))
    chosen = select(usable, oof, y, metric, n_classes=len(plan.classes), seed=plan.seed, deadline=deadline)
    if len(plan.classes) != 2 or all(families[m.family].complexity == 0 for m in chosen.members):
        return chosen
    threshold = choose_threshold(combine(chosen, oof)[:, 1], y, metric, seed=plan.seed)
    return chosen.model_copy(update={"threshold": threshold})


def deliver_bag(problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]) -> str:
    """Deliver the fold models that exist; cheap, and safe against whatever comes after."""
    if problem.delivery.has_all_rows(ensemble):
        return problem.delivery.text()  # a resumed run that had come further
    return problem.delivery.bag(ensemble, {r.spec.id: r for r in results}, trial_names([r.spec for r in results]))


def deliver_refit(
    ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]
) -> str | None:
    """Train the members again on all rows, as far as time allows."""
    if ctx.stop.is_set():
        return None
    if problem.delivery.has_all_rows(ensemble):
        return problem.delivery.text()
    # Nothing else runs now: a refit may have all cores, also where trials shared them.
    setup = problem.setup
    data = replace(setup.data, threads=max(setup.data.threads, this_machine().cores))
    seconds = refit_seconds(setup, results, problem.n_refit)
    frame = problem.dataset.frame[list(setup.plan.features)]
    return problem.delivery.refit(
        ensemble,
        {r.spec.id: r for r in results},
        trial_names([r.spec for r in results]),
        data,
        (frame, problem.dataset.y),
        ctx.budget.until(0.6 * ctx.budget.finish_s(problem.n_refit)),
        seconds,
    )


def evaluate(
    problem: Problem,
    plan: Plan,
    ensemble: Ensemble,
    results: Sequence[TrialResult],
    budget: Budget,
) -> Evaluation | None:
    """Open the test rows once; None if there are none."""
    from autodl.evaluate import EvaluationInputs
    from autodl.evaluate import evaluate as judge
    from autodl.scoring import candidates

    held = problem.rows.test if problem.test is problem.dataset else slice(None)
    y_test = problem.test.y[held]
    if len(y_test) == 0:
        return None
    models, leader = candidates(
        results,
        ensemble,
        plan,
        problem.setup.data.y,
        problem.delivery.folder,
        trial_names([r.spec for r in results]),
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
            row_numbers=problem.test.rows[held],
            seed=plan.seed,
            deadline=NEVER if budget.unlimited else Deadline.after(max(1.5, min(20.0, 0.4 * budget.left()))),
        )
    )


def explain(
    problem: Problem, plan: Plan, ensemble: Ensemble, results: Sequence[TrialResult], budget: Budget
) -> Explanation | None:
    """Importance and effects on test rows, with models that never saw them."""
    from autodl.evaluate.base import metrics
    from autodl.explain import explain as permute
    from autodl.scoring import ENSEMBLE_NAME, one_fold_predictor

    folder = problem.delivery.folder
    predict = one_fold_predictor(ensemble, {r.spec.id: r for r in results}, folder)
    held = problem.rows.test if problem.test is problem.dataset else slice(None)
    y_test = problem.test.y[held]
    if predict is None or len(y_test) == 0:
        return None
    spare = max(0.5, min(30.0, budget.left() - 0.4 * budget.finish_s(problem.n_refit)))
    single = len(ensemble.members) == 1
    return permute(
        predict,
        problem.setup.data.test_frame,
        y_test,
        metric=metrics[plan.metric],
        schema=problem.setup.data.schema,
        classes=plan.classes,
        threshold=ensemble.threshold,
        model_name=trial_names([r.spec for r in results])[ensemble.members[0].trial_id] if single else ENSEMBLE_NAME,
        max_rows=2_000,
        n_repeats=5,
        seed=plan.seed,
        deadline=NEVER if budget.unlimited else Deadline.after(spare),
    )


def _deliver_interim(problem: Problem, results: Sequence[TrialResult], stored: TrialResult) -> None:
    done = [r for r in results if r.ok and r.loss is not None]
    best = min(done, key=lambda r: r.loss if r.loss is not None else 0.0, default=None)
    folder = problem.delivery.folder
    if best is None or best.spec.id != stored.spec.id or stored.cost is None:
        return
    if stored.cost.size_bytes > INTERIM_BYTES and (folder.path / "model").exists():
        return
    alone = Ensemble.model_validate(
        {
            "members": [{"trial_id": stored.spec.id, "family": stored.spec.family, "weight": 1.0}],
            "method": "single",
            "loss": stored.loss,
            "single_loss": stored.loss,
        }
    )
    problem.delivery.bag(alone, {stored.spec.id: stored}, trial_names([r.spec for r in results]))


def _drop_old_models(ctx: RunContext, results: Sequence[TrialResult]) -> None:
    done = sorted((r for r in results if r.ok), key=lambda r: r.loss if r.loss is not None else 0.0)
    seen: set[str] = set()
    for place, r in enumerate(done):
        if place >= KEEP_MODELS and r.spec.family in seen:
            ctx.folder.drop_models(r.spec.id)
        seen.add(r.spec.family)
