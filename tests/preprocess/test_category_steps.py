"""Codes, one-hot, target means and frequency ranks."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from autodl.preprocess.category_blocks import FrequencyBlock, FrequencyRankBlock, OneHotBlock, TargetBlock
from autodl.preprocess.codes import CategoryCoder
from autodl.preprocess.weighted_means import WeightedMeans
from autodl.records import Task

COLOURS = pd.DataFrame({"c": ["red", "blue", None, "red", "green", "red", "blue"]})


def test_codes_are_sorted_and_zero_means_unseen() -> None:
    coder = CategoryCoder(("c",)).fit(COLOURS)
    assert coder.labels == [["blue", "green", "red"]]
    assert coder.cardinalities == (5,)
    np.testing.assert_array_equal(coder.transform(COLOURS)[:, 0], [3, 1, 4, 3, 2, 3, 1])
    new = pd.DataFrame({"c": ["pink", "green", np.nan]})
    np.testing.assert_array_equal(coder.transform(new)[:, 0], [0, 2, 4])
    # Without gaps in the training, a missing value was never seen.
    whole = CategoryCoder(("c",)).fit(COLOURS.dropna())
    assert whole.cardinalities == (4,)
    np.testing.assert_array_equal(whole.transform(new)[:, 0], [0, 2, 0])
    void = CategoryCoder(("c",)).fit(pd.DataFrame({"c": [None, None]}, dtype=object))
    assert void.cardinalities == (1,)
    np.testing.assert_array_equal(void.transform(new)[:, 0], [0, 0, 0])


def test_rare_categories_share_a_code_and_so_do_new_ones() -> None:
    coder = CategoryCoder(("c",), rare=0.4).fit(COLOURS)
    assert coder.labels == [["red", "(rare)"]]
    np.testing.assert_array_equal(coder.transform(COLOURS)[:, 0], [1, 2, 3, 1, 2, 1, 2])
    np.testing.assert_array_equal(coder.transform(pd.DataFrame({"c": ["pink", None]}))[:, 0], [2, 3])


def test_onehot_has_a_column_for_missing_and_none_for_unseen() -> None:
    block = OneHotBlock(CategoryCoder(("c",)).fit(COLOURS), sparse=False)
    out = block.fit_transform(COLOURS, np.zeros(7))
    assert block.names == ("c=blue", "c=green", "c=red", "c=(missing)")
    np.testing.assert_array_equal(out.sum(axis=1), 1)
    np.testing.assert_array_equal(out[:, 2:], np.transpose([[1, 0, 0, 1, 0, 1, 0], [0, 0, 1, 0, 0, 0, 0]]))
    new = pd.DataFrame({"c": ["pink", None]})
    np.testing.assert_array_equal(block.transform(new), [[0, 0, 0, 0], [0, 0, 0, 1]])
    rare = OneHotBlock(CategoryCoder(("c",), rare=0.4).fit(COLOURS), sparse=False)
    rare.fit_transform(COLOURS, np.zeros(7))
    assert rare.names == ("c=red", "c=(rare)", "c=(missing)")
    np.testing.assert_array_equal(rare.transform(new), [[0, 1, 0], [0, 0, 1]])
    seen = pd.DataFrame({"c": ["red", "blue"]})
    strict = OneHotBlock(CategoryCoder(("c",)).fit(seen), sparse=True)
    strict.fit_transform(seen, np.zeros(2))
    assert strict.transform(pd.DataFrame({"c": ["pink", None]})).nnz == 0


def test_frequency_ranks() -> None:
    block = FrequencyRankBlock(CategoryCoder(("c",)).fit(COLOURS), "none", 0)
    np.testing.assert_array_equal(block.fit_transform(COLOURS, np.zeros(7))[:, 0], [1, 2, 0, 1, 3, 1, 2])
    np.testing.assert_array_equal(block.transform(pd.DataFrame({"c": ["pink", None]})), [[4], [0]])


def test_frequencies_of_missing_and_new_values_are_zero() -> None:
    block = FrequencyBlock(CategoryCoder(("c",)).fit(COLOURS), "none", 0)
    np.testing.assert_allclose(block.fit_transform(COLOURS, np.zeros(7))[:3, 0], [np.log(4), np.log(3), 0], rtol=1e-6)
    np.testing.assert_array_equal(block.transform(pd.DataFrame({"c": ["pink", None]})), [[0], [0]])


def test_target_encoding_does_not_leak_the_own_target() -> None:
    # 400 names on 800 rows and a random target: an encoding with the own target would predict it well.
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"who": [f"n{k}" for k in rng.integers(0, 400, 800)]})
    y = rng.integers(0, 2, 800)
    coder = CategoryCoder(("who",)).fit(frame)
    block = TargetBlock(coder, Task.CLASSIFICATION, "none", 0)
    crossed = block.fit_transform(frame, y)[:, 0]
    assert abs(roc_auc_score(y, crossed) - 0.5) < 0.08
    assert roc_auc_score(y, block.transform(frame)[:, 0]) > 0.8


def test_target_encoding_finds_the_means_and_one_column_a_class() -> None:
    frame = pd.DataFrame({"g": ["a"] * 500 + ["b"] * 500})
    value = np.concatenate([np.full(500, 1.0), np.full(500, 9.0)]) + np.random.default_rng(0).normal(size=1000)
    block = TargetBlock(CategoryCoder(("g",)).fit(frame), Task.REGRESSION, "none", 0)
    block.fit_transform(frame, value)
    new = pd.DataFrame({"g": ["a", "b", "never"]})
    np.testing.assert_allclose(block.transform(new)[:, 0], [1, 9, 5], atol=0.2)
    three = TargetBlock(CategoryCoder(("g",)).fit(frame), Task.CLASSIFICATION, "none", 0)
    three.fit_transform(frame, np.arange(1000) % 3)
    assert three.names == ("g:mean target[0]", "g:mean target[1]", "g:mean target[2]")
    np.testing.assert_allclose(three.transform(new).sum(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("weight", [None, np.ones(400)])
def test_a_new_category_has_the_mean_of_all_rows_and_not_that_of_gaps(weight: np.ndarray | None) -> None:
    frame = pd.DataFrame({"cabin": ["a", "b", None, None] * 100}, dtype=object)
    y = np.tile([9.0, 9.0, 1.0, 1.0], 100)
    block = TargetBlock(CategoryCoder(("cabin",)).fit(frame), Task.REGRESSION, "none", 0)
    block.fit_transform(frame, y, weight)
    new = pd.DataFrame({"cabin": ["never", None, "a"]}, dtype=object)
    np.testing.assert_allclose(block.transform(new)[:, 0], [5, 1, 9], atol=0.05)


def test_target_means_of_many_classes_stay_narrow() -> None:
    rng = np.random.default_rng(0)
    y = np.concatenate([np.full(200, 7), np.repeat(np.arange(40), 5)])
    frame = pd.DataFrame({"g": np.where(y == 7, "seven", rng.choice(["a", "b"], len(y)))})
    block = TargetBlock(CategoryCoder(("g",)).fit(frame), Task.CLASSIFICATION, "none", 0)
    out = block.fit_transform(frame, y)
    assert out.shape == (400, 10)
    assert len(block.names) == 10
    # The most frequent class is among those shown, and told apart.
    assert max(roc_auc_score(y == 7, out[:, j]) for j in range(10)) > 0.99


def test_means_of_small_categories_are_drawn_in_by_one_variance_a_column() -> None:
    """1, 3 | 5, 7 | 14 by hand: ranks less a half -.4, -.2 | 0, .2 | .4 with means -.3, .1 and .4, and variance .08.

    Of the four rows that stand together .04 / 2 of the variance .05 lies within, two fifths.
    """
    codes = np.array([[1], [1], [2], [2], [3]])
    found = WeightedMeans().fit(codes, np.array([1.0, 3.0, 5.0, 7.0, 14.0]), np.ones(5))
    within = 0.08 * 0.4
    between = (2 * 0.3**2 + 2 * 0.1**2 + 0.4**2 - 2 * within) / (5 - (4 + 4 + 1) / 5)
    two, one = 2 * between / (2 * between + within), between / (between + within)
    new = np.array([[1], [2], [3], [9]])
    np.testing.assert_allclose(found.transform(new)[:, 0], [6 - 4 * two, 6, 6 + 8 * one, 6])


def test_one_enormous_target_leaves_the_means_of_others_alone() -> None:
    rng = np.random.default_rng(0)
    nature = 5 + 2 * rng.normal(size=40)
    codes = np.repeat(np.arange(40), rng.integers(20, 60, 40))
    target = nature[codes] + rng.normal(size=len(codes))
    target[0] = 1e4
    found = WeightedMeans().fit(codes[:, None], target, np.ones(len(codes))).transform(np.arange(40)[:, None])[:, 0]
    assert np.corrcoef(found[1:], nature[1:])[0, 1] > 0.98


def test_categories_of_one_row_are_not_believed_though_all_repeated_ones_agree() -> None:
    codes = np.r_[np.repeat(np.arange(100), 2), np.arange(100, 900)]
    target = (np.arange(1000) == 500).astype(float)
    found = WeightedMeans().fit(codes[:, None], target, np.ones(1000)).transform(codes[:, None])
    assert found.max() < 0.1


def test_mean_targets_do_not_follow_single_rows() -> None:
    # Of 300 categories that say nothing, many have one row, or a few that agree.
    rng = np.random.default_rng(0)
    who, y = rng.integers(0, 300, 600), rng.integers(0, 2, 600).astype(float)
    frame = pd.DataFrame({"who": [f"n{k}" for k in who]})
    block = TargetBlock(CategoryCoder(("who",)).fit(frame), Task.REGRESSION, "none", 0)
    crossed = block.fit_transform(frame, y)[:, 0]
    raw = pd.Series(y).groupby(who).mean()
    assert raw.isin([0.0, 1.0]).mean() > 0.4
    assert np.abs(block.transform(frame)[:, 0] - y.mean()).max() < 0.2
    assert np.abs(crossed - y.mean()).max() < 0.2
    # Where categories do differ, those of many rows keep their means, and the smaller the less.
    sizes = np.array([1, 2, 5, 50, 200])
    codes = np.repeat(np.arange(20), np.tile(sizes, 4))
    target = np.where(codes < 10, 0.0, 10.0) + np.tile([-2.0, 2.0], len(codes))[: len(codes)]
    found = WeightedMeans().fit(codes[:, None], target, np.ones(len(codes))).transform(np.arange(20)[:, None])[:, 0]
    means = np.bincount(codes, weights=target) / np.bincount(codes)
    kept = ((found - target.mean()) / (means - target.mean())).reshape(4, 5)
    assert np.all(np.diff(kept, axis=1) > 0)
    assert np.all((kept > 0.5) & (kept < 1))


def test_mean_targets_without_spread_or_without_repeated_rows() -> None:
    codes = np.arange(6)[:, None]
    ones = np.ones(6)
    np.testing.assert_array_equal(WeightedMeans().fit(codes, 4.0 * ones, ones).transform(codes), 4.0)
    # Each row is its own category: nothing tells its chance from its nature.
    alone = WeightedMeans().fit(codes, np.arange(6.0), ones).transform(codes)[:, 0]
    assert np.abs(alone - 2.5).max() < 0.5
    one = WeightedMeans().fit(0 * codes, np.arange(6.0), ones).transform(np.array([[0], [1]]))
    np.testing.assert_allclose(one, 2.5)


def test_weighted_mean_targets_are_those_of_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    codes, target = rng.integers(0, 6, (80, 2)), rng.normal(size=80)
    weight = rng.integers(1, 4, 80)
    rows = np.repeat(np.arange(80), weight)
    expected = WeightedMeans().fit(codes[rows], target[rows], np.ones(len(rows)))
    found = WeightedMeans().fit(codes, target, weight.astype(float))
    new = np.array([[0, 5], [3, 2], [9, 9]])
    np.testing.assert_allclose(found.transform(new), expected.transform(new))
    # A category whose rows all weigh nothing says nothing.
    none = WeightedMeans().fit(codes, target, np.where(codes[:, 0] == 3, 0.0, 1.0))
    np.testing.assert_allclose(none.transform(np.array([[3, 0]]))[0, 0], np.mean(target[codes[:, 0] != 3]))


@pytest.mark.parametrize("rows", [1, 2, 20])
@pytest.mark.parametrize("kind", ["rounding", "uneven", "some heavy"])
def test_weights_that_are_no_counts_do_not_make_small_categories_believed(rows: int, kind: str) -> None:
    rng = np.random.default_rng(0)
    codes, target = np.arange(1000)[:, None] // rows, (rng.random(1000) < 0.3).astype(float)
    kinds = {
        "rounding": np.nextafter(np.ones(1000), rng.choice([0.0, 2.0], 1000)),
        "uneven": rng.lognormal(0, 0.7, 1000),
        "some heavy": np.where(rng.random(1000) < 0.1, 5.5, 0.5),
    }
    weight = kinds[kind] / kinds[kind].mean()
    found = WeightedMeans().fit(codes, target, weight).transform(codes)
    assert found.std() < 0.05  # of 0.45 that raw means of single rows have
    # Only how such weights compare counts.
    np.testing.assert_allclose(WeightedMeans().fit(codes, target, weight * 1.7).transform(codes), found, atol=1e-9)


def test_weights_that_are_no_counts_leave_categories_apart_that_differ() -> None:
    rng = np.random.default_rng(0)
    nature, codes = rng.normal(size=50), np.repeat(np.arange(50), 20)
    target = nature[codes] + rng.normal(size=1000)
    even = WeightedMeans().fit(codes[:, None], target, np.ones(1000)).transform(codes[:, None])
    for weight in (np.full(1000, 0.1), rng.lognormal(0, 0.5, 1000)):
        found = WeightedMeans().fit(codes[:, None], target, weight).transform(codes[:, None])
        assert np.corrcoef(found[:, 0], even[:, 0])[0, 1] > 0.97
        assert found.std() > 0.9 * even.std()
    np.testing.assert_allclose(
        WeightedMeans().fit(codes[:, None], target, np.full(1000, 0.1)).transform(codes[:, None]), even
    )


def test_a_block_with_weights_follows_the_heavy_rows() -> None:
    frame = pd.DataFrame({"c": ["a", "b"] * 60})
    y = np.tile([0.0, 1.0, 1.0, 0.0], 30)
    weight = np.tile([9.0, 9.0, 1.0, 1.0], 30)
    block = TargetBlock(CategoryCoder(("c",)).fit(frame), Task.REGRESSION, "none", 0)
    block.fit_transform(frame, y, weight)
    np.testing.assert_allclose(block.transform(frame[:2]).ravel(), [0.1, 0.9], atol=0.02)
