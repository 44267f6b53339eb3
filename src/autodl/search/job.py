"""What a trial is given and what it gives back: the data of the run, a job, an outcome.

Notation: n search rows, m test rows, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autodl.records import JsonScalar, Recipe, TableSchema, Task, TrialResult, TrialSpec
from autodl.search.curves import Curve

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.preprocess.vectors import VectorTable

Tell = Callable[[str], None]
"""Is told what a trial is about to do ("training on fold 1 of 5"), so that an end from outside can be explained."""


@dataclass(frozen=True)
class TrialData:
    """What every trial of a run shares; sent to each worker once.

    Attributes:
        frame: (n,) canonical search rows, feature columns only.
        y: (n,) int64 class codes or float64 values.
        test_frame: (m,) canonical test rows, without their targets.
        folds: Positions of training and validation rows of each fold.
        further: Other splits into folds, drawn anew; see ``TrialSpec.split``.
        schema: The feature columns.
        recipes: Starting recipe of each family.
        metric: Key of the metric to optimize.
        threads: Threads a trial may use.
        quantiles: Q levels that are predicted; empty where one number is.
        weight: (n,) positive weights of the rows, mean 1; None where all count alike.
        blocks: (n,) rows of the same number, such as a group, are judged together; None if each stands for itself.
        vectors: Vectors of images and texts that were made before the search, by the key of what made them.
        by_time: Whether each fold knows more rows than those before it: the model of the last one speaks for all.
    """

    frame: pd.DataFrame
    y: NDArray[Any]
    test_frame: pd.DataFrame
    folds: tuple[tuple[NDArray[np.int_], NDArray[np.int_]], ...]
    schema: TableSchema
    task: Task
    n_classes: int
    metric: str
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    threads: int = 1
    quantiles: tuple[float, ...] = ()
    weight: NDArray[np.float64] | None = None
    further: tuple[tuple[tuple[NDArray[np.int_], NDArray[np.int_]], ...], ...] = ()
    blocks: NDArray[np.int_] | None = None
    vectors: tuple[tuple[str, VectorTable], ...] = ()
    by_time: bool = False

    def make_known(self) -> None:
        """Let this process know the vectors, so that no trial makes them again."""
        from autodl.preprocess.vectors import vector_memory

        for key, table in self.vectors:
            vector_memory.learn(key, table)

    @property
    def groups(self) -> NDArray[np.int_] | None:
        """(n,) numbers of the groups that no split tears apart; None if each row stands for itself, or by time."""
        return None if self.by_time else self.blocks

    def groups_of(self, rows: NDArray[np.int_]) -> NDArray[np.int_] | None:
        """The groups of some rows."""
        return None if self.groups is None else self.groups[rows]

    def weight_of(self, rows: NDArray[np.int_]) -> NDArray[np.float64] | None:
        """The weights of some rows, not scaled anew; None where all count alike."""
        return None if self.weight is None else self.weight[rows]

    def folds_of(self, split: int) -> tuple[tuple[NDArray[np.int_], NDArray[np.int_]], ...]:
        """The folds of a split; 0 is the first, on which every configuration is tried.

        Raises:
            IndexError: If there is no such split.
        """
        return self.folds if split == 0 else self.further[split - 1]


@dataclass(frozen=True)
class Job:
    """A trial to carry out: the specification, its time, and the rivals that a scheduler compares it with."""

    spec: TrialSpec
    seconds: float = float("inf")
    scheduler: str = "none"
    rivals: tuple[tuple[float, ...], ...] = ()
    """Losses of their folds."""
    curves: tuple[Curve, ...] = ()
    """Trainings of the family's other trials."""
    parents: tuple[bytes, ...] = ()
    """Fold models of the trial from which it goes on, if there is one."""
    choices: Mapping[str, tuple[JsonScalar, ...]] | None = None
    """What networks with shared weights differ in; then they are trained and ranked, instead of one network."""
    light: bool = True
    """Whether the memory that it takes is no danger to the process of the run."""
    partial: bool = False
    """Whether the folds that are done when the time is up make a result: where there is no other model yet."""
    bytes: float = 0.0
    """Memory that it is expected to take; 0 if nobody knows."""
    scout: bool = False
    """Whether a trial on a part of the rows is a result like any other; else it only says what is worth more."""
    loading: float = 0.0
    """Of the seconds, those for the libraries of networks: a process that has loaded them has so much less."""


@dataclass(frozen=True)
class TrialOutcome:
    """A result with its arrays and models, not yet stored."""

    result: TrialResult
    oof: NDArray[Any] | None = None
    test: NDArray[Any] | None = None
    models: list[bytes] = field(default_factory=list)
