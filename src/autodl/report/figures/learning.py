"""Learning curves of models that train in steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autodl.records import CurvePoint, TrialResult
from autodl.report import format as fmt
from autodl.report.elements import Column, Figure, Table
from autodl.report.facts import Facts
from autodl.report.figures.style import MUTED, SERIES, draw, thin
from autodl.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_CURVES = 4
TABLE_ROWS = 20


def learning_figures(facts: Facts) -> tuple[Figure, ...]:
    """Those of the trials that are drawn."""
    return tuple(_figure(facts, t, i) for i, t in enumerate(drawn(facts)))


def drawn(facts: Facts) -> list[TrialResult]:
    """The best trial of each family that has a curve, at most four."""
    best: dict[str, TrialResult] = {}
    for t in sorted(facts.done, key=lambda t: t.loss if t.loss is not None else math.inf):
        if len(t.curve) >= 3:
            best.setdefault(t.spec.family, t)
    return list(best.values())[:MAX_CURVES]


def _series(curve: tuple[CurvePoint, ...], part: str) -> tuple[list[int], list[float]]:
    pairs = [(p.step, v) for p in curve if (v := getattr(p, part)) is not None and math.isfinite(v)]
    return [s for s, _ in pairs], [v for _, v in pairs]


def _figure(facts: Facts, t: TrialResult, i: int) -> Figure:
    curve = tuple(t.curve[k] for k in thin(len(t.curve), 100))
    name = shorten(facts.trial_name(t.spec), 32)
    lines = [(label, *_series(curve, part)) for label, part in (("training", "train"), ("held out", "valid"))]
    lines = [(label, steps, values) for label, steps, values in lines if steps]

    def paint(ax: Axes) -> None:
        for k, (label, steps, values) in enumerate(lines):
            colour, style = (MUTED, "--") if label == "training" else (SERIES[0], "-")
            ax.plot(steps, values, color=colour, linestyle=style)
            below = len(lines) == 2 and values[-1] < lines[1 - k][2][-1]
            ax.annotate(
                label, (steps[-1], values[-1]), xytext=(0, -9 if below else 4), textcoords="offset points",
                ha="right",
                va="center" if below else "bottom", color=colour,
            )  # fmt: skip
        ax.margins(y=0.16)
        ax.set_xlabel("training step (round or tree)")
        ax.set_ylabel("loss")

    ends = "; ".join(f"{label} from {fmt.number(v[0])} to {fmt.number(v[-1])}" for label, _, v in lines)
    rows = tuple(
        (
            fmt.count(curve[k].step),
            *(fmt.number(v) if v is not None else fmt.MISSING for v in (curve[k].train, curve[k].valid)),
        )
        for k in thin(len(curve), TABLE_ROWS)
    )
    table = Table(
        f"Learning curve of {name}", (Column("Step", True), Column("Training", True), Column("Held out", True)), rows
    )
    return Figure(
        f"learning{i}", name, draw(f"learning{i}", paint), f"Loss of {name} by training step: {ends}.", table
    )
