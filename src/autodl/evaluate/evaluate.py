"""Everything that the test rows say, once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.effective_rows import effective_rows
from autodl.evaluate import curves, where_wrong
from autodl.evaluate.base import Metric, metrics
from autodl.evaluate.choose import metrics_for
from autodl.evaluate.coverage import quantile_check
from autodl.evaluate.inputs import Candidate, EvaluationInputs
from autodl.evaluate.intervals import interval
from autodl.evaluate.recommend import recommend
from autodl.evaluate.tests import compare_with
from autodl.records import Comparison, Curve, Evaluation, Interval, ModelScore, Residuals, Segment, Task

FEW_ROWS = 30
FEW_GROUPS = 10
FULL_SCORES = 5
"""Models, besides leader and baseline, that get every metric."""


def evaluate(inputs: EvaluationInputs) -> Evaluation:
    """Score all candidates on the test rows, test the leader against each, and find where it is wrong.

    The leader is the one that validation chose; nothing here re-chooses it. What is optional stops at
    ``inputs.deadline`` with a note: weak groups and the full metrics of the lesser models.

    Args:
        inputs: Predictions and targets.

    Raises:
        ValueError: If the leader or the baseline is not among the candidates, or shapes do not fit.
    """
    _check(inputs)
    metric, k = metrics[inputs.metric], inputs.n_classes
    y = inputs.y_test
    leader, baseline = inputs.candidate(inputs.leader), inputs.candidate(inputs.baseline)
    notes = _notes(inputs)
    others = [c for c in inputs.candidates if c.name != leader.name]
    comparisons = compare_with(
        metric, y, (leader.name, leader.seen_by(metric)), [(c.name, c.seen_by(metric)) for c in others], k,
        seed=inputs.seed, weight=inputs.weight, group=inputs.group,
    )  # fmt: skip
    recommended, why = recommend(metric, y, inputs.candidates, leader, baseline, comparisons, k)
    models = _models(inputs, metric, leader, baseline, comparisons, {recommended}, notes)
    test = models[0].test
    assert test is not None
    segments, n_groups = _segments(inputs, metric, leader, notes)
    if not segments and n_groups:
        notes.append(f"None of {n_groups} groups of at least {where_wrong.MIN_ROWS} rows is significantly worse.")
    drawn = _drawn(inputs, leader)
    return Evaluation(
        metric=metric.key,
        n_train=len(inputs.y_train),
        n_test=len(y),
        worth=_worth(inputs.weight),
        leader=leader.name,
        baseline=baseline.name,
        models=tuple(models),
        comparisons=tuple(sorted(comparisons, key=lambda c: c.difference)),
        recommended=recommended,
        recommended_why=why,
        classes=inputs.classes if k else (),
        segments=tuple(segments),
        mistakes=tuple(
            where_wrong.confident_mistakes(
                y,
                leader.prediction if k else leader.values,
                inputs.classes if k else (),
                answers=leader.answers if k else None,
                frame=inputs.test_frame,
                rows=inputs.row_numbers,
            )
        ),
        n_sure_mistakes=where_wrong.sure_mistakes(y, leader.prediction, leader.answers) if k else None,
        optimism=optimism(metric, leader.validation, test, inputs.n_validated or len(inputs.y_train)),
        notes=tuple(notes),
        **drawn,
    )


def _check(inputs: EvaluationInputs) -> None:
    names = [c.name for c in inputs.candidates]
    if len(set(names)) != len(names):
        raise ValueError(f"candidate names must be unique, but got {names}")
    levels = metrics[inputs.metric].levels
    wide = inputs.n_classes or len(levels)
    shape = (len(inputs.y_test), wide) if wide else (len(inputs.y_test),)
    if not len(inputs.y_test):
        raise ValueError("there are no test rows")
    for c in inputs.candidates:
        if c.prediction.shape != shape:
            raise ValueError(f"predictions of '{c.name}' must have the shape {shape}, but got {c.prediction.shape}")
        if c.levels != levels:
            raise ValueError(f"'{c.name}' must predict the quantiles {levels}, but predicts {c.levels}")
        if not np.isfinite(c.prediction).all():
            raise ValueError(f"predictions of '{c.name}' must be finite")


def _notes(inputs: EvaluationInputs) -> list[str]:
    notes, n = [], len(inputs.y_test)
    if n < FEW_ROWS:
        notes.append(
            f"Only {n} test rows: the intervals are wide, and their nominal coverage is not assured below {FEW_ROWS} "
            "rows."
        )
    if inputs.task is Task.CLASSIFICATION:
        sizes = np.bincount(inputs.y_test.astype(np.int64), minlength=inputs.n_classes)
        absent = [c for c, s in zip(inputs.classes, sizes, strict=True) if s == 0]
        rare = [c for c, s in zip(inputs.classes, sizes, strict=True) if 0 < s < 5]
        if absent:
            notes.append(f"No test row belongs to {_listed(absent)}: nothing is known about it from these rows.")
        if rare:
            notes.append(f"Fewer than 5 test rows belong to {_listed(rare)}: what is said about it is uncertain.")
    if inputs.group is not None and (n_groups := len(np.unique(inputs.group))) < n:
        notes.append((_stretches_told if inputs.stretches else _groups_told)(n, n_groups))
    if (worth := _worth(inputs.weight)) is not None:
        notes.append(_weights_told(n, worth, inputs.task))
    if any(c.early_stopped for c in inputs.candidates):
        notes.append(
            "Boosted trees and networks chose their length on the same validation rows that score them, so their "
            "validation scores are slightly flattering; the held-back rows are not touched by that."
        )
    return notes


def _worth(weight: NDArray[Any] | None) -> float | None:
    """Effective number of rows; None where all count alike."""
    if weight is None or np.ptp(weight) == 0:
        return None
    return effective_rows(weight)


def _weights_told(n: int, worth: float, task: Task) -> str:
    rows = round(worth)
    classes = task is Task.CLASSIFICATION
    drawn = "the confusion table and the curves of what a cut finds" if classes else "the drawings of errors"
    also = " and in how honest the probabilities are" if classes else ""
    return (
        f"The rows count by their weights in all scores, intervals and tests{also}; {drawn} count each row once. "
        f"Since the weights differ, the {n:,} test rows tell about as much as {rows:,} "
        f"row{'' if rows == 1 else 's'} of equal weight."
    )


def _groups_told(n: int, n_groups: int) -> str:
    if n_groups == 1:
        return (
            f"All {n:,} test rows belong to one group: intervals and tests are about further rows of it, and how far "
            "they are typical of other groups is not known."
        )
    return (
        f"The {n:,} test rows come from {n_groups:,} groups. Rows of a group are alike, so intervals and tests treat "
        f"each group as one draw.{_few_told(n_groups)}"
    )


def _stretches_told(n: int, n_stretches: int) -> str:
    if n_stretches == 1:
        return (
            f"The {n:,} test rows are too few, or of too few times, to tell how times differ: intervals and tests "
            "are about further rows of these times, and how far they are typical of other times is not known."
        )
    return (
        f"The {n:,} test rows span {n_stretches:,} stretches of time. Rows near in time are alike, so intervals and "
        f"tests treat each stretch as one draw.{_few_told(n_stretches)}"
    )


def _few_told(n_draws: int) -> str:
    return f" {n_draws} are few: take the intervals as a rough guide." if n_draws < FEW_GROUPS else ""


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"'{n}'" for n in names[:5])
    return f"{shown} and {len(names) - 5} more classes" if len(names) > 5 else shown


def _models(
    inputs: EvaluationInputs,
    metric: Metric,
    leader: Candidate,
    baseline: Candidate,
    comparisons: list[Comparison],
    more: set[str],
    notes: list[str],
) -> list[ModelScore]:
    y, k, sign = inputs.y_test, inputs.n_classes, 1.0 if metric.greater_is_better else -1.0
    score = {c.name: metric.score(y, c.seen_by(metric), k, inputs.weight) for c in inputs.candidates}
    ranked = sorted(inputs.candidates, key=lambda c: (c.name != leader.name, -sign * score[c.name], c.name))
    full = {leader.name, baseline.name} | more | {c.name for c in ranked[: 1 + FULL_SCORES]}
    tied = {c.b for c in comparisons if c.verdict == "tie"} | {leader.name}
    shown = [metric] + [m for m in metrics_for(inputs.task, k, y) if m.key != metric.key]
    out, cut = [], False
    for c in ranked:
        own = [metric]
        if c.name in full and (c.name == leader.name or not inputs.deadline.passed()):
            own = shown
        cut = cut or (c.name in full and len(own) < len(shown))
        scores = {
            m.key: interval(m, y, c.seen_by(m), k, seed=inputs.seed, weight=inputs.weight, group=inputs.group)
            for m in own
        }
        out.append(
            ModelScore(
                name=c.name, trial_id=c.trial_id, family=c.family, validation=c.validation, test=scores[metric.key],
                metrics=scores, fit_s=c.fit_s, predict_ms_per_row=c.predict_ms_per_row, size_bytes=c.size_bytes,
                tied_with_leader=c.name in tied, weight=c.weight, n_trials=c.n_trials,
                row_ms=c.row_ms, within_limits=c.within_limits,
            )
        )  # fmt: skip
    if cut:
        notes.append("The time ran out before every metric of the other models was computed.")
    return out


def _segments(
    inputs: EvaluationInputs, metric: Metric, leader: Candidate, notes: list[str]
) -> tuple[list[Segment], int]:
    if inputs.test_frame is None or len(inputs.y_test) < 2 * where_wrong.MIN_ROWS:
        return [], 0
    used = where_wrong.segment_metric(metric, inputs.n_classes)
    found = where_wrong.weak_segments(
        used, inputs.y_test, leader.seen_by(used), inputs.test_frame, inputs.n_classes,
        schema=inputs.schema, seed=inputs.seed, deadline=inputs.deadline, weight=inputs.weight, group=inputs.group,
    )  # fmt: skip
    if inputs.deadline.passed():
        notes.append("The time ran out before all groups of rows were looked at.")
    n, most = len(inputs.y_test), where_wrong.MAX_TEST_ROWS
    if n > most and found[1]:
        notes.append(
            f"Groups of rows where the model is worse were looked for in {most:,} of the {n:,} test rows, drawn at "
            "random: the rows and scores told of groups are those of the sample."
        )
    return found


def _drawn(inputs: EvaluationInputs, leader: Candidate) -> dict[str, Any]:
    """What is drawn of the leader: confusion and curves, or residuals."""
    y, prediction, k = inputs.y_test, leader.prediction, inputs.n_classes
    if not k:
        drawn: Residuals = where_wrong.residuals(
            y, leader.values, inputs.y_train,
            seed=inputs.seed, weight=inputs.weight, weight_train=inputs.weight_train, group=inputs.group,
        )  # fmt: skip
        if not leader.levels:
            return {"residuals": drawn}
        check = quantile_check(
            y, prediction, leader.levels, inputs.y_train,
            seed=inputs.seed, weight=inputs.weight, weight_train=inputs.weight_train, group=inputs.group,
        )  # fmt: skip
        return {"residuals": drawn, "quantiles": check}
    hard = curves.hardest_classes(y, prediction)
    roc = [curves.roc_curve(y, prediction, c, inputs.classes[c]) for c in hard]
    pr = [curves.pr_curve(y, prediction, c, inputs.classes[c]) for c in hard]
    label = inputs.classes[1] if k == 2 else "most probable class"
    shares = np.bincount(y.astype(np.int64), weights=inputs.weight, minlength=k)
    usual = int(shares.argmax())
    calibration: tuple[Curve, ...] = (
        curves.calibration_curve(y, prediction, label, weight=inputs.weight, group=inputs.group),
    )
    return {
        "usual": inputs.classes[usual],
        "usual_share": float(shares[usual] / shares.sum()),
        "confusion": curves.confusion_table(y, leader.answers, k),
        "roc": tuple(c for c in roc if c is not None),
        "pr": tuple(c for c in pr if c is not None),
        "calibration": calibration,
        "calibration_error": curves.calibration_error(
            y, prediction, seed=inputs.seed, weight=inputs.weight, group=inputs.group
        ),
    }


def optimism(metric: Metric, validation: float | None, test: Interval, n_validation: int) -> Interval | None:
    """How much better the validation score looked than the test score, in the metric's direction.

    The interval is that of the test score, turned and widened by ``sqrt(1 + n_test / n_validation)`` because the
    validation score varies too (its spread is taken to be the test score's, scaled by the rows).

    Args:
        metric: Of both scores.
        validation: Out-of-fold score; None gives None.
        test: The test score.
        n_validation: Rows behind the validation score.
    """
    if validation is None or not all(map(math.isfinite, (validation, test.low, test.high))):
        return None
    widen = math.sqrt(1 + test.n / max(1, n_validation))
    below, above = (test.value - test.low) * widen, (test.high - test.value) * widen
    if metric.greater_is_better:
        value, low, high = validation - test.value, -above, below
    else:
        value, low, high = test.value - validation, -below, above
    return Interval(value=value, low=value + low, high=value + high, n=test.n, level=test.level, method=test.method)
