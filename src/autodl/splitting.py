"""A dataset's rows cut into test rows and folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autodl.data import make_splits, split_test
from autodl.dataset import Dataset
from autodl.records import Validation


@dataclass(frozen=True)
class Rows:
    """Positions in a dataset: what the search may see, and the test rows."""

    search: NDArray[np.int_]
    test: NDArray[np.int_]
    folds: tuple[tuple[NDArray[np.int_], NDArray[np.int_]], ...]
    """Positions within ``search``."""
    further: tuple[tuple[tuple[NDArray[np.int_], NDArray[np.int_]], ...], ...] = ()
    """Other splits of the same rows into folds, on which leading configurations are tried again."""


def split(dataset: Dataset, validation: Validation, seed: int) -> Rows:
    """Set the test rows apart and cut the rest into folds."""
    groups = dataset.frame[validation.group_column].to_numpy() if validation.group_column else None
    times = dataset.frame[validation.time_column].to_numpy() if validation.time_column else None
    search, test = np.arange(len(dataset.y)), np.arange(0)
    if validation.test_size > 0:
        search, test = split_test(
            len(dataset.y), validation=validation, strata=dataset.y, groups=groups, times=times, seed=seed
        )
    first, *further = make_splits(
        len(search),
        validation=validation,
        strata=dataset.y[search],
        groups=None if groups is None else groups[search],
        times=None if times is None else times[search],
        seed=seed,
    )
    return Rows(search, test, tuple(first), tuple(tuple(folds) for folds in further))
