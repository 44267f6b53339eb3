"""Answers with a quickly tuned cut, so that models can be ranked by what they would score with cuts of their own.

By F1 and its like a model is poor or good only at its best cut, and 0.5 is seldom it. The cuts here are chosen in
milliseconds and without the guards of ``answers.choose_answers``, which are for the one model that is delivered: a
row is always answered with what other rows have taught, so that a cut that follows noise costs the score and
flatters nobody.

Notation: n rows, K classes, p (n, K) probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.decision import HALF, decided
from autodl.ensemble.class_factors import power_of_shares
from autodl.ensemble.known_rows import KnownRows, rows_with_others
from autodl.ensemble.level_cuts import tuned
from autodl.ensemble.threshold import candidate_cuts, smoothed_losses

Array = NDArray[Any]
NEAR = 0.25
"""The cut is the middle one of the best so many: the best one alone moves with every row."""
MAX_ROWS = 5_000
"""Rows that a cut is chosen on at most, unless more are needed to hold enough of rare classes; evenly spaced ones are
taken above it."""
FEWEST, FEWEST_OF_A_CLASS = 10, 5
"""With fewer rows in all, or of the rarer of two classes, the most probable class is the answer. Five of a thousand
rows tell a cut badly, and still one far better than 0.5 for balanced accuracy, as good for F1 and MCC."""


def quick_answers(p: Array, rows: KnownRows, part: Array) -> Array:
    """(n, K) certain answers for each part of the rows, with the cut that the other parts ask for.

    Args:
        p: (n, K) finite probabilities for rows that the model has not seen.
        rows: The n rows, with codes as targets; the metric is one of a confusion matrix, see ``answers.needs_cut``.
        part: (n,) number of the part of each row.
    """
    answers = np.empty(p.shape)
    for g in np.unique(part):
        own, others = part == g, np.flatnonzero(part != g)
        answers[own] = decided(p[own], *quick_cut(p[others], rows.only(others)))
    return answers


def quick_cut(p: Array, rows: KnownRows) -> tuple[float, tuple[float, ...]]:
    """The cut of two classes or the factors of more that do best on these rows; see ``quick_answers``."""
    if rows.metric.counts is None:
        return HALF, ()
    if len(rows) > MAX_ROWS and len(rows) > (most := max(MAX_ROWS, rows_with_others(rows.y))):
        some = np.linspace(0, len(rows) - 1, most).astype(np.int64)
        p, rows = p[some], rows.only(some)
    if len(rows) < FEWEST or (p.shape[1] == 2 and np.bincount(rows.y, minlength=2).min() < FEWEST_OF_A_CLASS):
        return HALF, ()
    p = p.astype(np.float64)
    if rows.metric.ordered and p.shape[1] > 2:
        return HALF, tuple(tuned(p, rows))
    if p.shape[1] > 2:
        return HALF, tuple(power_of_shares(p, rows))
    order = np.argsort(p[:, 1])
    yes, rows = p[order, 1], rows.only(order)
    cuts = candidate_cuts(yes, rows.y)
    losses = smoothed_losses(yes, rows, cuts)
    return float(np.median(cuts[np.argsort(losses, kind="stable")[: max(1, round(NEAR * len(cuts)))]])), ()
