"""What drives the predictions: importances with intervals, and the effects of the strongest columns."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.decision import HALF, decided
from autodl.evaluate.base import Metric
from autodl.explain.effects import LONGEST_NAME, N_POINTS, direction, partial_dependence
from autodl.explain.order import likely_order
from autodl.explain.permutation import BATCH_ROWS, permutation_importance, shuffled_alone
from autodl.explain.speed import Speed, measure_speed
from autodl.quantiles import point
from autodl.records import ColumnKind, EffectPoint, Explanation, Importance, TableSchema
from autodl.shortening import shorten_apart

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
N_EFFECTS = 6
EFFECT_ROWS = 500
GOOD_ROWS, FEWEST_ROWS = 300, 50
"""Rows that a second shuffle is given up for, and below which importances say too little."""
CALLS = 6
"""Of the model for the importances, about: what is left is shared out among a few large batches."""
PROBE_SHARE = 0.1
"""Of the time, for finding out how long predictions take."""
MARGIN = 1.25
"""A full explanation takes longer than its predictions, the first batches of which are small."""
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
    group: Array | None = None,
    speed: Speed | None = None,
) -> Explanation | None:
    """Explain a model on rows that it was not trained on; None if not even the least can be done by the deadline.

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
        deadline: What is not done by then is left out, and the note says so. With it, a few predictions are timed
            first, and fewer rows are looked at where they take long.
        weight: (n,) how much each row counts; all alike if None.
        group: (n,) rows of the same number were drawn together; each for itself if None.
        speed: How long predictions take, if that is known; timed if None.
    """
    rng = np.random.default_rng(seed)
    k = len(classes)
    # Of all rows, as the report names the usual class, not of those that are drawn.
    spoken = _class_spoken_of(y, k, weight)
    together = steps_of_series(schema, frame)
    n_columns = len(shuffled_alone(list(frame.columns), together))
    if math.isfinite(deadline.at):
        speed = speed or measure_speed(predict, frame, PROBE_SHARE * deadline.left())
        max_rows = affordable_rows(speed, n_columns, IMPORTANCE_SHARE * deadline.left(), max_rows)
        if not max_rows:
            return None
    if len(frame) > max_rows:
        pick = np.sort(rng.choice(len(frame), size=max_rows, replace=False))
        frame, y = frame.iloc[pick], y[pick]
        weight = None if weight is None else weight[pick]
        group = None if group is None else group[pick]
    frame = frame.reset_index(drop=True)
    now = time.monotonic()
    share = Deadline(now + IMPORTANCE_SHARE * (deadline.at - now))

    def answer(rows: pd.DataFrame) -> Array:
        return decided(predict(rows), threshold, factors)

    # Effects speak of probabilities; the loss of a metric that counts decisions is that of the answers.
    judged = answer if metric.needs == "label" and (threshold != HALF or factors) else predict
    texts = schema.of_kind(ColumnKind.TEXT)
    found = permutation_importance(
        judged, frame, y, metric, k, n_repeats=n_repeats, rng=rng, deadline=share, weight=weight, group=group,
        first=likely_order(frame, y, k, seed, texts) if math.isfinite(deadline.at) else (), together=together,
    )  # fmt: skip

    def number(rows: pd.DataFrame) -> Array:
        return point(predict(rows), metric.levels)

    spoken_of = number if metric.levels else predict
    # What cannot be told from no effect gets no words, and no chart, unless that holds for all: then one at most.
    sure = [c for c, (_, low, _) in found.by_column.items() if low > 0]
    drawn = sure or list(found.by_column)[:1]
    effects, dropped = _effects(spoken_of, frame, schema, drawn, spoken, rng, deadline, speed)
    outcome = classes[spoken] if spoken is not None else None
    named = None if outcome is None else shorten_apart(classes, LONGEST_NAME)[outcome]
    kinds = {c.name: c.kind for c in schema.columns}
    importances = tuple(
        Importance(
            column=c, drop=mean, low=low, high=high, effect=effects.get(c, ()),
            direction=direction(c, kinds[c], effects[c], named) if c in effects and low > 0 else "",
        )
        for c, (mean, low, high) in found.by_column.items()
    )  # fmt: skip
    missing = n_columns - len(importances)
    note = _note(found.cut, missing, len(importances), found.n_repeats, n_repeats, dropped, bool(together))
    return Explanation(
        metric=metric.key, model=model_name, n_rows=len(frame), n_repeats=found.n_repeats,
        n_columns=n_columns, importances=importances,
        positive_class=outcome, note=note,
    )  # fmt: skip


def steps_of_series(schema: TableSchema, frame: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Column of series -> the columns beside it that are its steps: to the model they say the same.

    Args:
        schema: Of the columns. frame: Canonical feature columns.
    """
    found = {}
    for column in schema.columns:
        rule = column.parse.series
        if rule is not None and rule.id_column is None and rule.columns and column.name in frame.columns:
            found[column.name] = frozenset(rule.columns)
    return found


