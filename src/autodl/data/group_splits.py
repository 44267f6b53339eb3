"""Rows set apart in whole groups. Notation: n rows."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int_]
MANY_ROWS, MANY_GROUPS = 200_000, 5_000
"""Above these, groups are dealt out by a method that is linear in the rows."""
LARGE_GROUPS = 2_000
"""Groups placed one by one; the others are so small that dealing them out in turn is as even."""


def group_hold_out(groups: Rows, bins: Rows | None, share: float, seed: int) -> tuple[Rows, Rows]:
    """The fold, among those of about ``share`` of the rows, that comes closest to it; arguments as below."""
    from sklearn.model_selection import GroupShuffleSplit

    n, target = len(groups), share * len(groups)
    k = max(2, round(1 / share))
    n_groups = len(np.unique(groups))
    if n_groups >= k and share <= 0.5:
        candidates = group_folds(groups, bins, k, seed)
    else:
        splitter = GroupShuffleSplit(
            10, test_size=min(n_groups - 1, max(1, round(share * n_groups))), random_state=seed
        )
        candidates = list(splitter.split(np.zeros(n), groups=groups))
    train, test = min(candidates, key=lambda fold: abs(len(fold[1]) - target))
    return np.sort(train), np.sort(test)


def group_folds(groups: Rows, bins: Rows | None, k: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Folds of whole groups, stratified where there is something to stratify by.

    Args:
        groups: (n,) numbers of the groups. bins: (n,) codes to stratify by, or None.
        k: Folds at most. seed: Of the draw.
    """
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    n_groups = len(np.unique(groups))
    k = min(k, n_groups)
    blank = np.zeros(len(groups))
    if bins is not None and np.bincount(bins).max() >= k:
        if len(groups) > MANY_ROWS or n_groups > MANY_GROUPS:
            return dealt_groups(groups, bins, k, seed)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class")
            folds = list(StratifiedGroupKFold(k, shuffle=True, random_state=seed).split(blank, bins, groups))
        if all(len(train) and len(valid) for train, valid in folds):
            return folds
    return list(GroupKFold(k, shuffle=True, random_state=seed).split(blank, groups=groups))


def dealt_groups(groups: Rows, bins: Rows, k: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Stratified folds of whole groups, at least k, in time linear in the rows; scikit-learn's may take minutes.

    The largest groups go one by one, largest first, to the fold that lacks their classes most; the many small ones
    are dealt out in turn, sorted by their most frequent class and by size, to the folds from the emptiest on.
    """
    kinds, code = np.unique(groups, return_inverse=True)
    n_groups, n_bins = len(kinds), int(bins.max()) + 1
    counts = np.bincount(code * n_bins + bins, minlength=n_groups * n_bins).reshape(n_groups, n_bins)
    sizes = counts.sum(axis=1)
    order = np.random.default_rng(seed).permutation(n_groups)
    order = order[np.argsort(-sizes[order], kind="stable")]
    large = max(k, min(LARGE_GROUPS, n_groups))
    fold_of = np.empty(n_groups, dtype=np.int_)
    held = np.zeros((k, n_bins))
    totals = np.maximum(1, counts.sum(axis=0))
    for g in order[:large]:
        share = (held + counts[g]) / totals
        # Adding a group where its classes are scarce keeps the sum of squared shares smallest.
        cost = (share**2).sum(axis=1) - ((held / totals) ** 2).sum(axis=1) + 1e-9 * held.sum(axis=1) / len(groups)
        fold_of[g] = int(np.argmin(cost))
        held[fold_of[g]] += counts[g]
    rest = order[large:]
    rest = rest[np.argsort(counts[rest].argmax(axis=1), kind="stable")]
    turn = np.argsort(held.sum(axis=1), kind="stable")
    there_and_back = np.concatenate([turn, turn[::-1]])
    fold_of[rest] = there_and_back[np.arange(len(rest)) % (2 * k)]
    fold = fold_of[code]
    return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(k)]
