"""Test rows that a person can look at: images, series and texts, what was answered, and what spoke for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import Deadline
from autodl.explain.speed import Speed
from autodl.records import OBJECTS, ColumnKind, Ensemble, Modality, TrialResult
from autodl.records.examples import Examples, ShownExample, WordEffects
from autodl.run_context import RunContext
from autodl.search.naming import trial_names
from autodl.stages.explaining import MOST_S, spare_seconds
from autodl.stages.problem import Problem
from autodl.stages.showing_steps import with_step_effects
from autodl.stages.shown_columns import MOST_OF_EACH, columns_shown, looks_seconds

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

SHARE = 0.35
"""Of the time that is left for explanations."""
TEXTS_SHARE, LEAST_TEXTS = 0.4, 50
"""Share of the rows that can be predicted in time that are whole texts; texts below which words say nothing."""

STEPS_SHARE = 0.5
"""Share of the rows that can be predicted in time that are series with a part replaced."""


@dataclass(frozen=True)
class _Answers:
    """The leader's answers for the test rows."""

    prediction: NDArray[Any]
    """(n, K) probabilities or (n,) values."""
    codes: NDArray[Any] | None
    """(n,) class codes; None for numbers."""


def show(ctx: RunContext, problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult]) -> Examples | None:
    """Rows to look at of the first column of each kind; None where there is none, or no time for it.

    The cells themselves take no time worth counting; where a network looks and which words decide is found out in a
    share of the time that is left, or left out, which the report then says.
    """
    columns = columns_shown(problem)
    if not columns or len(problem.y_test) == 0:
        return None
    if (spare := spare_seconds(ctx, problem)) <= 0:
        ctx.note("Examples to look at were not picked: no time was left. A larger --time-budget leaves more.")
        return None
    deadline = Deadline.after(MOST_S if ctx.budget.unlimited else SHARE * spare)
    by_id = {r.spec.id: r for r in results}
    answers = _answers(problem, ensemble, results, deadline)
    if answers is None:
        return None
    rng, speed = np.random.default_rng(problem.setup.plan.seed), _speed(ctx, ensemble, by_id)
    shown: list[ShownExample] = []
    places: list[int] = []
    notes: list[str] = []
    update: dict[str, Any] = {}
    for column, kind in columns:
        found, at = _chosen(problem, answers, column, kind, rng)
        if kind is ColumnKind.IMAGE and found:
            hurried = looks_seconds(speed) > deadline.left()
            found, made = _with_pictures(ctx, problem, ensemble, by_id, answers, found, at, hurried)
            notes += made.pop("notes")
            update |= made
        if kind is ColumnKind.SERIES and found:
            rows = STEPS_SHARE * speed.rows(deadline.left())
            with ctx.guard("Finding the parts of series that decide"):
                found, note = with_step_effects(problem, ensemble, by_id, answers.codes, found, at, rows)
                notes += [note] if note else []
        shown += found
        places += at
    words: list[WordEffects] = []
    for column, kind in columns:
        if kind is not ColumnKind.TEXT:
            continue
        most = int(TEXTS_SHARE * speed.rows(deadline.left()))
        if most < LEAST_TEXTS:
            notes.append("Which words decide was not found out: no time was left.")
            continue
        with ctx.guard("Finding the words that decide"):
            words += _words(problem, ensemble, by_id, column, most, deadline)
    return Examples(shown=tuple(shown), words=tuple(words), notes=tuple(notes), **update) if shown or words else None


def _speed(ctx: RunContext, ensemble: Ensemble, by_id: dict[str, TrialResult]) -> Speed:
    """How quickly the members answer together: measured, else as their trials tell."""
    if ctx.answers is not None:
        return ctx.answers
    costs = [cost for m in ensemble.members if (cost := by_id[m.trial_id].cost) is not None]
    return Speed(sum(c.row_s or 0.0 for c in costs), sum(c.predict_ms_per_row for c in costs) / 1000.0)


def _answers(
    problem: Problem, ensemble: Ensemble, results: Sequence[TrialResult], deadline: Deadline
) -> _Answers | None:
    """By the predictions of the members as the leaderboard has them; None if one is missing."""
    from autodl.decision import decide
    from autodl.ensemble import combine
    from autodl.quantiles import point
    from autodl.scoring import all_folds
    from autodl.stages.limiting import as_delivered

    plan, folder = problem.setup.plan, problem.delivery.folder
    ids = [m.trial_id for m in ensemble.members]
    members = [r for r in results if r.spec.id in ids]
    if any(r.test is None for r in members):
        return None
    predict = as_delivered(problem, ensemble, results, deadline) or (lambda r, _: all_folds(r, folder))
    prediction = combine(ensemble, {r.spec.id: predict(r, ids) for r in members})
    if plan.classes:
        return _Answers(prediction, decide(prediction, ensemble.threshold, ensemble.factors))
    return _Answers(point(prediction, plan.quantiles) if plan.quantiles else prediction, None)


