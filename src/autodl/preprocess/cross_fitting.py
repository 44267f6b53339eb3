"""The parts of the training rows that supervised features are cross-fitted on."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.records import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = 5


def crossed_parts(
    y: NDArray[Any], task: Task, seed: int, groups: NDArray[np.int_] | None = None
) -> list[tuple[NDArray[np.int_], NDArray[np.int_]]]:
    """Positions to learn from and positions to encode, five times; classes are spread evenly over the parts.

    Args:
        y: (n,) class codes or values, at least two rows.
        task: What the target is.
        seed: Of the shuffling.
        groups: (n,) numbers of groups whose rows stay together, where there are two of them or more; None: each row
            is one of its own.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    n_groups = 0 if groups is None else len(np.unique(groups))
    if groups is not None and n_groups >= 2:
        from autodl.data.group_splits import dealt_groups

        kinds = y if task is Task.CLASSIFICATION else np.zeros(len(y))
        bins = np.unique(kinds, return_inverse=True)[1]
        return dealt_groups(groups, bins, min(PARTS, n_groups), seed)
    rows = np.zeros((len(y), 0))
    largest = int(np.unique(y, return_counts=True)[1].max()) if task is Task.CLASSIFICATION else 0
    if largest < 2:
        return list(KFold(min(PARTS, len(y)), shuffle=True, random_state=seed).split(rows))
    with warnings.catch_warnings():
        # A class with fewer rows than folds is rare, not wrong.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        folds = StratifiedKFold(min(PARTS, largest), shuffle=True, random_state=seed)
        return list(folds.split(rows, y))


def shown_targets(y: NDArray[Any], task: Task, most: int) -> list[NDArray[np.float64]]:
    """The target as numbers: its values, or 0/1 for the second of two classes, or for each of the most frequent.

    Args:
        y: (n,) class codes or values.
        task: What the target is.
        most: Classes shown at most, the most frequent ones.
    """
    if task is Task.REGRESSION:
        return [np.asarray(y, dtype=np.float64)]
    classes, counts = np.unique(y, return_counts=True)
    if len(classes) <= 2:
        return [(y == classes[-1]).astype(np.float64)]
    often = np.sort(np.argsort(-counts, kind="stable")[: min(len(classes), most)])
    return [(y == k).astype(np.float64) for k in classes[often]]