def affordable_rows(speed: Speed, columns: int, seconds: float, most: int) -> int:
    """Rows on which the importances of all columns can be measured in time; 0 if there is none even for one.

    Rather two shuffles of each column than many rows, rather one than fewer than ``GOOD_ROWS``, and rather some of
    the columns than fewer than ``FEWEST_ROWS``.

    Args:
        speed: Of the predictions. columns: p. seconds: For all of them. most: Rows at most.
    """

    def fitting(shuffles: float) -> int:
        copies = 1 + shuffles * columns
        # A call takes as many copies as fit into a batch, and not more than a quarter of what is left.
        return int(speed.rows(seconds, calls=min(copies, CALLS)) / copies)

    for shuffles, least in ((2.0, GOOD_ROWS), (1.0, FEWEST_ROWS)):
        if fitting(shuffles) >= min(least, most):
            return min(most, fitting(shuffles))
    return min(most, FEWEST_ROWS) if fitting(1.0 / columns) >= min(most, FEWEST_ROWS) else 0


def short_seconds(speed: Speed, rows: int, columns: int) -> float:
    """Seconds of an explanation with one shuffle of each column on at most ``GOOD_ROWS`` of the rows."""
    n = min(rows, GOOD_ROWS)
    return speed.seconds(n * (1.0 + columns), calls=min(1.0 + columns, CALLS)) / IMPORTANCE_SHARE


def full_seconds(speed: Speed, rows: int, columns: int, repeats: int) -> float:
    """Seconds of an explanation with all shuffles of each column on all of these rows, and all effects.

    Args:
        speed: Of the predictions. rows: n. columns: p. repeats: Shuffles of each column.
    """
    copies = 1 + repeats * columns
    importances = speed.seconds(rows * copies, calls=min(copies, max(CALLS, rows * copies / BATCH_ROWS)))
    drawn = min(columns, N_EFFECTS)
    effects = speed.seconds(drawn * N_POINTS * min(rows, EFFECT_ROWS), calls=drawn)
    return MARGIN * max(importances / IMPORTANCE_SHARE, importances + effects) / (1.0 - PROBE_SHARE)


def _class_spoken_of(y: Array, k: int, weight: Array | None) -> int | None:
    """The positive class for K = 2, else the most frequent one, by the weights; None for regression."""
    if k == 0:
        return None
    return 1 if k == 2 else int(np.bincount(y.astype(np.int64), weights=weight, minlength=k).argmax())


def _effects(
    predict: Callable[[pd.DataFrame], Array],
    frame: pd.DataFrame,
    schema: TableSchema,
    ordered: list[str],
    output: int | None,
    rng: np.random.Generator,
    deadline: Deadline,
    speed: Speed | None = None,
) -> tuple[dict[str, tuple[EffectPoint, ...]], int]:
    """Effects of the most important columns that can have one, and how many the time did not allow."""
    kinds = {c.name: c.kind for c in schema.columns}
    drawable = (ColumnKind.NUMERIC, ColumnKind.BOOLEAN, ColumnKind.CATEGORICAL, ColumnKind.DATETIME)
    chosen = [c for c in ordered if kinds.get(c) in drawable][:N_EFFECTS]
    most, last_s = EFFECT_ROWS, 0.0
    if speed is not None and chosen:
        fitting = speed.rows(deadline.left() / len(chosen)) / N_POINTS
        most = max(FEWEST_ROWS, min(EFFECT_ROWS, int(fitting)))
        last_s = speed.seconds(N_POINTS * min(most, len(frame)))
    if len(frame) > most:
        frame = frame.iloc[np.sort(rng.choice(len(frame), size=most, replace=False))].reset_index(drop=True)
    done: dict[str, tuple[EffectPoint, ...]] = {}
    for place, column in enumerate(chosen):
        if deadline.left() <= last_s:
            return done, len(chosen) - place
        began = time.monotonic()
        done[column] = partial_dependence(predict, frame, column, kinds[column], output)
        last_s = time.monotonic() - began
    return done, 0


def _note(cut: bool, missing: int, measured: int, repeats: int, wanted: int, dropped: int, series: bool) -> str:
    parts = ["Columns that say the same thing share their importance, so each may look unimportant alone."]
    if series:
        parts.append("A series is shuffled together with the columns that are its steps.")
    if missing:
        parts.append(f"The time ran out before {missing} of {missing + measured} columns could be measured.")
    elif cut:
        parts.append(f"The time allowed {repeats} of {wanted} shuffles of each column.")
    if dropped:
        effects = "effect of 1 column" if dropped == 1 else f"effects of {dropped} columns"
        parts.append(f"The time ran out before the {effects} could be drawn.")
    return " ".join(parts)