def _chosen(
    problem: Problem, answers: _Answers, column: str, kind: ColumnKind, rng: np.random.Generator
) -> tuple[list[ShownExample], list[int]]:
    """Examples of a column, rightly answered ones first, and their positions among the test rows."""
    from autodl.explain.choosing import choose_rows
    from autodl.explain.showing import shown_cell, usable
    from autodl.profiling.words import plain_number

    cells, y, classes = problem.setup.data.test_frame[column], problem.y_test, problem.setup.plan.classes
    there = usable(cells, kind)
    most = MOST_OF_EACH[kind]
    right, wrong = choose_rows(y, answers.prediction, answers.codes, there, most=most, rng=rng)
    found = []
    for place in (*right, *wrong):
        true, said, sure = plain_number(float(y[place])), "", None
        if answers.codes is None:
            said = plain_number(float(answers.prediction[place]))
        else:
            code = int(answers.codes[place])
            true, said, sure = classes[int(y[place])], classes[code], float(answers.prediction[place, code])
        example = ShownExample(
            row=int(problem.test_row_numbers[place]), column=column, kind=OBJECTS[kind], right=place in right,
            true=true, predicted=said, confidence=sure,
        )  # fmt: skip
        found.append(shown_cell(example, cells, place))
    return found, [*right, *wrong]


def _with_pictures(
    ctx: RunContext,
    problem: Problem,
    ensemble: Ensemble,
    by_id: dict[str, TrialResult],
    answers: _Answers,
    shown: list[ShownExample],
    places: list[int],
    hurried: bool,
) -> tuple[list[ShownExample], dict[str, Any]]:
    """The examples with the rows of their pictures, and the arrays for the record."""
    from autodl.explain.showing import small_pictures

    folder, column = problem.delivery.folder, shown[0].column
    pictures = small_pictures(problem.setup.data.test_frame[column].array.batch, places)
    shown = [e.model_copy(update={"picture": i}) for i, e in enumerate(shown)]
    made: dict[str, Any] = {"pictures": folder.write_array("examples/pictures.npy", pictures), "notes": []}
    with ctx.guard("Finding out where the network looks"):
        heats, name = _heats(problem, ensemble, by_id, answers, column, places, hurried)
        if heats is not None:
            made |= {"heats": folder.write_array("examples/heats.npy", heats), "heat_model": name}
            shown = [e.model_copy(update={"heat": i}) for i, e in enumerate(shown)]
        elif name:
            made["notes"] = [f"Where {name} looks was not found out: no time was left."]
        else:
            made["notes"] = [
                "Where the model looks is not shown: it sees numbers made of each image beforehand, not the image."
            ]
    return shown, made


def _heats(
    problem: Problem,
    ensemble: Ensemble,
    by_id: dict[str, TrialResult],
    answers: _Answers,
    column: str,
    places: list[int],
    hurried: bool,
) -> tuple[NDArray[Any] | None, str]:
    """Where the heaviest network over images looks, by its model of the last fold, and its name; empty if none.

    If ``hurried`` only its name.
    """
    from autodl.explain.grad_cam import grad_cam
    from autodl.model import load_model
    from autodl.models.base import families
    from autodl.models.nn.image_estimator import ImageNetwork
    from autodl.quantiles import MIDDLE

    folder = problem.delivery.folder
    names = trial_names([r.spec for r in by_id.values()])
    for member in sorted(ensemble.members, key=lambda m: -m.weight):
        if Modality.IMAGE not in families[member.family].modalities or not folder.has_models(by_id[member.trial_id]):
            continue
        model = load_model(folder, by_id[member.trial_id].models[-1])
        if not isinstance(model.estimator, ImageNetwork):
            continue
        if hurried:
            return None, names[member.trial_id]
        levels = model.estimator.meta.quantiles or (MIDDLE,)
        middle = np.full(len(places), np.abs(np.array(levels) - MIDDLE).argmin(), np.int64)
        codes = middle if answers.codes is None else answers.codes[places].astype(np.int64)
        rows = problem.setup.data.test_frame.iloc[places]
        found = grad_cam(model.estimator, model.preparer.transform(rows), codes)
        return (found[column].astype(np.float16), names[member.trial_id]) if column in found else (None, "")
    return None, ""


def _words(
    problem: Problem,
    ensemble: Ensemble,
    by_id: dict[str, TrialResult],
    column: str,
    most: int,
    deadline: Deadline,
) -> list[WordEffects]:
    """The words that move the predictions of the positive class, or of numbers, in so many texts at most."""
    from autodl.explain.word_effects import MAX_TEXTS, word_effects
    from autodl.quantiles import point
    from autodl.scoring import one_fold_predictor

    predict = one_fold_predictor(ensemble, by_id, problem.delivery.folder)
    if predict is None:
        return []
    plan, frame = problem.setup.plan, problem.setup.data.test_frame
    k = len(plan.classes)
    usual = int(np.bincount(problem.y_test.astype(np.int64), minlength=k).argmax()) if k > 2 else 1
    output, outcome = (usual, plan.classes[usual]) if k else (None, "")

    def asked(rows: pd.DataFrame) -> NDArray[Any]:
        answer = predict(rows)
        return point(answer, plan.quantiles) if plan.quantiles else answer

    most = min(MAX_TEXTS, most)
    found = word_effects(asked, frame, column, output, outcome, seed=plan.seed, deadline=deadline, most=most)
    return [] if found is None else [found]
