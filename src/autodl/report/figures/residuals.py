"""Predicted against true, and error against prediction."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from autodl.records import Residuals
from autodl.report import format as fmt
from autodl.report.elements import Column, Figure, Table
from autodl.report.figures.style import ACCENT, MUTED, draw, log_ticks, plain_ticks, thin
from autodl.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 500
SKEWED = 100
"""Times the median from which on the largest value calls for logarithmic axes."""
BINS = 8
Size = Literal["true value", "prediction"]
SIZES: tuple[Size, ...] = ("true value", "prediction")
"""By what rows are put into bins; in the order of a pair."""


def residual_figures(r: Residuals, target: str) -> tuple[Figure, ...]:
    """Two scatter plots of the sampled test rows; empty without rows."""
    if not r.true:
        return ()
    keep = thin(len(r.true), POINTS)
    true, predicted = [r.true[k] for k in keep], [r.predicted[k] for k in keep]
    name = shorten(target, 28)
    dot: dict[str, Any] = {
        "color": ACCENT,
        "marker": "o",
        "linestyle": "none",
        "markersize": 2.2,
        "alpha": 0.45,
        "markeredgewidth": 0,
    }

    low, high = min(*true, *predicted), max(*true, *predicted)
    # On plain axes a few huge values would press all others into one corner.
    logarithmic = low > 0 and max(true) > SKEWED * median(true)

    def against(ax: Axes) -> None:
        if logarithmic:
            ax.set_xscale("log")
            ax.set_yscale("log")
        ax.plot([low, high], [low, high], color=MUTED, linewidth=0.9, linestyle=(0, (2, 3)))
        ax.plot(true, predicted, **dot)
        ax.set_xlabel(f"true {name}")
        ax.set_ylabel("predicted")
        if logarithmic:
            log_ticks(ax.xaxis, *ax.get_xlim())
            log_ticks(ax.yaxis, *ax.get_ylim())
        else:
            plain_ticks(ax.xaxis, (low, high))
            plain_ticks(ax.yaxis, (low, high))

    def errors(ax: Axes) -> None:
        ax.axhline(0, color=MUTED, linewidth=0.9, linestyle=(0, (2, 3)))
        off = [p - t for p, t in zip(predicted, true, strict=True)]
        ax.plot(predicted, off, **dot)
        ax.set_xlabel(f"predicted {name}")
        ax.set_ylabel("error (predicted − true)")
        plain_ticks(ax.xaxis, predicted)
        plain_ticks(ax.yaxis, off)

    table, by_prediction = _bins(r, "true value"), _bins(r, "prediction")
    shown = f"{fmt.plural(len(keep), 'held-back row')}"
    told = " Both axes are logarithmic, so that small values can be told apart too." if logarithmic else ""
    return (
        Figure(
            "predicted", "Predicted against true", draw("predicted", against),
            f"Scatter of predicted against true {name}, {shown}; on the dashed line the prediction is exact. "
            f"{_words(table, 'true value')}",
            table, f"{shown}; on the dashed line the prediction is exact.{told}",
        ),
        Figure(
            "errors", "Error by size of the prediction", draw("errors", errors),
            f"Scatter of error against predicted {name}, {shown}. {_words(by_prediction, 'prediction')}",
            by_prediction,
            "A fan that widens to the right means that large values are less certain.",
        ),
    )  # fmt: skip


def _bins(r: Residuals, by: Size) -> Table:
    """Typical error by equal-count bins of the true value or the prediction."""
    place = SIZES.index(by)
    pairs = sorted(zip(r.true, r.predicted, strict=True), key=lambda pair: pair[place])
    n_bins = min(BINS, max(1, len(pairs) // 5))
    rows = []
    for b in range(n_bins):
        part = pairs[b * len(pairs) // n_bins : (b + 1) * len(pairs) // n_bins]
        off = sorted(abs(p - t) for t, p in part)
        mean = sum(p - t for t, p in part) / len(part)
        span = f"{fmt.number(part[0][place])} to {fmt.number(part[-1][place])}"
        rows.append((span, fmt.count(len(part)), fmt.number(off[len(off) // 2]), fmt.number(mean)))
    columns = (
        Column(by.capitalize()),
        Column("Rows", True),
        Column("Typically off by", True),
        Column("Mean error", True),
    )
    return Table(f"Error by size of the {by}", columns, tuple(rows))


def _words(table: Table, by: Size) -> str:
    first, last = table.rows[0], table.rows[-1]
    return f"Typically off by {first[2]} where the {by} is {first[0]}, by {last[2]} where it is {last[0]}."
