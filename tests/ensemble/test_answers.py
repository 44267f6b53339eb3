"""Cuts, factors and shifts of a combination, and that its loss is that of rows they were not learnt on."""

from __future__ import annotations

import numpy as np
import pytest
from test_choice import trials

from autodl.decision import decided
from autodl.ensemble import KnownRows, combine, select
from autodl.ensemble.answers import choose_answers, held_out_answers, judging, settled
from autodl.evaluate.base import metrics
from autodl.records import Ensemble, Member
from rare_problems import rare_classes, rare_positives

ALONE = Ensemble(members=(Member(trial_id="m", family="f", weight=1.0),), method="single", loss=0.0, single_loss=0.0)


@pytest.mark.parametrize(
    ("key", "k", "by"),
    [("f1", 2, "log_loss"), ("balanced_accuracy", 2, "log_loss"), ("mcc", 3, "log_loss"), ("qwk", 5, "log_loss"),
     ("level_mae", 4, "log_loss"), ("accuracy", 2, "accuracy"), ("accuracy", 3, "accuracy"),
     ("roc_auc", 2, "roc_auc"), ("precision", 2, "precision"), ("rmse", 0, "rmse"),
     ("precision", 3, "log_loss"), ("recall", 3, "log_loss")],
)  # fmt: skip
def test_what_needs_a_cut_is_combined_by_what_needs_none(key, k, by):
    assert judging(metrics[key], k).key == by


def test_a_model_whose_best_cut_is_not_a_half_is_chosen():
    """At 0.5 the good model names nobody, and F1 there prefers one that knows little."""
    p, y = rare_positives(4000, 0)
    rng = np.random.default_rng(1)
    poor = (0.2 * p[:, 1] / p[:, 1].max() + 0.8 * rng.random(4000)).clip(0, 1)
    predictions = {"good": p, "poor": np.column_stack([1 - poor, poor])}
    f1 = metrics["f1"]
    assert f1.loss(y, predictions["poor"], 2) < f1.loss(y, p, 2)
    got = select(trials(*predictions), predictions, y, f1, n_classes=2, seed=0, answers=True)
    assert got.members[0].trial_id == "good" and got.members[0].weight > 0.9
    assert got.threshold < 0.4 and got.compared_by == "log_loss" and "F1" in got.why
    own = f1.loss(y, decided(combine(got, predictions), got.threshold), 2)
    assert own - 0.01 <= got.loss < own + 0.05


def test_the_loss_is_that_of_cuts_chosen_on_other_rows():
    """The cut that a part asks for has no say in the answers of that part."""
    p, y = rare_positives(3000, 2)
    part = np.arange(3000) % 5
    answers = held_out_answers(p, KnownRows(y, metrics["f1"]), part)
    moved = y.copy()
    moved[part == 0] = 1 - moved[part == 0]
    again = held_out_answers(p, KnownRows(moved, metrics["f1"]), part)
    assert (answers[part == 0] == again[part == 0]).all() and (answers != again).any()
    got = settled(ALONE, p, KnownRows(y, metrics["f1"]), part)
    assert got.threshold != 0.5 and got.loss == metrics["f1"].loss(y, answers, 2)


def test_recall_of_more_classes_is_balanced_accuracy_and_gets_the_same_factors():
    p, y = rare_classes(2000)
    found = [choose_answers(p, KnownRows(y, metrics[key])) for key in ("recall", "balanced_accuracy")]
    assert found[0] == found[1] and found[0][1]


@pytest.mark.parametrize("rare", [7, 18])
def test_few_rows_of_a_class_have_a_cut_that_needs_no_proof(rare):
    """True probabilities of a rare class hardly ever exceed 0.5: who looks for it would be told of none."""
    rng = np.random.default_rng(0)
    y = np.r_[np.ones(rare, int), np.zeros(1000 - rare, int)]
    x = rng.normal(size=1000) + 2 * y
    odds = rare / (1000 - rare) * np.exp(2 * x - 2)
    p = np.column_stack([1 / (1 + odds), odds / (1 + odds)])
    balanced = KnownRows(y, metrics["balanced_accuracy"])
    cut, _ = choose_answers(p, balanced)
    assert balanced.metric.to_score(balanced.loss(decided(p, cut), 2)) > 0.75
    assert balanced.metric.to_score(balanced.loss(p, 2)) < 0.65
    part = np.arange(1000) % 5
    got = settled(ALONE, p, balanced, part)
    assert got.threshold == cut and got.loss == balanced.loss(held_out_answers(p, balanced, part), 2)
    assert choose_answers(p, KnownRows(y, metrics["accuracy"])) == (0.5, ())
    gap = np.where(np.arange(1000)[:, None] == 999, np.nan, p)
    assert choose_answers(gap, balanced)[0] == pytest.approx(cut, abs=0.01), "rows without predictions are left out"


def test_factors_of_more_classes_are_held_out_too():
    p, y = rare_classes(2000)
    part = np.random.default_rng(1).integers(5, size=2000)
    bacc = metrics["balanced_accuracy"]
    got = settled(ALONE, p, KnownRows(y, bacc), part)
    assert len(got.factors) == 3
    assert bacc.loss(y, decided(p, factors=got.factors), 3) < got.loss < bacc.loss(y, p, 3)


def test_metrics_of_probabilities_are_left_alone():
    p, y = rare_positives(500, 0)
    assert settled(ALONE, p, KnownRows(y, metrics["roc_auc"]), np.arange(500) % 5) == ALONE


def test_the_loss_of_quantiles_is_that_of_shifts_from_other_rows():
    """Few rows: shifts flatter the rows that taught them; the reported loss does not, on average."""
    metric = metrics["pinball@0.1,0.5,0.9"]
    own, told, fresh = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y, new = rng.normal(size=40), rng.normal(size=4000)
        q = np.tile([-1.28, 0.0, 1.28], (4000, 1))
        got = select(trials("m"), {"m": q[:40]}, y, metric, seed=seed, answers=True)
        assert got.calibration.kind == "quantiles"
        own.append(metric.loss(y, combine(got, {"m": q[:40]})))
        told.append(got.loss)
        fresh.append(metric.loss(new, combine(got, {"m": q})))
    assert np.mean(own) < np.mean(fresh) - 0.005
    assert abs(np.mean(told) - np.mean(fresh)) < np.mean(fresh) - np.mean(own)
