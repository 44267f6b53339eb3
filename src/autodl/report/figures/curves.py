"""ROC, precision-recall and calibration curves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autodl.records import Curve, Evaluation
from autodl.report import format as fmt
from autodl.report.elements import Column, Figure, Table
from autodl.report.figures.style import INK, MUTED, SERIES, draw, spread, thin
from autodl.report.text import clean, code, shorten_apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TABLE_ROWS = 25
MAX_LINES = 5
STYLES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))


def curve_figures(e: Evaluation, n_classes: int) -> tuple[Figure, ...]:
    """The figures that the evaluation has curves for."""
    out = []
    if e.roc:
        out.append(_figure("roc", "Found against false alarms (ROC)", e.roc, "false alarms", "found", _diagonal))
    if e.pr:
        out.append(
            _figure("pr", "Right when flagged (precision-recall)", e.pr, "found (recall)", "flagged rightly", None)
        )
    if e.calibration:
        x = "stated probability" if n_classes == 2 else "stated probability of its answer"
        out.append(
            _figure(
                "calibration",
                "Stated against observed (calibration)",
                e.calibration,
                x,
                "observed share",
                _diagonal,
                True,
            )
        )
    return tuple(out)


def _diagonal(ax: Axes) -> None:
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))


def _figure(
    key: str,
    title: str,
    lines: tuple[Curve, ...],
    x: str,
    y: str,
    reference: Callable[[Axes], None] | None,
    dots: bool = False,
) -> Figure:
    lines = lines[:MAX_LINES]
    beside, named = (shorten_apart((c.label for c in lines), limit) for limit in (14, 40))

    def paint(ax: Axes) -> None:
        if reference:
            reference(ax)
        for i, c in enumerate(lines):
            colour = SERIES[i % len(SERIES)]
            keep = thin(len(c.x), 120)
            xs, ys = [c.x[k] for k in keep], [c.y[k] for k in keep]
            if dots and len(c.low) == len(c.x) == len(c.high):
                ax.vlines(
                    xs, [c.low[k] for k in keep], [c.high[k] for k in keep], color=colour, linewidth=1, alpha=0.6
                )
            ax.plot(
                xs, ys, color=colour, linestyle=STYLES[i % len(STYLES)], marker="o" if dots else None, markersize=3.5
            )
        if len(lines) > 1:
            ends = [c.y[len(c.y) // 2] for c in lines]
            for i, (c, at) in enumerate(zip(lines, spread(ends, 0.075, 0.03, 0.97), strict=True)):
                ax.text(1.03, at, beside[clean(c.label)], color=SERIES[i % len(SERIES)], va="center", gid="margin")
        ax.set_xlim(-0.02, 1.02)
        ax.set_ylim(-0.02, 1.02)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
        ax.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
        ax.set_xlabel(f"{x}, in 100", color=INK)
        ax.set_ylabel(f"{y}, in 100", color=INK)

    names = fmt.words([named[clean(c.label)] for c in lines])
    return Figure(
        key,
        title,
        draw(key, paint),
        f"{title}: {y} against {x} for {names}. {_summary(lines[0], x, y)}",
        _table(lines, title, x, y),
    )


def _summary(c: Curve, x: str, y: str) -> str:
    picks = thin(len(c.x), 5)[1:-1] or thin(len(c.x), 1)
    return "; ".join(f"{x} {fmt.in_base(c.x[k])}: {y} {fmt.in_base(c.y[k])}" for k in picks) + "." if c.x else ""


def _table(lines: tuple[Curve, ...], title: str, x: str, y: str) -> Table:
    each = max(5, TABLE_ROWS // len(lines))
    with_counts = any(c.counts for c in lines)
    names = shorten_apart((c.label for c in lines), 24)
    rows = []
    for c in lines:
        for k in thin(len(c.x), each):
            span = (
                f" ({fmt.fixed(c.low[k], 3)} to {fmt.fixed(c.high[k], 3)})"
                if len(c.low) == len(c.high) == len(c.x)
                else ""
            )
            count = (fmt.count(c.counts[k]) if len(c.counts) == len(c.x) else fmt.MISSING,) if with_counts else ()
            rows.append(
                (
                    code(c.label, short=names[clean(c.label)]),
                    fmt.fixed(c.x[k], 3),
                    f"{fmt.fixed(c.y[k], 3)}{span}",
                    *count,
                )
            )
    columns = (Column("Curve"), Column(x, True), Column(y, True), *((Column("rows", True),) if with_counts else ()))
    return Table(title, columns, tuple(rows))
