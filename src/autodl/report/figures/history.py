"""The search over time: every scored trial and the best so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autodl.report import format as fmt
from autodl.report.elements import Column, Figure, Table
from autodl.report.facts import BASELINE_ORIGIN, Facts
from autodl.report.figures.style import INK, MUTED, SERIES, WIDE, draw, spread
from autodl.report.text import clean, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_ROWS = 120
MARKERS = "osD^vP"


FAR = 3.0
"""A try is hopeless if it is so many times as far from the best as the worst of those that stay in sight."""


def _worst_in_sight(values: list[float]) -> float:
    """The lowest value that the axis goes down to: without the lowest tenth, and up to a quarter that is hopeless."""
    ranked, n = sorted(values), len(values)
    hopeless = [k for k in range(1, n // 4 + 1) if ranked[-1] - ranked[k - 1] > FAR * (ranked[-1] - ranked[k])]
    return ranked[max([n // 10, *hopeless])]


def history_figure(facts: Facts) -> Figure | None:
    """Validation score by time, or None with fewer than two scored trials."""
    done = [t for t in facts.done if t.score is not None and math.isfinite(t.score)]
    if len(done) < 2:
        return None
    sign = 1 if facts.metric.greater_is_better else -1
    scores = [t.score or 0.0 for t in done]
    searched = [s for s, t in zip(scores, done, strict=True) if t.spec.origin != BASELINE_ORIGIN] or scores
    best_value = max(searched, key=lambda s: sign * s)
    # Hopeless trials would flatten everything of interest: they are drawn at the edge instead.
    worst = _worst_in_sight([sign * s for s in searched])
    span = (sign * best_value - worst) or abs(best_value) or 1.0
    edge = sign * (worst - 0.15 * span)
    families = list(dict.fromkeys(t.spec.family for t in sorted(done, key=lambda t: t.loss or 0.0)))
    coloured = families[: len(SERIES)]

    def clip(s: float) -> float:
        return sign * max(sign * s, sign * edge)

    best: list[float] = []
    for s in scores:
        best.append(s if not best or sign * s > sign * best[-1] else best[-1])

    def paint(ax: Axes) -> None:
        ax.step([t.finished_s for t in done], [clip(b) for b in best], where="post", color=INK, linewidth=1.1)
        tops: list[tuple[str, float, str]] = []
        for k, family in enumerate(families):
            mine = [(t.finished_s, clip(t.score or 0.0)) for t in done if t.spec.family == family]
            colour = SERIES[k] if family in coloured else MUTED
            ax.plot(
                [x for x, _ in mine], [y for _, y in mine], linestyle="none", markersize=4,
                marker=MARKERS[k % len(MARKERS)],
                color=colour, markeredgewidth=0, alpha=0.8,
            )  # fmt: skip
            if family in coloured:
                tops.append((family, max((y for _, y in mine), key=lambda y: sign * y), colour))
        low, high = sorted((edge, best_value + sign * 0.06 * span))
        low, high = facts.metric.within(low - 0.03 * span, high + 0.03 * span)
        ax.set_ylim(low, high)
        ax.set_xlim(left=0)
        right = ax.get_xlim()[1]
        at = spread([y for _, y, _ in tops], 0.075 * (high - low), low, high)
        for k, ((family, _, colour), y) in enumerate(zip(tops, at, strict=True)):
            ax.plot(
                [right * 1.03], [y], marker=MARKERS[k], color=colour, markersize=4, clip_on=False, markeredgewidth=0
            )
            ax.text(right * 1.05, y, shorten(facts.family_name(family), 24), color=colour, va="center", gid="margin")
        ax.set_xlim(0, right)
        ax.set_xlabel("seconds since the start")
        ax.set_ylabel(f"{shorten(facts.metric.name, 30)} (validation)")

    below = sum(sign * s < sign * edge for s in scores)
    caption = "The line is the best so far."
    if below:
        caption += (
            f" {fmt.plural(below, 'try', 'tries')} far off the best {'is' if below == 1 else 'are'} drawn "
            "at the lower edge."
        )
        if sign < 0:
            caption = caption.replace("lower edge", "upper edge")
    places = fmt.common_places(scores)
    rows = tuple(
        (
            fmt.fixed(t.finished_s, 1),
            clean(facts.trial_name(t.spec)),
            fmt.fixed(t.score or 0.0, places),
            fmt.fixed(b, places),
        )
        for t, b in list(zip(done, best, strict=True))[-MAX_ROWS:]
    )
    columns = (Column("Seconds", True), Column("Model"), Column("Score", True), Column("Best so far", True))
    alt = (
        f"{facts.metric.name} in validation over time: {fmt.plural(len(done), 'try', 'tries')}; the best goes from "
        f"{fmt.number(best[0], 4)} after {fmt.seconds(done[0].finished_s)} to {fmt.number(best[-1], 4)}."
    )
    return Figure(
        "history",
        "Score over time",
        draw("history", paint, WIDE),
        alt,
        Table("Score over time", columns, rows),
        caption,
        True,
    )
