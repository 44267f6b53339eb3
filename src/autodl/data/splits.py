"""Rows set apart for testing and validating.

Notation: n rows, K folds. ``strata``: (n,) class codes, or float targets of a regression, which are cut into bins
of equal size so that every part sees low, middle and high values. ``groups``: (n,) keys; rows of one group stay
together. ``times``: (n,) sortable values; NaN or NaT counts as earliest.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from autodl.data.group_splits import group_folds, group_hold_out
from autodl.errors import ConfigError, DataError
from autodl.records import Validation

Rows = NDArray[np.int_]
BINS = 10
"""Target bins of a regression."""
MIN_BIN = 5
"""Rows that a bin has at least, where it can."""
STRETCHES = 5
"""Of time, that the rows of a single hold-out are cut into."""


def split_test(
    n: int,
    *,
    validation: Validation,
    strata: NDArray[Any] | None,
    groups: NDArray[Any] | None,
    times: NDArray[Any] | None,
    seed: int,
) -> tuple[Rows, Rows]:
    """Set the final test rows apart.

    Stratified: every class keeps its share; classes of one row stay in the search. Group: no group on both sides.
    Time: the last rows, never cutting through equal times.

    Returns:
        (search rows, test rows), both sorted; the test rows are empty where ``validation.test_size`` is 0.

    Raises:
        DataError: If there are too few rows, groups or times for two sides.
        ConfigError: If the split needs groups or times that are not given.
    """
    if validation.test_size == 0:
        return np.arange(n), np.empty(0, dtype=np.int_)
    return _hold_out(n, validation, validation.test_size, strata, groups, times, seed)


def make_folds(
    n: int,
    *,
    validation: Validation,
    strata: NDArray[Any] | None,
    groups: NDArray[Any] | None,
    times: NDArray[Any] | None,
    seed: int,
) -> list[tuple[Rows, Rows]]:
    """(training rows, validation rows) of each fold, sorted.

    K >= 2: cross-validation, every row validated once; by time, K expanding windows, each validated on what follows.
    K = 1: one hold-out of ``validation.holdout``. K is lowered where rows, groups or times do not suffice.

    Raises:
        DataError: If there are too few rows, groups or times for two sides.
        ConfigError: If the split needs groups or times that are not given.
    """
    if validation.kind == "time" and validation.test_size and n > 1 and _instants(times, n).max() == 1:
        raise DataError(
            f"all rows but those of the test have the same time in '{validation.time_column}'",
            "At least 3 times are needed: to learn, to validate and to test. Choose another time column, or none.",
        )
    if validation.n_folds < 2:
        return [_hold_out(n, validation, validation.holdout, strata, groups, times, seed)]
    if n < 2:
        raise DataError(f"{n} rows cannot be split", "Give more rows.")
    k = min(validation.n_folds, n)
    if validation.kind == "time":
        return _windows(_instants(times, n), k)
    if validation.kind == "group":
        return _sorted(group_folds(_codes(groups, n), _bins(strata, validation), k, seed))
    bins = _bins(strata, validation)
    return _sorted(_plain_folds(n, k, seed) if bins is None else _stratified_folds(bins, k, seed))


def make_splits(
    n: int,
    *,
    validation: Validation,
    strata: NDArray[Any] | None,
    groups: NDArray[Any] | None,
    times: NDArray[Any] | None,
    seed: int,
) -> list[list[tuple[Rows, Rows]]]:
    """The folds of ``make_folds``, and as many further splits as ``validation.repeats`` asks for, drawn anew.

    Rows ordered by time are split in one way only, and a single hold-out is not repeated.

    Raises:
        DataError: If there are too few rows, groups or times for two sides.
        ConfigError: If the split needs groups or times that are not given.
    """
    again = 1 if validation.kind == "time" or validation.n_folds < 2 else validation.repeats
    return [
        make_folds(
            n, validation=validation, strata=strata, groups=groups, times=times,
            seed=seed if s == 0 else int(np.random.SeedSequence([seed, s]).generate_state(1)[0]),
        )
        for s in range(again)
    ]  # fmt: skip


def make_blocks(
    n: int,
    folds: Sequence[tuple[Rows, Rows]],
    *,
    validation: Validation,
    groups: NDArray[Any] | None,
    times: NDArray[Any] | None,
) -> Rows | None:
    """(n,) blocks of rows that stay together when their predictions are cut anew; None if each row is its own.

    Groups are blocks. By time the rows that each fold validates are one, those of a single hold-out several
    stretches; rows that no fold validates are -1.
    """
    if validation.kind == "group":
        return _codes(groups, n)
    if validation.kind != "time":
        return None
    stretches = [held_out for _, held_out in folds]
    if len(stretches) == 1:
        held_out = stretches[0]
        stretches = np.array_split(held_out[np.argsort(_instants(times, n)[held_out], kind="stable")], STRETCHES)
    found = np.full(n, -1)
    for number, stretch in enumerate(stretches):
        found[stretch] = number
    return found


def stretches_of_time(times: NDArray[Any], most: int) -> Rows:
    """(n,) numbers of stretches of time with about as many rows each; rows of the same time are in one.

    Args:
        times: (n,) sortable values.
        most: Stretches; fewer where that would leave less than two rows for each.
    """
    n = len(times)
    instants = _instants(times, n)
    earlier = np.searchsorted(np.sort(instants), instants, side="left")
    return np.asarray(earlier * max(1, min(most, n // 2)) // max(1, n), dtype=np.int_)


def _hold_out(
    n: int,
    validation: Validation,
    share: float,
    strata: NDArray[Any] | None,
    groups: NDArray[Any] | None,
    times: NDArray[Any] | None,
    seed: int,
) -> tuple[Rows, Rows]:
    if not 0 < share < 1:
        raise ConfigError(f"the share held out must lie between 0 and 1, but got {share:g}")
    if n < 2:
        raise DataError(f"{n} rows cannot be split", "Give more rows.")
    held = min(n - 1, max(1, round(share * n)))
    if validation.kind == "time":
        return _last(_instants(times, n), held)
    bins = _bins(strata, validation)
    if validation.kind == "group":
        return group_hold_out(_codes(groups, n), bins, share, seed)
    test = _random(n, held, seed) if bins is None else _stratified(bins, held, seed)
    return np.setdiff1d(np.arange(n), test), np.sort(test)


def _random(n: int, held: int, seed: int) -> Rows:
    return np.random.default_rng(seed).permutation(n)[:held]


def _stratified(codes: Rows, held: int, seed: int) -> Rows:
    """Held-out rows with every class in its share; a class keeps at least one row outside."""
    from sklearn.model_selection import StratifiedShuffleSplit

    counts = np.bincount(codes)
    n, k = len(codes), int((counts > 1).sum())
    free = np.flatnonzero(counts[codes] > 1)
    if held < len(free) - k and held >= k > 0:
        splitter = StratifiedShuffleSplit(1, test_size=held, random_state=seed)
        test: Rows = free[next(splitter.split(free, codes[free]))[1]]
    else:  # Fewer held-out rows than classes: at random, after one row of each class is set aside.
        order = np.random.default_rng(seed).permutation(n)
        first = order[np.unique(codes[order], return_index=True)[1]]
        test = np.setdiff1d(order, first, assume_unique=True)
        test = np.random.default_rng(seed).permutation(test)[:held]
        if len(test) == 0:
            return order[:held]
    lost = np.setdiff1d(codes, np.delete(codes, test))
    back = [test[codes[test] == c][0] for c in lost]
    return np.setdiff1d(test, back)


def _plain_folds(n: int, k: int, seed: int) -> list[tuple[Rows, Rows]]:
    from sklearn.model_selection import KFold

    return list(KFold(k, shuffle=True, random_state=seed).split(np.zeros(n)))


def _stratified_folds(codes: Rows, k: int, seed: int) -> list[tuple[Rows, Rows]]:
    from sklearn.model_selection import StratifiedKFold

    if np.bincount(codes).max() < k:  # The splitter refuses; dealing the rows out class by class does the same.
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(codes))
        order = order[np.argsort(codes[order], kind="stable")]
        fold = np.empty(len(codes), dtype=np.int_)
        fold[order] = np.arange(len(codes)) % k
        return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(k)]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        return list(StratifiedKFold(k, shuffle=True, random_state=seed).split(codes, codes))


def _last(instants: Rows, held: int) -> tuple[Rows, Rows]:
    """The last rows by time; where the border falls into equal times, all of them go to the nearer side."""
    order = np.argsort(instants, kind="stable")
    cut = _border(instants[order], len(order) - held)
    return np.sort(order[:cut]), np.sort(order[cut:])


def _border(ordered: Rows, cut: int) -> int:
    """The change of time nearest to a position."""
    changes = np.flatnonzero(np.diff(ordered)) + 1
    if len(changes) == 0:
        raise DataError("all rows have the same time", "Choose another time column, or none.")
    return int(changes[np.argmin(np.abs(changes - cut))])


def _windows(instants: Rows, k: int) -> list[tuple[Rows, Rows]]:
    """Expanding windows (Hyndman and Athanasopoulos, Forecasting, section 5.10): train on the past, validate on what
    follows."""  # fmt: skip
    from sklearn.model_selection import TimeSeriesSplit

    order = np.argsort(instants, kind="stable")
    ordered = instants[order]
    n = len(order)
    k = min(k, n - 1)
    cuts = [_border(ordered, int(train[-1]) + 1) for train, _ in TimeSeriesSplit(k).split(order)]
    edges = [*sorted(set(cuts)), n]
    return [(np.sort(order[:a]), np.sort(order[a:b])) for a, b in pairwise(edges)]


def _bins(strata: NDArray[Any] | None, validation: Validation) -> Rows | None:
    """(n,) codes to stratify by, or None."""
    if strata is None or len(strata) == 0:
        return None
    if strata.dtype.kind == "f" and validation.kind != "stratified":
        n_bins = min(BINS, len(strata) // MIN_BIN)
        if n_bins < 2:
            return None
        ranks = pd.Series(strata).rank(method="average", pct=True).fillna(0).to_numpy()
        binned = np.minimum((ranks * n_bins).astype(np.int_), n_bins - 1)
        return np.asarray(pd.factorize(binned)[0], dtype=np.int_)
    return np.asarray(pd.factorize(strata, use_na_sentinel=False)[0], dtype=np.int_)


def group_codes(groups: NDArray[Any]) -> Rows:
    """(n,) numbers of the groups in the order in which they appear; every row without a group is one of its own."""
    codes = np.asarray(pd.factorize(groups, use_na_sentinel=True)[0], dtype=np.int_).copy()
    lone = codes < 0
    codes[lone] = codes.max(initial=-1) + 1 + np.arange(lone.sum())
    return codes


def _codes(groups: NDArray[Any] | None, n: int) -> Rows:
    """(n,) group numbers; every row without a group is a group of its own."""
    if groups is None:
        raise ConfigError("a grouped split needs a group column", "Name it with --group.")
    codes = group_codes(groups)
    if len(np.unique(codes)) < 2:
        raise DataError("all rows belong to one group", "Choose another group column, or none.")
    return codes[:n]


def _instants(times: NDArray[Any] | None, n: int) -> Rows:
    """(n,) ranks of the times; missing times rank first."""
    if times is None:
        raise ConfigError("a split by time needs a time column", "Name it with --time-column.")
    ranks = pd.Series(times).rank(method="dense", na_option="top")
    return np.asarray(ranks.to_numpy()[:n], dtype=np.int_)


def _sorted(folds: list[tuple[Rows, Rows]]) -> list[tuple[Rows, Rows]]:
    return [(np.sort(train), np.sort(valid)) for train, valid in folds]
