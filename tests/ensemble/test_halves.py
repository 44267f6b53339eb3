"""Random halves of rows, and of blocks of rows."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.ensemble import KnownRows, choose_factors, choose_threshold
from autodl.ensemble.answers import held_out_answers
from autodl.ensemble.halves import random_half
from autodl.evaluate.base import metrics
from autodl.evaluate.influence import standard_error
from rare_problems import rare_classes


@pytest.mark.parametrize("sizes", [(40,), (11, 29), (3, 70, 8)])
def test_classes_are_halved(sizes):
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    side = random_half(y, np.random.default_rng(1))
    for k, size in enumerate(sizes):
        assert abs(2 * side[y == k].sum() - size) <= 2
    assert (side != random_half(y, np.random.default_rng(2))).any()


@pytest.mark.parametrize("seed", range(5))
def test_blocks_stay_whole_and_halves_are_alike(seed):
    rng = np.random.default_rng(seed)
    block = rng.permutation(np.repeat(np.arange(60) - 1, rng.integers(1, 30, size=60)))
    rate = rng.beta(1, 3, size=60)
    y = (rng.random(len(block)) < rate[block + 1]).astype(int)
    side = random_half(y, rng, block)
    for b in np.unique(block):
        assert len(np.unique(side[block == b])) == 1
    assert 0.35 < side.mean() < 0.65
    assert 0.25 < side[y == 1].mean() < 0.75


def test_each_block_is_drawn_as_often_as_not():
    block, y = np.repeat(np.arange(7), 5), np.tile([0, 1, 0, 0, 1], 7)
    rng = np.random.default_rng(0)
    often = np.mean([random_half(y, rng, block) for _ in range(2000)], axis=0)
    np.testing.assert_allclose(often, 0.5, atol=0.05)


def test_a_single_block_is_no_reason_not_to_halve():
    y = np.tile([0, 1], 50)
    side = random_half(y, np.random.default_rng(0), np.zeros(100, int))
    assert side.sum() == 50


def twins(n, seed):
    """Probabilities that say nothing of new groups: rows of a group share them and, by chance, the target."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n // 20), 20)
    p = rng.uniform(0.2, 0.8, size=n // 20)[group]
    y = (rng.random(n // 20) < 0.5).astype(int)[group]
    return p, y, group


def test_rows_of_a_group_do_not_judge_a_cut_that_they_have_chosen():
    """With torn groups the halves are copies of each other, and a cut that follows noise seems to hold."""
    mcc, tables = metrics["mcc"], [twins(600, s) for s in range(15)]
    torn = [choose_threshold(p, KnownRows(y, mcc, seed=s)) for s, (p, y, _) in enumerate(tables)]
    whole = [choose_threshold(p, KnownRows(y, mcc, block=g, seed=s)) for s, (p, y, g) in enumerate(tables)]
    assert sum(t != 0.5 for t in torn) > 9
    assert sum(t != 0.5 for t in whole) < 5


def test_blocks_of_one_class_each_tell_no_cut():
    y = np.repeat([0, 1], 100)
    p = np.random.default_rng(0).random(200)
    assert choose_threshold(p, KnownRows(y, metrics["f1"], block=y)) == 0.5


def test_factors_and_held_out_answers_take_blocks():
    (p, y), block, bacc = rare_classes(1200), np.arange(1200) // 4, metrics["balanced_accuracy"]
    rows = KnownRows(y, bacc, block=block)
    assert len(choose_factors(p, rows)) == 3
    answers = held_out_answers(p, rows, block % 5)
    assert bacc.score(y, answers, 3) > bacc.score(y, p, 3) + 0.05


def test_the_error_of_a_mean_of_groups_is_that_of_groups():
    """Simulated: the spread of means of 20 groups of 10 equal rows; rows alone would claim a third of it."""
    rng = np.random.default_rng(0)
    block, means, told = np.repeat(np.arange(20), 10), [], []
    for _ in range(400):
        x = rng.normal(size=20)[block]
        means.append(x.mean())
        told.append(standard_error(x - x.mean(), block))
    assert np.mean(told) == pytest.approx(np.std(means), rel=0.1)
    assert standard_error(x - x.mean(), np.arange(200)) == pytest.approx(standard_error(x - x.mean()))
