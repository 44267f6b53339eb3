"""How often the truth lies below each quantile and in each interval. Notation: n test rows, Q levels, q (n, Q)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.evaluate.bounds import mean_loss_bounds, wilson
from autodl.evaluate.grouped import group_numbers, mean_bounds_of_groups, share_bounds_of_groups
from autodl.evaluate.weighted import ratio_bounds, share_bounds
from autodl.quantiles import central_intervals, point
from autodl.records import Interval, IntervalCheck, LevelCheck, QuantileCheck, QuantileRows

Array = NDArray[Any]
DRAWN = 300


def quantile_check(
    y: Array,
    q: Array,
    levels: Sequence[float],
    y_train: Array,
    *,
    seed: int,
    weight: Array | None = None,
    weight_train: Array | None = None,
    group: Array | None = None,
) -> QuantileCheck:
    """Shares with Wilson's intervals, widths with bootstrap ones, and rows to draw.

    Args:
        y: (n,) true values. q: (n, Q) predictions, ascending in each row. levels: Q levels.
        y_train: (m,) known values, whose own quantiles are the guess to compare with.
        seed: Of the bootstrap.
        weight: (n,) how much each test row counts; all alike if None.
        weight_train: (m,) the same of the known values.
        group: (n,) test rows of the same number were drawn together; each for itself if None.
    """
    group = group_numbers(group)
    w = None if weight is None else weight / weight.mean()
    checks = tuple(LevelCheck(level=t, below=_share(y <= q[:, j], w, group)) for j, t in enumerate(levels))
    pairs = central_intervals(levels)
    found = []
    for a, b in pairs:
        ends = [levels[a], levels[b]]
        if weight_train is None:
            low, high = np.quantile(y_train, ends)
        else:
            low, high = np.quantile(y_train, ends, weights=weight_train, method="inverted_cdf")
        found.append(
            IntervalCheck(
                low=levels[a],
                high=levels[b],
                held=_share((q[:, a] <= y) & (y <= q[:, b]), w, group),
                width=_width(q[:, b] - q[:, a], seed, w, group),
                guess_width=float(high - low),
            )
        )
    rows = _drawn(y, q, levels, pairs[0]) if pairs else None
    return QuantileCheck(levels=checks, intervals=tuple(found), rows=rows)


def _share(inside: Array, weight: Array | None, group: Array | None) -> Interval:
    n, hits = len(inside), int(inside.sum())
    if group is not None:
        w = np.ones(n) if weight is None else weight
        low, high = share_bounds_of_groups(inside.astype(np.float64), w, group, 0.95)
        value = float(np.average(inside, weights=weight))
        return Interval(value=value, low=min(low, value), high=max(high, value), n=n, method="Wilson, groups")
    if weight is not None:
        low, high = share_bounds(inside.astype(np.float64), weight, 0.95)
        value = float(np.average(inside, weights=weight))
        return Interval(value=value, low=min(low, value), high=max(high, value), n=n, method="Wilson, weighted")
    low, high = wilson(hits, n)
    return Interval(value=hits / n, low=low, high=high, n=n, method="Wilson")


def _width(width: Array, seed: int, weight: Array | None, group: Array | None) -> Interval:
    mean = float(np.average(width, weights=weight))
    if len(width) < 2:
        return Interval(value=mean, low=mean, high=mean, n=len(width), method="none: one row")
    if group is not None:
        w = np.ones(len(width)) if weight is None else weight
        low, high, method = mean_bounds_of_groups(width, w, group, seed, 1000, 0.95)
    elif weight is not None:
        low, high, method = ratio_bounds(width, weight, seed, 1000, 0.95)
    else:
        low, high, method = mean_loss_bounds(width, seed, 1000, 0.95)
    return Interval(value=mean, low=min(low, mean), high=max(high, mean), n=len(width), method=method)


def _drawn(y: Array, q: Array, levels: Sequence[float], ends: tuple[int, int]) -> QuantileRows:
    middle = point(q, levels)
    order = np.argsort(middle, kind="stable")
    if len(order) > DRAWN:
        order = order[np.linspace(0, len(order) - 1, DRAWN).astype(int)]

    def listed(values: Array) -> tuple[float, ...]:
        return tuple(float(v) for v in values[order])

    return QuantileRows(true=listed(y), point=listed(middle), low=listed(q[:, ends[0]]), high=listed(q[:, ends[1]]))
