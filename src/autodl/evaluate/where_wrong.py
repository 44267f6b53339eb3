"""Where the leader is wrong: weak groups, confident mistakes, residuals. Notation: n test rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.evaluate.base import Metric, metrics
from autodl.evaluate.influence import influence, standard_error
from autodl.evaluate.intervals import interval
from autodl.evaluate.metrics.regression import median
from autodl.evaluate.tests import holm
from autodl.records import ColumnKind, Interval, JsonScalar, Mistake, Residuals, Segment, TableSchema
from autodl.records.evaluation import SURE

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
MIN_ROWS = 30
MIN_DRAWS = 10
"""Where test rows were drawn in groups, those of a segment and the others must come from so many of them."""
MAX_COLUMNS = 40
MAX_GROUPS = 8
MAX_SEGMENTS = 8
MAX_TEST_ROWS = 15_000
"""Groups are searched in at most so many sampled rows: more would only make ever smaller gaps significant."""


_UNGROUPED = frozenset({ColumnKind.ID, ColumnKind.TEXT, ColumnKind.CONSTANT, ColumnKind.IMAGE, ColumnKind.SERIES})


def segment_metric(metric: Metric, n_classes: int) -> Metric:
    """The metric by which groups are compared: one that means the same in a small group as in all rows.

    Scores that depend on the mix of classes or on the spread of the target give way to accuracy and RMSE.
    """
    if metric.rows is not None or (metric.key == "roc_auc" and n_classes == 2):
        return metric
    return metrics["rmse" if n_classes == 0 else "accuracy"]


def _groups(frame: pd.DataFrame, schema: TableSchema | None) -> Iterator[tuple[str, str, Array]]:
    """(column, group in words, (n,) mask) of the most frequent categories and of number and date ranges."""
    import pandas as pd

    kinds = {c.name: c.kind for c in schema.columns} if schema is not None else {}
    names = [n for n in frame.columns if kinds.get(n) not in _UNGROUPED]
    for name in names[:MAX_COLUMNS]:
        column = frame[name]
        missing = column.isna().to_numpy()
        if MIN_ROWS <= missing.sum() <= len(column) - MIN_ROWS:
            yield str(name), "missing", missing
        if kinds.get(name) is ColumnKind.BOOLEAN:
            for word, number in (("no", 0), ("yes", 1)):
                yield str(name), word, (column == number).to_numpy()
            continue
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
            yield from _ranges(str(name), column, ~missing)
            continue
        counts = column[~missing].astype(str).value_counts()
        if len(counts) > max(50, len(column) // 4):
            continue
        words = column.astype(str).to_numpy()
        for value in counts.index[counts >= MIN_ROWS][:MAX_GROUPS]:
            yield str(name), str(value), (words == value) & ~missing


def _ranges(name: str, column: pd.Series[Any], present: Array) -> Iterator[tuple[str, str, Array]]:
    values = column.to_numpy()
    known = values[present]
    if len(known) < 2 * MIN_ROWS:
        return
    distinct = np.unique(known)
    if len(distinct) <= 6:
        for value, word in zip(distinct, _words(distinct), strict=True):
            yield name, word, present & (values == value)
        return
    n_bins = int(np.clip(len(known) // (2 * MIN_ROWS), 2, 5))
    edges = np.unique(np.sort(known)[(np.arange(1, n_bins) * len(known)) // n_bins])
    named = _words(edges)
    for i in range(len(edges) + 1):
        low = edges[i - 1] if i > 0 else None
        high = edges[i] if i < len(edges) else None
        mask = present.copy()
        if low is not None:
            mask[present] &= known >= low
        if high is not None:
            mask[present] &= known < high
        if low is None:
            words = f"below {named[i]}"
        else:
            words = f"{named[i - 1]} or more" if high is None else f"{named[i - 1]} to below {named[i]}"
        yield name, words, mask


def _words(values: Array) -> list[str]:
    from autodl.profiling.words import moments, plain_number

    return moments(values) if values.dtype.kind == "M" else [plain_number(float(v)) for v in values]


def weak_segments(
    metric: Metric,
    y: Array,
    prediction: Array,
    frame: pd.DataFrame,
    n_classes: int = 0,
    *,
    schema: TableSchema | None = None,
    seed: int,
    alpha: float = 0.05,
    deadline: Deadline = NEVER,
    weight: Array | None = None,
    group: Array | None = None,
) -> tuple[list[Segment], int]:
    """Groups of at least 30 rows with a worse score than the other rows, Holm-corrected over all groups looked at.

    Args:
        metric: Of the run; see ``segment_metric`` for the one used.
        y: (n,) targets. prediction: (n, K) or (n,). frame: (n rows) canonical columns; the first 40 are looked at.
        n_classes: K; 0 for regression.
        schema: Of the columns; IDs, free text and constants make no groups.
        seed: Of the intervals.
        alpha: Family-wise error.
        deadline: The search for groups stops there.
        weight: (n,) how much each row counts; all alike if None.
        group: (n,) rows of the same number were drawn together, and both sides need some; each for itself if None.

    Returns:
        At most 8 groups, worst first, and the number of groups tested.
    """
    from scipy.special import ndtr

    from autodl.evaluate.grouped import group_numbers

    if len(y) > MAX_TEST_ROWS:
        pick = np.sort(np.random.default_rng(seed).choice(len(y), size=MAX_TEST_ROWS, replace=False))
        y, prediction, frame = y[pick], prediction[pick], frame.iloc[pick]
        weight = None if weight is None else weight[pick]
        group = None if group is None else group[pick]
    group = group_numbers(group)
    used = segment_metric(metric, n_classes)
    sign = 1.0 if used.greater_is_better else -1.0
    found: list[tuple[str, str, Array, float, float]] = []
    seen: set[bytes] = set()
    for column, words, mask in _groups(frame, schema):
        if deadline.passed():
            break
        n = int(mask.sum())
        if not MIN_ROWS <= n <= len(y) - MIN_ROWS or (key := np.packbits(mask).tobytes()) in seen:
            continue
        seen.add(key)
        if n_classes == 2 and used.influence is not None and min(_rarest(y[mask]), _rarest(y[~mask])) < 5:
            continue
        if group is not None and min(len(np.unique(group[part])) for part in (mask, ~mask)) < MIN_DRAWS:
            continue
        inside, rest = (_score(used, y, prediction, part, n_classes, weight, group) for part in (mask, ~mask))
        gap, spread = sign * (rest[0] - inside[0]), math.hypot(inside[1], rest[1])
        p = float(2 * ndtr(-abs(gap) / spread)) if spread > 0 else 1.0
        found.append((column, words, mask, p, gap))
    corrected = holm([p for *_, p, _ in found]) if found else []
    weak = [(*f, q) for f, q in zip(found, corrected, strict=True) if f[4] > 0 and q < alpha]
    weak.sort(key=lambda f: (-f[4], f[0], f[1]))
    segments = [
        Segment(
            column=column, value=words, n=int(mask.sum()),
            score=interval(
                used, y[mask], prediction[mask], n_classes, seed=seed,
                weight=None if weight is None else weight[mask], group=None if group is None else group[mask],
            ),
            rest=used.score(
                y[~mask], prediction[~mask], n_classes, None if weight is None else weight[~mask]
            ), p_value=p, p_holm=q, metric=used.key,
        )
        for column, words, mask, p, _, q in weak[:MAX_SEGMENTS]
    ]  # fmt: skip
    return segments, len(found)


def _rarest(y: Array) -> int:
    return int(np.bincount(y.astype(np.int64), minlength=2)[:2].min())


def _score(
    metric: Metric, y: Array, prediction: Array, mask: Array, n_classes: int, weight: Array | None,
    group: Array | None,
) -> tuple[float, float]:  # fmt: skip
    """Score and standard error on the masked rows; a half row of error keeps pure groups from looking certain."""
    part, guess = y[mask], prediction[mask]
    w = None if weight is None else weight[mask]
    phi = influence(metric, part, guess, n_classes, w)
    assert phi is not None
    se = standard_error(phi, None if group is None else group[mask])
    if metric.counts is not None:
        n = float(len(part)) if w is None else float(w.sum() ** 2 / np.square(w).sum())
        p = (metric.score(part, guess, n_classes, w) * n + 1) / (n + 2)
        half_row = math.sqrt(p * (1 - p) / n)
        se = half_row if group is None else max(half_row, se)
    return metric.score(part, guess, n_classes, w), se


def confident_mistakes(
    y: Array,
    prediction: Array,
    classes: tuple[str, ...],
    *,
    answers: Array | None = None,
    frame: pd.DataFrame | None = None,
    rows: Array | None = None,
    most: int = 10,
) -> list[Mistake]:
    """The wrong answers with the highest stated probability, or the largest errors of a regression.

    Args:
        y: (n,) targets. prediction: (n, K) or (n,).
        classes: K names; empty for regression.
        answers: (n,) class codes; the most probable ones if None.
        frame: (n rows) columns shown with each mistake (at most 30).
        rows: (n,) row numbers in the file.
        most: How many.
    """
    from autodl.profiling.words import plain_number

    if classes:
        label = prediction.argmax(axis=1) if answers is None else answers
        size = np.where(label != y, prediction[np.arange(len(y)), label], -1.0)
    else:
        size = np.abs(prediction - y)
    order = [int(i) for i in np.argsort(-size, kind="stable")[:most] if size[i] > 0]
    out = []
    for i in order:
        if classes:
            true, said, sure = classes[int(y[i])], classes[int(label[i])], float(prediction[i, label[i]])
        else:
            true, said, sure = plain_number(float(y[i])), plain_number(float(prediction[i])), None
        values = {} if frame is None else {str(c): _cell(frame[c], i) for c in list(frame.columns)[:30]}
        number = i if rows is None else int(rows[i])
        out.append(Mistake(row=number, true=true, predicted=said, confidence=sure, values=values))
    return out


def sure_mistakes(y: Array, prediction: Array, answers: Array) -> int:
    """Wrong answers given with a stated probability of at least ``SURE``.

    Args:
        y: (n,) class codes. prediction: (n, K). answers: (n,) class codes.
    """
    stated = prediction[np.arange(len(y)), answers]
    return int(((answers != y) & (stated >= SURE)).sum())


def _cell(column: pd.Series[Any], row: int) -> JsonScalar:
    from autodl.media.array import MediaArray

    array = column.array
    return array.word(row) if isinstance(array, MediaArray) else _plain(column.iloc[row])


def _plain(value: Any) -> JsonScalar:
    """A table cell as JSON holds it; None where missing."""
    if value is None or value != value:
        return None
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        item = value.item()
        return item if isinstance(item, bool | int | float | str) else str(value)
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def residuals(
    y: Array,
    prediction: Array,
    y_train: Array,
    *,
    seed: int,
    most: int = 1000,
    weight: Array | None = None,
    weight_train: Array | None = None,
    group: Array | None = None,
) -> Residuals:
    """Errors of a regression: sampled rows, the typical error, and that of the training median.

    Args:
        y: (n,) true values. prediction: (n,).
        y_train: (m,) known values.
        seed: Of the sample and the interval.
        most: Rows sampled at most; the sample and the quantiles of its errors do not look at weights.
        weight: (n,) how much each row counts in the typical errors; all alike if None.
        weight_train: (m,) the same of the known values, for their median.
        group: (n,) rows of the same number were drawn together; each for itself if None.
    """
    pick = np.arange(len(y))
    if len(y) > most:
        pick = np.sort(np.random.default_rng(seed).choice(len(y), size=most, replace=False))
    error = prediction.astype(np.float64) - y
    typical: Interval = interval(metrics["median_ae"], y, prediction, seed=seed, weight=weight, group=group)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    return Residuals(
        true=tuple(float(v) for v in y[pick]), predicted=tuple(float(v) for v in prediction[pick]), typical=typical,
        typical_guess=median(np.abs(y - median(y_train, weight_train)), weight),
        quantiles={f"{q:g}": float(v) for q, v in zip(levels, np.quantile(error, levels), strict=True)},
    )  # fmt: skip
