"""ROC, precision-recall and calibration, and what a threshold buys."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autodl.records import Curve
from autodl.report import format as fmt
from autodl.report.elements import Column, Table
from autodl.report.facts import Facts
from autodl.report.figures.curves import curve_figures
from autodl.report.text import code
from autodl.report.view import Curves

WANTED = (0.5, 0.7, 0.8, 0.9, 0.95)
MOST_PLACES = 9
"""Of a probability."""


def curves(facts: Facts) -> Curves | None:
    """The section, or None when there is no curve."""
    e = facts.evaluation
    if e is None or not (e.roc or e.pr or e.calibration):
        return None
    figures = curve_figures(e, len(facts.classes))
    threshold = _threshold(facts, e.roc[0]) if len(facts.classes) == 2 and e.roc and e.confusion else None
    about = (
        f"{code(facts.positive, 24)} sort"
        if len(facts.classes) == 2
        else "each class against all others sort (the hardest first),"
    )
    intro = (
        f"How well the probabilities of {about} and how honest they are, on {fmt.plural(e.n_test, 'held-back row')}."
    )
    words = ""
    if threshold:
        words = (
            "The model gives a probability; where to draw the line is your choice. To find more of the "
            f"{code(facts.positive, 24)} "
            "you accept more false alarms. Read off the same rows that scored the model, so expect a little less "
            "in use."
        )
    return Curves(intro, figures, words, threshold)


@dataclass(frozen=True)
class TradeOff:
    """What one threshold buys: share found, share of false alarms, rows flagged, and how many of them rightly."""

    at: float | None
    """The probability from which on rows are flagged; None in older records."""
    found: float
    false: float
    flagged: int
    right: int


def trade_offs(roc: Curve, positives: int, negatives: int) -> list[TradeOff]:
    """The first ROC points that find enough."""
    known: Sequence[float | None] = roc.at if len(roc.at) == len(roc.x) else [None] * len(roc.x)
    points = sorted(zip(roc.x, roc.y, known, strict=True), key=lambda p: p[:2])
    out = []
    for wanted in WANTED:
        reached = next((p for p in points if p[1] >= wanted), None)
        if reached is None:
            continue
        x, y, at = reached
        right = round(y * positives)
        out.append(TradeOff(at, y, x, right + round(x * negatives), right))
    return list(dict.fromkeys(out))


def _threshold(facts: Facts, roc: Curve) -> Table | None:
    assert facts.evaluation is not None
    totals = [sum(row) for row in facts.evaluation.confusion]
    if min(totals) == 0:
        return None
    bought = trade_offs(roc, totals[1], totals[0])
    with_at = all(t.at is not None for t in bought)
    rows = tuple(
        (
            *((_from_on(t.at),) if t.at is not None and with_at else ()),
            fmt.share(t.found), fmt.share(t.false), fmt.count(t.flagged), fmt.share(t.right / max(1, t.flagged)),
        )
        for t in bought
    )  # fmt: skip
    columns = (
        *((Column("Probability from", True),) if with_at else ()),
        Column("Found", True), Column("False alarms among the others", True), Column("Rows flagged", True),
        Column("Flagged rightly", True),
    )  # fmt: skip
    caption = (
        f"What a threshold buys ({fmt.count(totals[1])} rows are {code(facts.positive, 24)}, "
        f"{fmt.count(totals[0])} are not)"
    )
    return Table(caption, columns, rows) if rows else None


def _from_on(at: float) -> str:
    """Rounded down, so that the row at the very threshold is flagged."""
    rest = min(at, 1 - at)  # near 1 as near 0 many rows lie between two short numbers
    places = min(MOST_PLACES, max(3, 2 - math.floor(math.log10(rest)))) if rest > 0 else 3
    return fmt.fixed(math.floor(at * 10**places + 1e-6) / 10**places, places)
