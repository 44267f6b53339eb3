"""Prediction intervals of held-back rows, sorted by the prediction, with the true values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodl.records import QuantileCheck
from autodl.report import format as fmt
from autodl.report.elements import Column, Figure, Table
from autodl.report.figures.style import ACCENT, INK, MUTED, WIDE, draw, thin
from autodl.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DRAWN = 150
TABLE_ROWS = 25


def interval_figure(check: QuantileCheck, target: str) -> Figure:
    """A bar for each row's widest interval, a line for its point prediction, and a dot for the truth."""
    assert check.rows is not None
    rows, widest = check.rows, check.intervals[0]
    keep = thin(len(rows.true), DRAWN)
    true, middle = [rows.true[k] for k in keep], [rows.point[k] for k in keep]
    low, high = [rows.low[k] for k in keep], [rows.high[k] for k in keep]
    x = list(range(len(keep)))
    inside = [a <= t <= b for a, t, b in zip(low, true, high, strict=True)]
    share = f"{round(100 * (widest.high - widest.low), 6):g} %"
    name = shorten(target, 28)

    def paint(ax: Axes) -> None:
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        ax.vlines(x, low, high, color=MUTED, linewidth=1.6, alpha=0.55)
        ax.plot(x, middle, color=ACCENT, linewidth=1.1)
        for hit, marker, size in ((True, "o", 2.2), (False, "x", 4.0)):
            places = [k for k in x if inside[k] is hit]
            ax.plot(
                places, [true[k] for k in places], color=INK, marker=marker, linestyle="none", markersize=size,
                markeredgewidth=0.9,
            )  # fmt: skip
        ax.set_xlabel("held-back rows, by their prediction")
        ax.set_ylabel(name)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: fmt.number(v, 4)))

    shown = fmt.plural(len(keep), "held-back row")
    missed = len(inside) - sum(inside)
    alt = (
        f"The {share} interval of {shown} as bars, the prediction as a line, true values as dots; {missed} lie "
        "outside their bar and are crosses."
    )
    some = [keep[k] for k in thin(len(keep), TABLE_ROWS)]
    table = Table(
        f"{share} intervals of some rows",
        (Column("Prediction", True), Column("From", True), Column("To", True), Column("True value", True)),
        tuple(
            (fmt.number(rows.point[k]), fmt.number(rows.low[k]), fmt.number(rows.high[k]), fmt.number(rows.true[k]))
            for k in some
        ),
    )
    caption = f"{shown}: bar = {share} interval, line = prediction, dot = true value, cross = outside its bar."
    return Figure(
        "intervals", f"What the {share} interval holds", draw("intervals", paint, WIDE), alt, table, caption
    )
