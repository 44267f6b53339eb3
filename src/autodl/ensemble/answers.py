"""What follows the combination: the cut or factors of its answers, the shifts of its quantiles, and an honest loss.

All are learnt on predictions for rows that the weights did not see. The loss that is told is that of each part of the
rows with what the other parts have taught: the loss on the rows that a cut was chosen on flatters it.

Notation: n rows, K classes, Q quantiles, p (n, K) probabilities or (n, Q) quantiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.decision import HALF, decided
from autodl.ensemble.class_factors import choose_factors
from autodl.ensemble.known_rows import KnownRows
from autodl.ensemble.quantile_shifts import fit_shifts, shifted
from autodl.ensemble.quick_answers import quick_cut
from autodl.ensemble.threshold import choose_threshold, one_sided, too_few
from autodl.evaluate.base import Metric, metrics
from autodl.records import Ensemble

Array = NDArray[Any]
MANY_CLASSES = 10
"""Factors of more classes take about a second to choose: two halves of the rows judge them instead of all parts."""
CHOICE = "log_loss"


def judging(metric: Metric, n_classes: int) -> Metric:
    """The metric that models are combined by: the given one, unless the answers are chosen after the combination.

    F1, balanced accuracy, MCC and metrics of ordered classes say little of a model before its cut is known: at 0.5 a
    model that is good at another cut looks poor. The log loss needs no cut, and true probabilities are what the best
    cut is found on (Koyejo et al. 2014: for such metrics the best answer is a cut on the true probability).

    Args:
        metric: To be optimized. n_classes: K; 0 for regression.
    """
    return metrics[CHOICE] if needs_cut(metric, n_classes) else metric


def needs_cut(metric: Metric, n_classes: int) -> bool:
    """Whether a model's score says little before its cut is known.

    Accuracy is left out: for probabilities that hold the most probable class is the best answer.

    Args:
        metric: To be optimized. n_classes: K; 0 for regression.
    """
    free = metric.needs == "label" and n_classes > 1 and not one_sided(metric, n_classes)
    return free and (metric.ordered or metric.rows is None)


def settled(ensemble: Ensemble, p: Array, rows: KnownRows, part: Array) -> Ensemble:
    """The combination with its cut, factors or shifts, and its loss on rows that these were not learnt on.

    Args:
        ensemble: Where there are quantiles, without calibration.
        p: Its predictions for rows that its weights were not fitted on, after the calibration.
        rows: The n rows.
        part: (n,) part of each row.
    """
    metric = rows.metric
    if metric.levels:
        calibration = fit_shifts(p, rows.y, metric.levels, rows.weight, rows.block)
        loss = rows.loss(held_out_shifted(p, rows, part), 0)
        return ensemble.model_copy(update={"calibration": calibration, "loss": loss})
    if metric.needs != "label":
        return ensemble
    threshold, factors = choose_answers(p, rows)
    answers = decided(p, threshold, factors)
    if threshold != HALF or factors:
        answers = held_out_answers(p, rows, part)
    loss = rows.loss(answers, p.shape[1])
    return ensemble.model_copy(update={"threshold": threshold, "factors": factors, "loss": loss})


def choose_answers(p: Array, rows: KnownRows) -> tuple[float, tuple[float, ...]]:
    """The cut of two classes or the factors of more, for a metric of answers; p (n, K) probabilities for the rows.

    With too few rows of a class to prove a cut, the quick one is better than 0.5: for balanced accuracy a model that
    finds five rows in a thousand is worth 0.89 with it and 0.60 without.
    """
    if p.shape[1] > 2:
        return HALF, choose_factors(p, rows)
    if needs_cut(rows.metric, 2) and too_few(p[:, 1], rows):
        known = np.isfinite(p[:, 1])
        return quick_cut(p[known], rows.only(known).coded())
    return choose_threshold(p[:, 1], rows), ()


def held_out_answers(p: Array, rows: KnownRows, part: Array) -> Array:
    """(n, K) certain answers of each part with the cut or factors that the other parts ask for.

    The arguments are those of ``settled``. After the deadline the most probable class is the answer.
    """
    if p.shape[1] > MANY_CLASSES:
        part = part % 2
    answers = np.empty(p.shape)
    for g in np.unique(part):
        own, others = part == g, part != g
        answers[own] = decided(p[own], *choose_answers(p[others], rows.only(others)))
    return answers


def held_out_shifted(q: Array, rows: KnownRows, part: Array) -> Array:
    """(n, Q) quantiles of each part with the shifts that the other parts ask for; see ``settled``."""
    moved = np.empty(q.shape)
    for g in np.unique(part):
        own, others = part == g, rows.only(part != g)
        learnt = fit_shifts(q[part != g], others.y, rows.metric.levels, others.weight, others.block)
        moved[own] = shifted(learnt, q[own])
    return moved
