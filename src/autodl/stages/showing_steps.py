"""Examples of series with what the parts of each series do to its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.records import Ensemble, TrialResult
from autodl.records.examples import ShownExample
from autodl.stages.problem import Problem

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


def with_step_effects(
    problem: Problem,
    ensemble: Ensemble,
    by_id: dict[str, TrialResult],
    codes: NDArray[Any] | None,
    shown: Sequence[ShownExample],
    places: Sequence[int],
    rows: float,
) -> tuple[list[ShownExample], str]:
    """The examples with the effects of their parts, and a sentence where that was left out.

    Args:
        problem: With the test rows. ensemble, by_id: The delivered models, by those of their last folds.
        codes: (n,) class codes answered; None for numbers.
        shown: Series of one column. places: their positions among the test rows.
        rows: That can be predicted in time.
    """
    from autodl.explain.step_effects import parts_in_time, step_effects
    from autodl.quantiles import point
    from autodl.scoring import one_fold_predictor

    column, plan = shown[0].column, problem.setup.plan
    if _also_columns(problem, column):
        return list(shown), ""
    parts = parts_in_time(rows, len(shown))
    predict = one_fold_predictor(ensemble, by_id, problem.delivery.folder) if parts else None
    if predict is None:
        return list(shown), "" if parts else "Which parts of a series decide was not found out: no time was left."

    def asked(frame: pd.DataFrame) -> NDArray[Any]:
        answer = predict(frame)
        return point(answer, plan.quantiles) if plan.quantiles else answer

    outputs = None if codes is None else [int(codes[place]) for place in places]
    found = step_effects(asked, problem.setup.data.test_frame, column, places, outputs, parts)
    rounded = [
        tuple(float(f"{v:.4g}") for v in effects[: min(parts, example.steps)])
        for example, effects in zip(shown, np.asarray(found), strict=True)
    ]
    return [e.model_copy(update={"moved": m}) for e, m in zip(shown, rounded, strict=True)], ""


def _also_columns(problem: Problem, column: str) -> bool:
    """Whether models also see the steps as columns of the table, where what is changed in the series would stay."""
    rule = problem.setup.data.schema[column].parse.series
    return rule is not None and bool(rule.columns) and rule.id_column is None
