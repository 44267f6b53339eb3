"""What drives the predictions: how long finding it out will take, and doing it in the time that is left."""

from __future__ import annotations

from collections.abc import Sequence

from autodl.clock import NEVER, Deadline
from autodl.records import Ensemble, Explanation, TrialResult
from autodl.run_context import RunContext
from autodl.search.budget import AFTER_EXPLANATION, AFTER_REFITS
from autodl.search.naming import trial_names
from autodl.stages.problem import Problem
from autodl.stages.shown_columns import shown_seconds

EXPLAIN_SHARE, PROBE_SHARE = 0.1, 0.05
"""Of the budget, kept from the refits for the explanation at most; of that, for timing the predictions."""
FULL_SHARE = 0.03
"""An explanation with all its shuffles is kept from the refits if it takes at most this share of the budget."""
MAX_ROWS, REPEATS = 2_000, 5
"""Test rows that are looked at, and shuffles of each column, where there is time."""
LEAST_S, MOST_S = 0.5, 30.0
"""Seconds that an explanation gets however much the end of the run is behind, unless the budget is spent; at most."""
LATE_SHARE = 0.35
"""Share of the time that is left that it gets in any case: the report can go without charts."""


def expected_seconds(problem: Problem, members: Sequence[TrialResult]) -> float:
    """Seconds of a full explanation with examples of these trials, by what their predictions took in the search."""
    from autodl.explain.explain import full_seconds
    from autodl.explain.speed import Speed

    costs = [r.cost for r in members if r.cost is not None]
    frame = problem.setup.data.test_frame
    if not costs or not len(frame):
        return 0.0
    shuffled = _n_shuffled(problem)
    row_s = sum(c.predict_ms_per_row for c in costs) / 1000.0
    speed = Speed(sum(c.row_s or 0.0 for c in costs), row_s)
    return full_seconds(speed, min(MAX_ROWS, len(frame)), shuffled, REPEATS) + shown_seconds(problem, speed)


def _n_shuffled(problem: Problem) -> int:
    """Columns that are shuffled one by one."""
    from autodl.explain.explain import steps_of_series
    from autodl.explain.permutation import shuffled_alone

    data = problem.setup.data
    return len(shuffled_alone(list(data.test_frame.columns), steps_of_series(data.schema, data.test_frame)))


def kept_for_the_end(ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]) -> float:
    """Seconds that refits leave to explanation, report and exit, more where the model answers slowly."""
    if ctx.budget.unlimited:
        return 0.0
    explained: float | None = None
    if ctx.options.report:
        with ctx.guard("Finding out how quickly the model answers"):
            explained = _seconds(ctx, problem, ensemble, results)
    finish = problem.finish_s(ctx.budget)
    usual = AFTER_REFITS * finish
    return usual if explained is None else max(usual, AFTER_EXPLANATION * finish + explained)


def _seconds(ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]) -> float | None:
    """Seconds of a full explanation if that is cheap, else of a short one, at most a share of the budget.

    None if there can be none.
    """
    from autodl.explain.explain import full_seconds, short_seconds
    from autodl.explain.speed import measure_speed
    from autodl.scoring import one_fold_predictor

    predict = one_fold_predictor(ensemble, {r.spec.id: r for r in results}, problem.delivery.folder)
    frame, total = problem.setup.data.test_frame, ctx.budget.total_s
    if predict is None or len(problem.y_test) == 0:
        return None
    ctx.answers = measure_speed(predict, frame, PROBE_SHARE * EXPLAIN_SHARE * total)
    shown = shown_seconds(problem, ctx.answers)
    shuffled = _n_shuffled(problem)
    full = shown + full_seconds(ctx.answers, min(MAX_ROWS, len(frame)), shuffled, REPEATS)
    if full <= FULL_SHARE * total:
        return full
    short = shown + short_seconds(ctx.answers, len(frame), shuffled)
    return max(FULL_SHARE * total, min(EXPLAIN_SHARE * total, short))


def explain(
    ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]
) -> Explanation | None:
    """Importance and effects on test rows, with models that never saw them; the user is told if there is no time."""
    from autodl.evaluate.base import metrics
    from autodl.explain import explain as permute
    from autodl.scoring import ENSEMBLE_NAME, one_fold_predictor

    plan, budget, folder = problem.setup.plan, ctx.budget, problem.delivery.folder
    if len(problem.y_test) == 0:
        return None
    if (spare := spare_seconds(ctx, problem)) <= 0:
        ctx.note(
            "What drives the predictions was not looked at: no time was left. A larger --time-budget leaves more."
        )
        return None
    predict = one_fold_predictor(ensemble, {r.spec.id: r for r in results}, folder)
    if predict is None:
        return None
    single = len(ensemble.members) == 1
    found = permute(
        predict,
        problem.setup.data.test_frame,
        problem.y_test,
        metric=metrics[plan.metric],
        schema=problem.setup.data.schema,
        classes=plan.classes,
        threshold=ensemble.threshold,
        factors=ensemble.factors,
        model_name=trial_names([r.spec for r in results])[ensemble.members[0].trial_id] if single else ENSEMBLE_NAME,
        max_rows=MAX_ROWS,
        n_repeats=REPEATS,
        seed=plan.seed,
        deadline=NEVER if budget.unlimited else Deadline.after(spare),
        weight=problem.w_test,
        group=problem.test_groups,
        speed=ctx.answers,
    )
    if found is None:
        ctx.note(
            "What drives the predictions was not looked at: the model answers too slowly for the time that was left. "
            "A larger --time-budget leaves more."
        )
    return found


def spare_seconds(ctx: RunContext, problem: Problem) -> float:
    """Seconds for the explanation beside what report and exit need; none once the budget is spent."""
    budget = ctx.budget
    if budget.unlimited:
        return MOST_S
    budget.look_closely()
    left = budget.left()
    usual = left - AFTER_EXPLANATION * problem.finish_s(budget)
    return max(min(LEAST_S, left), min(MOST_S, max(usual, LATE_SHARE * left)))
