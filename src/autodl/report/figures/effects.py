"""Small multiples: how the mean prediction moves with one column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autodl.records import ColumnKind, Explanation, Importance, TableSchema
from autodl.report import format as fmt
from autodl.report.elements import Column, Figure, Table
from autodl.report.figures.style import ACCENT, RULE, draw, plain_ticks
from autodl.report.text import clean, plain, shorten, shorten_apart, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_EFFECTS = 6
SIZE = (3.4, 2.1)


def effect_figures(e: Explanation, columns: TableSchema, probability: bool, target: str) -> tuple[Figure, ...]:
    """One figure for each of the leading columns with an effect; all share one vertical axis.

    Of columns without a measurable effect only the first is drawn, and only if there is no other.
    """
    every = [i for i in e.importances if len(i.effect) >= 2]
    shown = ([i for i in every if i.low > 0] or every[:1])[:MAX_EFFECTS]
    values = [p.prediction for i in shown for p in i.effect]
    if not values:
        return ()
    low, high = min(values), max(values)
    pad = 0.08 * (high - low) or abs(high) * 0.1 or 0.1
    limits = (low - pad, high + pad)
    what = shorten(e.positive_class or target, 24)
    kinds = {c.name: c.kind for c in columns.columns}
    names = shorten_apart((i.column for i in e.importances), 40)
    return tuple(
        _figure(i, names[clean(i.column)], kinds.get(i.column), k, limits, what, probability)
        for k, i in enumerate(shown)
    )


def _figure(
    i: Importance, name: str, kind: ColumnKind | None, k: int, limits: tuple[float, float], what: str,
    probability: bool,
) -> Figure:  # fmt: skip
    numeric = kind is not ColumnKind.BOOLEAN and all(p.number is not None for p in i.effect)

    def paint(ax: Axes) -> None:
        from matplotlib.dates import DAILY, AutoDateFormatter, AutoDateLocator
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        ys = [p.prediction for p in i.effect]
        if numeric:
            xs = [p.number or 0.0 for p in i.effect]
            ax.plot(xs, ys, color=ACCENT, marker="o", markersize=3)
            plain_ticks(ax.xaxis, xs, 4)
        elif kind is ColumnKind.DATETIME:
            dates = AutoDateLocator(minticks=2, maxticks=5)  # type: ignore[no-untyped-call]
            dates.maxticks[DAILY] = 4  # the longest labels
            ax.plot([np.datetime64(p.value) for p in i.effect], ys, color=ACCENT, marker="o", markersize=3)
            ax.xaxis.set_major_locator(dates)
            ax.xaxis.set_major_formatter(AutoDateFormatter(dates))  # type: ignore[no-untyped-call]
        else:
            room = 44 // len(ys)
            ax.plot(range(len(ys)), ys, color=ACCENT, marker="o", markersize=5, linestyle="none")
            ax.grid(axis="y", color=RULE, linewidth=0.6)
            short = shorten_apart((p.value for p in i.effect), max(8, room))
            ax.set_xticks(range(len(ys)), [short[clean(p.value)] for p in i.effect])
            if room < 9:
                for label in ax.get_xticklabels():
                    label.set(rotation=35, ha="right", rotation_mode="anchor")
            ax.set_xlim(-0.6, len(ys) - 0.4)
        ax.set_ylim(*limits)
        if probability:
            ax.yaxis.set_major_locator(MaxNLocator(4))
            ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: fmt.number(100 * v, 3)))
        else:
            plain_ticks(ax.yaxis, limits, 4)
        ax.set_ylabel(f"{what}, in 100" if probability else what)

    span = f"{fmt.number(min(p.prediction for p in i.effect))} to {fmt.number(max(p.prediction for p in i.effect))}"
    direction = f" {clean(i.direction)}." if i.direction and i.low > 0 else ""
    values = shorten_apart(p.value for p in i.effect)
    rows = tuple((titled(p.value, short=values[clean(p.value)]), fmt.number(p.prediction)) for p in i.effect)
    heads = (Column(titled(i.column, short=name)), Column("Mean prediction", True))
    table = Table(f"Mean prediction by {name}", heads, rows)
    alt = plain(f"Mean prediction of {what} by {name}: from {span}.{direction}")
    return Figure(f"effect{k}", name, draw(f"effect{k}", paint, SIZE), alt, table)
