"""Trials are scored at cuts of their own, which rows of other folds have taught."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from autodl.ensemble.known_rows import KnownRows
from autodl.ensemble.quick_answers import quick_answers, quick_cut
from autodl.evaluate.base import metrics
from autodl.records import TableSchema, Task
from autodl.search.job import TrialData
from autodl.search.trial_scores import TrialScores
from rare_problems import rare_classes, rare_positives


def data_of(y, metric, *, k=2, weight=None, blocks=None):
    frame = pd.DataFrame(index=range(len(y)))
    none = TableSchema(columns=())
    return TrialData(
        frame, y, frame.iloc[:0], (), none, Task.CLASSIFICATION, k, metric, weight=weight, blocks=blocks
    )  # fmt: skip


def folds_of(n, k=5):
    return [np.arange(n)[i::k] for i in range(k)]


def test_a_model_that_never_says_yes_at_a_half_gets_the_score_of_its_cut():
    p, y = rare_positives(3000, 0)
    scores, folds = TrialScores(data_of(y, "f1")), folds_of(3000)
    rows = np.concatenate(folds)
    assert scores.cut and scores.plain(rows, p[rows]) == 1.0
    best = max(f1_score(y, p[:, 1] >= c) for c in np.linspace(0.02, 0.4, 60))
    assert best - 0.04 < 1 - scores.whole(folds, p) <= best


def test_the_cut_of_a_fold_is_that_of_the_others():
    p, y = rare_positives(2000, 1)
    folds = folds_of(2000)
    got = TrialScores(data_of(y, "f1")).whole(folds, p)
    answers = np.empty(2000, dtype=int)
    for g, fold in enumerate(folds):
        others = np.concatenate([f for i, f in enumerate(folds) if i != g])
        cut, _ = quick_cut(p[others], KnownRows(y[others], metrics["f1"]))
        answers[fold] = p[fold, 1] >= cut
    assert got == pytest.approx(1 - f1_score(y, answers))


def test_no_cut_flatters_predictions_that_know_nothing():
    """On the rows that it was chosen on, the best cut of noise has a positive correlation; here its mean is 0."""
    mcc, told, own = metrics["mcc"], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p, y = rng.random(200), (rng.random(200) < 0.3).astype(int)
        proba = np.column_stack([1 - p, p])
        told.append(1 - TrialScores(data_of(y, "mcc")).whole(folds_of(200), proba))
        cut, _ = quick_cut(proba, KnownRows(y, mcc))
        own.append(mcc.score(y, np.eye(2)[(p >= cut).astype(int)], 2))
    assert abs(np.mean(told)) < 3 * np.std(told) / np.sqrt(60)
    assert np.mean(own) > 0.03


def test_the_first_fold_is_answered_by_its_halves_and_the_next_by_those_before():
    p, y = rare_positives(2000, 2)
    scores, (first, second, *_) = TrialScores(data_of(y, "f1")), folds_of(2000)
    assert 0.6 < scores.fold(first, p[first]) < 0.9
    assert scores.fold(first, p[first]) == scores.whole([first], p)
    cut, _ = quick_cut(p[first], KnownRows(y[first], metrics["f1"]))
    assert scores.fold(second, p[second], first, p[first]) == pytest.approx(
        1 - f1_score(y[second], p[second, 1] >= cut)
    )


def test_halves_keep_groups_whole():
    _, y = rare_positives(400, 3)
    data = data_of(y, "f1", blocks=np.arange(400) // 8)
    scores, rows = TrialScores(data), np.arange(0, 400)
    side = scores._halves(rows)
    assert all(len(np.unique(side[data.blocks == b])) == 1 for b in range(50)) and 0 < side.mean() < 1


@pytest.mark.parametrize(("metric", "k"), [("accuracy", 2), ("roc_auc", 2), ("precision", 2), ("log_loss", 3)])
def test_what_needs_no_cut_is_scored_as_it_is(metric, k):
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, k, 300), rng.dirichlet(np.ones(k), 300)
    scores, folds = TrialScores(data_of(y, metric, k=k)), folds_of(300)
    rows = np.concatenate(folds)
    assert not scores.cut
    assert scores.whole(folds, p) == scores.plain(rows, p[rows]) == metrics[metric].loss(y[rows], p[rows], k)
    assert scores.fold(folds[0], p[folds[0]]) == metrics[metric].loss(y[folds[0]], p[folds[0]], k)


def test_a_guess_gets_no_cut():
    """By F1 always answering yes would look better than a guess that answers no."""
    y = (np.arange(500) % 5 == 0).astype(int)
    p = np.tile([0.8, 0.2], (500, 1))
    assert TrialScores(data_of(y, "f1"), learns=False).whole(folds_of(500), p) == 1.0


def test_whole_weights_count_as_repeated_rows():
    rng = np.random.default_rng(4)
    yes = rng.random(90)
    p, y = np.column_stack([1 - yes, yes]), (rng.random(90) < yes**2).astype(int)
    w = rng.integers(1, 4, size=90)
    again = np.repeat(np.arange(90), w)
    part, f1 = np.arange(90) % 3, metrics["f1"]
    weighted = quick_answers(p, KnownRows(y, f1, w.astype(float)), part)
    repeated = quick_answers(p[again], KnownRows(y[again], f1), part[again])
    np.testing.assert_array_equal(weighted[again], repeated)


def test_more_classes_and_levels_have_cuts_too():
    p, y = rare_classes(1500)
    for metric in ("balanced_accuracy", "qwk"):
        scores, rows = TrialScores(data_of(y, metric, k=3)), np.arange(1500)
        assert scores.whole(folds_of(1500), p) < scores.plain(rows, p) - 0.03


def test_few_rows_keep_the_most_probable_class():
    p, _ = rare_positives(60, 5)
    assert quick_cut(p, KnownRows(np.r_[np.ones(4, int), np.zeros(56, int)], metrics["f1"])) == (0.5, ())
    assert quick_cut(np.full((8, 3), 1 / 3), KnownRows(np.arange(8) % 3, metrics["f1"])) == (0.5, ())
