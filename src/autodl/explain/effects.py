"""Partial dependence (Friedman 2001, eq. 47): the mean prediction when a column is set to a value in every row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autodl.explain.permutation import BATCH_ROWS
from autodl.records import ColumnKind, EffectPoint
from autodl.shortening import shorten, shorten_apart

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
N_POINTS = 10
FEW_VALUES = 3
"""With fewer quantiles an effect is hardly to be seen."""
N_CATEGORIES = 8
MONOTONE = 0.8
"""Least absolute rank correlation of value and effect for "higher" to mean anything."""
LONGEST_NAME = 32
"""Characters of a column, class or value in the words for an effect."""


def grid(column: pd.Series[Any], kind: ColumnKind) -> list[EffectPoint]:
    """The values to set (``prediction`` still 0): quantiles of numbers and dates, the most frequent categories."""
    from autodl.profiling.words import moments, plain_number

    known = column.dropna()
    if not len(known):
        return []
    if kind is ColumnKind.BOOLEAN:
        return [
            EffectPoint(value=word, number=number, prediction=0.0)
            for word, number in (("no", 0.0), ("yes", 1.0))
            if (known == number).any()
        ]
    if kind in (ColumnKind.NUMERIC, ColumnKind.DATETIME):
        values = np.unique(known.to_numpy())
        if len(values) > N_POINTS:
            # Whole quantiles are values that occur; the outer 5 % are left out, where models extrapolate.
            ordered = np.sort(known.to_numpy())
            places = np.linspace(0.05, 0.95, N_POINTS) * (len(ordered) - 1)
            distinct, values = values, np.unique(ordered[places.round().astype(int)])
            if len(values) < FEW_VALUES:  # most rows hold one value, such as 0: the others show what it does
                inner = np.linspace(0.05, 0.95, N_POINTS - len(values)) * (len(distinct) - 1)
                values = np.union1d(values, distinct[inner.round().astype(int)])
        if kind is ColumnKind.DATETIME:
            return [EffectPoint(value=word, prediction=0.0) for word in moments(values)]
        return [EffectPoint(value=plain_number(float(v)), number=float(v), prediction=0.0) for v in values]
    if kind is ColumnKind.CATEGORICAL:
        top = known.astype(str).value_counts().index[:N_CATEGORIES]
        return [EffectPoint(value=str(v), prediction=0.0) for v in top]
    return []


def partial_dependence(
    predict: Callable[[pd.DataFrame], Array],
    frame: pd.DataFrame,
    column: str,
    kind: ColumnKind,
    output: int | None,
) -> tuple[EffectPoint, ...]:
    """The effect of one column.

    Args:
        predict: Frame of n rows -> (n, K) or (n,).
        frame: (n rows) to average over.
        column: Its name. kind: its kind; free text, IDs and constants have no effect to draw.
        output: Class to speak of; None for regression.

    Returns:
        At most 10 points (8 categories) with the mean prediction; empty if fewer than two values occur.
    """
    import pandas as pd

    points = grid(frame[column], kind)
    if len(points) < 2:
        return ()
    n = len(frame)
    step = max(1, BATCH_ROWS // n)
    means: list[float] = []
    for start in range(0, len(points), step):
        part = points[start : start + step]
        rows = np.tile(np.arange(n), len(part))
        copies = pd.DataFrame({c: frame[c].array.take(rows) for c in frame.columns})
        values: list[Any] = [p.number if p.number is not None else p.value for p in part]
        if kind is ColumnKind.DATETIME:
            copies[column] = np.repeat(np.array(values, dtype="datetime64[ns]"), n)
        else:
            copies[column] = pd.Series(np.repeat(np.array(values, dtype=object), n)).astype(frame[column].dtype)
        predicted = predict(copies)
        chosen = predicted if output is None else predicted[:, output]
        means.extend(float(v) for v in chosen.reshape(len(part), n).mean(axis=1))
    return tuple(p.model_copy(update={"prediction": m}) for p, m in zip(points, means, strict=True))


def direction(column: str, kind: ColumnKind, effect: tuple[EffectPoint, ...], outcome: str | None) -> str:
    """The effect in words; empty where it is flat or goes up and down.

    Args:
        column: Its name. kind: its kind.
        effect: From ``partial_dependence``.
        outcome: The class spoken of; None for regression.
    """
    column, outcome = shorten(column, LONGEST_NAME), None if outcome is None else shorten(outcome, LONGEST_NAME)
    heights = np.array([p.prediction for p in effect])
    if len(effect) < 2 or np.ptp(heights) <= 1e-9 * max(1.0, float(np.abs(heights).max())):
        return ""
    up, down = ("a higher prediction", "a lower prediction")
    if outcome is not None:
        up, down = f"more likely '{outcome}'", f"less likely '{outcome}'"
    if kind is ColumnKind.BOOLEAN:
        return f"{column} = yes: {up if heights[-1] > heights[0] else down}"
    if kind is ColumnKind.CATEGORICAL:
        short = shorten_apart([p.value for p in effect], LONGEST_NAME)
        top, bottom = short[effect[int(heights.argmax())].value], short[effect[int(heights.argmin())].value]
        least = "least likely" if outcome is not None else "lowest prediction"
        most = f"most likely '{outcome}'" if outcome is not None else "highest prediction"
        return f"{most} for '{top}', {least} for '{bottom}'"
    trend = _trend(heights)
    if abs(trend) < MONOTONE:
        return ""
    more = "later" if kind is ColumnKind.DATETIME else "higher"
    return f"{more} {column}: {up if trend > 0 else down}"


def _trend(heights: Array) -> float:
    """Rank correlation of place and height, from -1 to 1.

    Trees give steps: equal heights share their rank, and an effect that never turns back is a full trend.
    """
    from autodl.profiling.stats import ranks

    level = np.round((heights - heights.min()) / np.ptp(heights), 6)
    steps = np.diff(level)
    if (steps >= 0).all() or (steps <= 0).all():
        return float(np.sign(steps.sum()))
    return float(np.corrcoef(np.arange(len(level)), ranks(level))[0, 1])
