"""ROC, precision-recall and calibration, and what a threshold buys."""

from __future__ import annotations

from autodl.records import Curve
from autodl.report import format as fmt
from autodl.report.facts import Facts
from autodl.report.figures.curves import curve_figures
from autodl.report.text import code
from autodl.report.view import Column, Curves, Table

WANTED = (0.5, 0.7, 0.8, 0.9, 0.95)


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


def trade_offs(roc: Curve, positives: int, negatives: int) -> list[tuple[float, float, int, int]]:
    """(share found, share of false alarms, rows flagged, of them right) at the first ROC point that finds enough."""
    points = sorted(zip(roc.x, roc.y, strict=True))
    out = []
    for wanted in WANTED:
        reached = next(((x, y) for x, y in points if y >= wanted), None)
        if reached is None:
            continue
        x, y = reached
        right = round(y * positives)
        out.append((y, x, right + round(x * negatives), right))
    return list(dict.fromkeys(out))


def _threshold(facts: Facts, roc: Curve) -> Table | None:
    assert facts.evaluation is not None
    totals = [sum(row) for row in facts.evaluation.confusion]
    if min(totals) == 0:
        return None
    rows = tuple(
        (fmt.share(found), fmt.share(false), fmt.count(flagged), fmt.share(right / max(1, flagged)))
        for found, false, flagged, right in trade_offs(roc, totals[1], totals[0])
    )
    columns = (
        Column("Found", True), Column("False alarms among the others", True), Column("Rows flagged", True),
        Column("Flagged rightly", True),
    )  # fmt: skip
    caption = (
        f"What a threshold buys ({fmt.count(totals[1])} rows are {code(facts.positive, 24)}, "
        f"{fmt.count(totals[0])} are not)"
    )
    return Table(caption, columns, rows) if rows else None
