"""Splits partition the rows, keep classes, groups and time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.data import make_folds, split_test
from autodl.data.splits import make_blocks, stretches_of_time
from autodl.errors import ConfigError, DataError
from autodl.records import Validation


def plan(kind: str, n_folds: int = 5, test_size: float = 0.2, holdout: float = 0.2) -> Validation:
    return Validation(kind=kind, n_folds=n_folds, test_size=test_size, holdout=holdout)  # type: ignore[arg-type]


def is_partition(a: np.ndarray, b: np.ndarray, n: int) -> bool:
    in_order = bool((np.diff(a) > 0).all() and (np.diff(b) > 0).all())
    return in_order and np.array_equal(np.sort(np.concatenate([a, b])), np.arange(n))


@settings(max_examples=80, deadline=None)
@given(
    codes=st.lists(st.integers(0, 5), min_size=2, max_size=80).map(np.array),
    n_folds=st.integers(1, 8),
    share=st.sampled_from([0.1, 0.2, 0.3, 0.5]),
    seed=st.integers(0, 5),
)
def test_stratified(codes: np.ndarray, n_folds: int, share: float, seed: int) -> None:
    n = len(codes)
    validation = plan("stratified", n_folds, share)
    search, test = split_test(n, validation=validation, strata=codes, groups=None, times=None, seed=seed)
    assert is_partition(search, test, n)
    assert set(codes[test]) <= set(codes[search]) or len(search) < len(set(codes))
    folds = make_folds(n, validation=validation, strata=codes, groups=None, times=None, seed=seed)
    assert len(folds) == (1 if n_folds == 1 else min(n_folds, n))
    counts = np.bincount(codes)
    for train, valid in folds:
        assert is_partition(train, valid, n)
        if n_folds > 1:
            assert {c for c in set(codes) if counts[c] >= len(folds)} <= set(codes[train])
    if n_folds > 1:
        np.testing.assert_array_equal(np.sort(np.concatenate([v for _, v in folds])), np.arange(n))


def test_stratified_keeps_shares() -> None:
    codes = np.repeat([0, 1, 2], [800, 150, 50])
    search, test = split_test(1000, validation=plan("stratified"), strata=codes, groups=None, times=None, seed=0)
    np.testing.assert_array_equal(np.bincount(codes[test]), [160, 30, 10])
    np.testing.assert_array_equal(np.bincount(codes[search]), [640, 120, 40])
    for _, valid in make_folds(1000, validation=plan("stratified"), strata=codes, groups=None, times=None, seed=0):
        np.testing.assert_array_equal(np.bincount(codes[valid]), [160, 30, 10])


def test_lone_classes_stay_in_the_search() -> None:
    names = np.array(["a"] * 50 + ["b"] * 48 + ["only", "once"], dtype=object)
    for seed in range(10):
        search, test = split_test(
            100, validation=plan("stratified"), strata=names, groups=None, times=None, seed=seed
        )
        assert {"only", "once"} <= set(names[search])
        assert len(test) == 20


def test_random_with_target_bins_is_closer_than_chance() -> None:
    y = np.random.default_rng(0).lognormal(size=200)
    spread = {"bins": [], "chance": []}
    for seed in range(20):
        for key, strata in (("bins", y), ("chance", None)):
            _, test = split_test(200, validation=plan("random"), strata=strata, groups=None, times=None, seed=seed)
            assert len(test) == 40
            spread[key].append(np.median(y[test]))
    assert np.std(spread["bins"]) < 0.5 * np.std(spread["chance"])


@settings(max_examples=60, deadline=None)
@given(
    groups=st.lists(st.integers(0, 12), min_size=4, max_size=80).map(np.array),
    n_folds=st.integers(1, 6),
    share=st.sampled_from([0.1, 0.2, 0.4]),
    classes=st.booleans(),
    seed=st.integers(0, 3),
)
def test_groups_never_leak(groups: np.ndarray, n_folds: int, share: float, classes: bool, seed: int) -> None:
    n = len(groups)
    strata = groups % 2 if classes else None
    args = {
        "validation": plan("group", n_folds, share),
        "strata": strata,
        "groups": groups,
        "times": None,
        "seed": seed,
    }
    if len(set(groups)) < 2:
        with pytest.raises(DataError, match="one group"):
            split_test(n, **args)
        return
    parts = [split_test(n, **args), *make_folds(n, **args)]
    for train, valid in parts:
        assert is_partition(train, valid, n)
        assert len(train) and len(valid)
        assert not set(groups[train]) & set(groups[valid])


def test_group_test_size_is_near() -> None:
    groups = np.random.default_rng(0).integers(0, 60, 1000)
    _, test = split_test(1000, validation=plan("group"), strata=None, groups=groups, times=None, seed=0)
    assert 150 <= len(test) <= 250


@settings(max_examples=80, deadline=None)
@given(
    times=st.lists(st.integers(0, 40), min_size=3, max_size=80).map(np.array),
    n_folds=st.integers(1, 6),
    share=st.sampled_from([0.1, 0.2, 0.4]),
)
def test_time_goes_forward(times: np.ndarray, n_folds: int, share: float) -> None:
    n = len(times)
    stamps = np.datetime64("2020-01-01", "ns") + times.astype("timedelta64[D]")
    args = {"validation": plan("time", n_folds, share), "strata": None, "groups": None, "times": stamps, "seed": 0}
    if len(set(times)) < 2:
        with pytest.raises(DataError, match="same time"):
            split_test(n, **args)
        return
    search, test = split_test(n, **args)
    assert is_partition(search, test, n)
    folds = make_folds(n, **args)
    assert 1 <= len(folds) <= max(1, n_folds)
    for train, valid in [(search, test), *folds]:
        assert len(train) and len(valid)
        assert times[train].max() < times[valid].min()
    for (train, valid), (later, _) in pairwise(folds):
        np.testing.assert_array_equal(np.sort(np.concatenate([train, valid])), later)


def test_too_few_times_are_told_with_the_column() -> None:
    validation = plan("time").model_copy(update={"time_column": "year"})
    args = {"validation": validation, "strata": None, "groups": None, "seed": 0}
    years = np.repeat([2019, 2020], 50)
    search, _ = split_test(100, **args, times=years)
    with pytest.raises(DataError, match=r"all rows but those of the test have the same time in 'year'.*At least 3"):
        make_folds(len(search), **args, times=years[search])


def test_missing_times_are_past() -> None:
    times = np.array(["2020-01-03", "NaT", "2020-01-01", "2020-01-02", "2020-01-04"], dtype="datetime64[ns]")
    search, test = split_test(5, validation=plan("time"), strata=None, groups=None, times=times, seed=0)
    assert test.tolist() == [4]
    assert search.tolist() == [0, 1, 2, 3]


def test_no_test_rows_where_a_test_file_is_given() -> None:
    search, test = split_test(
        10, validation=plan("random", test_size=0), strata=None, groups=None, times=None, seed=0
    )
    assert (len(search), len(test)) == (10, 0)


@pytest.mark.parametrize("kind", ["random", "stratified", "group"])
def test_same_seed_same_split(kind: str) -> None:
    args = {"strata": np.arange(100) % 3, "groups": np.arange(100) % 20, "times": None}
    one, two, other = (split_test(100, validation=plan(kind), **args, seed=s)[1] for s in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_errors() -> None:
    none = {"strata": None, "groups": None, "times": None, "seed": 0}
    with pytest.raises(DataError, match="1 rows cannot be split"):
        split_test(1, validation=plan("random"), **none)
    with pytest.raises(ConfigError, match="group column"):
        split_test(9, validation=plan("group"), **none)
    with pytest.raises(ConfigError, match="time column"):
        make_folds(9, validation=plan("time"), **none)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        split_test(9, validation=plan("random", test_size=1.5), **none)


def test_many_groups_are_dealt_out_evenly() -> None:
    rng = np.random.default_rng(0)
    n, n_groups = 60_000, 8_000
    rate = rng.uniform(0, 0.2, n_groups)
    groups = np.minimum(rng.geometric(1 / 2_000, n), n_groups) - 1  # from hundreds of rows in a group down to one
    y = (rng.uniform(size=n) < rate[groups]).astype(int)
    folds = make_folds(n, validation=plan("group"), strata=y, groups=groups, times=None, seed=0)
    tested = np.concatenate([valid for _, valid in folds])
    assert np.array_equal(np.sort(tested), np.arange(n))
    for train, valid in folds:
        assert not len(np.intersect1d(groups[train], groups[valid]))
        assert len(valid) == pytest.approx(n / 5, rel=0.02)
        assert y[valid].mean() == pytest.approx(y.mean(), rel=0.05)


def test_blocks_are_groups_or_stretches_of_time() -> None:
    groups = np.array(["b", "a", "b", None, None])
    found = make_blocks(5, [], validation=plan("group"), groups=groups, times=None)
    assert found is not None and found[0] == found[2] and len(set(found)) == 4, "rows without a group stand alone"
    assert make_blocks(5, [], validation=plan("random"), groups=groups, times=None) is None

    times = np.random.default_rng(0).permutation(60)
    for n_folds in (1, 3):
        validation = plan("time", n_folds)
        folds = make_folds(60, validation=validation, strata=None, groups=None, times=times, seed=0)
        found = make_blocks(60, folds, validation=validation, groups=None, times=times)
        assert found is not None
        assert np.array_equal(np.flatnonzero(found >= 0), np.sort(np.concatenate([valid for _, valid in folds])))
        assert len(set(found[found >= 0])) == (5 if n_folds == 1 else 3)
        assert (np.diff(found[np.argsort(times)]) >= 0).all(), "no stretch reaches into another"


def test_stretches_of_time_hold_neighbours_and_never_tear_a_time() -> None:
    times = np.random.default_rng(0).permutation(np.repeat(np.arange(100), 3))
    found = stretches_of_time(times, 20)
    assert sorted(np.unique(found, return_counts=True)[1]) == [15] * 20
    assert (np.diff(found[np.argsort(times, kind="stable")]) >= 0).all()
    assert all(len(np.unique(found[times == t])) == 1 for t in range(100))
    assert len(np.unique(stretches_of_time(np.arange(10), 20))) == 5, "at least two rows each"
    assert len(np.unique(stretches_of_time(np.zeros(30), 20))) == 1
    assert stretches_of_time(np.array([7]), 20).tolist() == [0] and len(stretches_of_time(np.empty(0), 20)) == 0
