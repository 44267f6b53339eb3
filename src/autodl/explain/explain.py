"""What drives the predictions: importances with intervals, and the effects of the strongest columns."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.decision import HALF, decided
from autodl.evaluate.base import Metric
from autodl.explain.effects import direction, partial_dependence
from autodl.explain.permutation import permutation_importance
from autodl.quantiles import point
from autodl.records import ColumnKind, EffectPoint, Explanation, Importance, TableSchema

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
N_EFFECTS = 6
EFFECT_ROWS = 500
IMPORTANCE_SHARE = 0.7
"""Share of the time for the importances; the effects get the rest."""


def explain(
    predict: Callable[[pd.DataFrame], Array],
    frame: pd.DataFrame,
    y: Array,
    *,
    metric: Metric,
    schema: TableSchema,
    classes: tuple[str, ...] = (),
    threshold: float = HALF,
    factors: tuple[float, ...] = (),
    model_name: str,
    max_rows: int = 2000,
    n_repeats: int = 5,
    seed: int,
    deadline: Deadline = NEVER,
    weight: Array | None = None,
) -> Explanation:
    """Explain a model on rows that it was not trained on.

    Args:
        predict: Frame of n rows -> (n, K) probabilities, (n, Q) quantiles or (n,) values.
        frame: (n rows) canonical feature columns. y: (n,) class codes or values.
        metric: Its loss is measured.
        schema: Kinds of the columns.
        classes: K names; empty for regression.
        threshold: For two classes: the answer is the second one from this probability on.
        factors: For more classes: what their probabilities are multiplied by before the largest wins.
        model_name: For the record.
        max_rows: Rows looked at, sampled.
        n_repeats: Shuffles of each column.
        seed: Of sampling and shuffles.
        deadline: What is not done by then is left out, and the note says so. At least one batch is measured.
        weight: (n,) how much each row counts; all alike if None.
    """
    rng = np.random.default_rng(seed)
    if len(frame) > max_rows:
        pick = np.sort(rng.choice(len(frame), size=max_rows, replace=False))
        frame, y = frame.iloc[pick], y[pick]
        weight = None if weight is None else weight[pick]
    frame = frame.reset_index(drop=True)
    now = time.monotonic()
    share = Deadline(now + IMPORTANCE_SHARE * (deadline.at - now))
    k = len(classes)

    def answer(rows: pd.DataFrame) -> Array:
        return decided(predict(rows), threshold, factors)

    # Effects speak of probabilities; the loss of a metric that counts decisions is that of the answers.
    judged = answer if metric.needs == "label" and (threshold != HALF or factors) else predict
    found = permutation_importance(
        judged, frame, y, metric, k, n_repeats=n_repeats, rng=rng, deadline=share, weight=weight
    )
    spoken = _class_spoken_of(y, k)

    def number(rows: pd.DataFrame) -> Array:
        return point(predict(rows), metric.levels)

    spoken_of = number if metric.levels else predict
    effects, dropped = _effects(spoken_of, frame, schema, list(found.by_column), spoken, rng, deadline)
    outcome = classes[spoken] if spoken is not None else None
    kinds = {c.name: c.kind for c in schema.columns}
    importances = tuple(
        Importance(
            column=c, drop=mean, low=low, high=high, effect=effects.get(c, ()),
            direction=direction(c, kinds[c], effects[c], outcome) if c in effects else "",
        )
        for c, (mean, low, high) in found.by_column.items()
    )  # fmt: skip
    missing = len(frame.columns) - len(importances)
    return Explanation(
        metric=metric.key, model=model_name, n_rows=len(frame), n_repeats=found.n_repeats, importances=importances,
        positive_class=outcome, note=_note(found.cut, missing, found.n_repeats, n_repeats, dropped),
    )  # fmt: skip


def _class_spoken_of(y: Array, k: int) -> int | None:
    """The positive class for K = 2, else the most frequent one; None for regression."""
    if k == 0:
        return None
    return 1 if k == 2 else int(np.bincount(y.astype(np.int64), minlength=k).argmax())


def _effects(
    predict: Callable[[pd.DataFrame], Array],
    frame: pd.DataFrame,
    schema: TableSchema,
    ordered: list[str],
    output: int | None,
    rng: np.random.Generator,
    deadline: Deadline,
) -> tuple[dict[str, tuple[EffectPoint, ...]], int]:
    """Effects of the most important columns that can have one, and how many the time did not allow."""
    if len(frame) > EFFECT_ROWS:
        frame = frame.iloc[np.sort(rng.choice(len(frame), size=EFFECT_ROWS, replace=False))].reset_index(drop=True)
    kinds = {c.name: c.kind for c in schema.columns}
    drawable = (ColumnKind.NUMERIC, ColumnKind.BOOLEAN, ColumnKind.CATEGORICAL, ColumnKind.DATETIME)
    chosen = [c for c in ordered if kinds.get(c) in drawable][:N_EFFECTS]
    done: dict[str, tuple[EffectPoint, ...]] = {}
    last_s = 0.0
    for place, column in enumerate(chosen):
        if deadline.left() <= last_s:
            return done, len(chosen) - place
        began = time.monotonic()
        done[column] = partial_dependence(predict, frame, column, kinds[column], output)
        last_s = time.monotonic() - began
    return done, 0


def _note(cut: bool, missing: int, repeats: int, wanted: int, dropped: int) -> str:
    parts = ["Columns that say the same thing share their importance, so each may look unimportant alone."]
    if missing:
        parts.append(f"The time ran out before {missing} of the columns could be measured.")
    elif cut:
        parts.append(f"The time allowed {repeats} of {wanted} shuffles of each column.")
    if dropped:
        parts.append(f"The time ran out before the effects of {dropped} columns could be drawn.")
    return " ".join(parts)
