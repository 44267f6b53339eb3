"""Score against the time for one row, with the Pareto front."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autodl.records import FrontPoint
from autodl.report import format as fmt
from autodl.report.elements import Column, Figure, Table
from autodl.report.facts import Facts
from autodl.report.figures.history import MARKERS
from autodl.report.figures.style import ACCENT, INK, MUTED, SERIES, WIDE, draw, log_ticks, spread
from autodl.report.limits import row_time
from autodl.report.text import clean, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_ROWS = 60
WORST = 0.25
"""Share of the points, the worst ones, that may be drawn at the edge so that the others can be told apart."""


def front_figure(facts: Facts) -> Figure | None:
    """Score by time for one row; None with fewer than two models."""
    if facts.front is None:
        return None
    points = [p for p in facts.front.points if p.need.row_s and math.isfinite(p.score)]
    if len(points) < 2:
        return None
    sign = 1 if facts.metric.greater_is_better else -1
    best = max(sign * p.score for p in points)
    ranked = sorted(sign * p.score for p in points)
    kept = min(ranked[int(WORST * len(points))], *(sign * p.score for p in points if p.best))
    span = (best - kept) or abs(best) or 1.0
    edge = sign * (kept - 0.12 * span)

    def at(p: FrontPoint) -> tuple[float, float]:
        return 1000 * (p.need.row_s or 0.0), sign * max(sign * p.score, sign * edge)

    trials = [p for p in points if p.kind == "trial"]
    families = list(dict.fromkeys(p.family for p in sorted(trials, key=lambda p: p.loss)))
    front = [at(p) for p in points if p.best]
    given = next((p for p in points if p.kind == "delivered"), None)
    limit = facts.front.limits.row_s

    def paint(ax: Axes) -> None:
        times = [at(p)[0] for p in points] + ([1000 * limit] if limit else [])
        low, high = min(times) / 1.35, max(times) * 1.35
        ax.set_xscale("log")
        ax.set_xlim(low, high)
        bottom, top = sorted((edge - sign * 0.05 * span, sign * (best + 0.1 * span)))
        bottom, top = facts.metric.within(bottom, top)
        ax.set_ylim(bottom, top)
        xs, ys = [x for x, _ in front], [y for _, y in front]
        ax.step([*xs, high], [*ys, ys[-1]], where="post", color=INK, linewidth=1.1)
        labels: list[tuple[str, float, str, str]] = []
        for k, family in enumerate(families):
            mine = [at(p) for p in trials if p.family == family]
            colour = SERIES[k] if k < len(SERIES) else MUTED
            marker = MARKERS[k % len(MARKERS)]
            ax.plot(
                [x for x, _ in mine], [y for _, y in mine], linestyle="none", marker=marker, markersize=4,
                color=colour, markeredgewidth=0, alpha=0.85,
            )  # fmt: skip
            if k < len(SERIES):
                labels.append(
                    (shorten(facts.family_name(family), 24), max(mine, key=lambda m: sign * m[1])[1], colour, marker)
                )
        places = spread([y for _, y, _, _ in labels], 0.075 * (top - bottom), bottom, top)
        wide = math.log(high / low)
        for (name, _, colour, marker), y in zip(labels, places, strict=True):
            x = high * math.exp(0.03 * wide)
            ax.plot([x], [y], marker=marker, color=colour, markersize=4, clip_on=False, markeredgewidth=0)
            ax.text(high * math.exp(0.05 * wide), y, name, color=colour, va="center", gid="margin")
        ax.set_xlim(low, high)
        if limit:
            ax.axvline(1000 * limit, color=MUTED, linestyle="--", linewidth=1.0)
            right = 1000 * limit > low * (high / low) ** 0.75  # no room on the right of the line
            ax.annotate(
                f"limit {row_time(limit)}", (1000 * limit, bottom if sign > 0 else top),
                xytext=(-3 if right else 3, 4 * sign), textcoords="offset points", ha="right" if right else "left",
                va="bottom" if sign > 0 else "top", color=MUTED,
            )  # fmt: skip
        if given is not None:
            x, y = at(given)
            ax.plot([x], [y], marker="o", markersize=9, markerfacecolor="none", color=ACCENT, markeredgewidth=1.6)
            right = x > math.sqrt(low * high)
            ax.annotate(
                "delivered", (x, y), xytext=(-7 if right else 7, -8 * sign), textcoords="offset points",
                ha="right" if right else "left", va="top" if sign > 0 else "bottom", color=ACCENT,
            )  # fmt: skip
        log_ticks(ax.xaxis, low, high)
        ax.set_xlabel("milliseconds for one row")
        ax.set_ylabel(f"{shorten(facts.metric.name, 30)} (validation)")

    places = fmt.common_places([p.score for p in points])
    rows = tuple(
        (
            clean(p.name) + (" (delivered)" if p.kind == "delivered" else ""),
            fmt.milliseconds(1000 * (p.need.row_s or 0.0)),
            fmt.fixed(p.score, places),
            "yes" if p.best else "",
        )
        for p in sorted(points, key=lambda p: (not p.best, p.need.row_s))[:MAX_ROWS]
    )
    quick, exact = front[0], front[-1]
    alt = (
        f"{facts.metric.name} in validation against milliseconds for one row, {fmt.plural(len(points), 'model')}. "
        f"The front goes from {fmt.number(quick[1], 4)} at {fmt.milliseconds(quick[0])} ms to "
        f"{fmt.number(exact[1], 4)} at {fmt.milliseconds(exact[0])} ms."
    )
    table = Table(
        "Score and time",
        (Column("Model"), Column("ms for one row", True), Column("Score", True), Column("On the front")),
        rows,
    )
    far = sum(sign * p.score < sign * edge for p in points)
    caption = f"{fmt.plural(far, 'model')} far behind drawn at the edge." if far else ""
    return Figure("front", "Score and time", draw("front", paint, WIDE), alt, table, caption, True)
