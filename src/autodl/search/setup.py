"""What a search needs besides its clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autodl.machine import available_memory, this_machine
from autodl.search.costs import CostModel
from autodl.search.feasibility import Feasibility
from autodl.search.fitting import fitted_space
from autodl.search.memory import WORKER_BYTES, MemoryModel, allowance

if TYPE_CHECKING:
    from autodl.models.base import Shape
    from autodl.records import Plan
    from autodl.search.job import TrialData
    from autodl.search.space import SearchSpace

CHECK_S = 3.0
"""Seconds to start a process, load a model in it and measure what it takes."""


@dataclass(frozen=True)
class SearchSetup:
    """What a search needs besides its clock.

    Attributes:
        plan: Families, runner, workers, strategy.
        data: Rows and folds.
        shape: Size of one fit.
        address: Ray cluster, or None.
        max_trials: Trial-count budget, or None.
        reserved: Highest number of a trial that a crash has cost; its id is not used again.
        feasibility: Limits of the user on what a model may take.
    """

    plan: Plan
    data: TrialData
    shape: Shape
    address: str | None = None
    max_trials: int | None = None
    reserved: int = 0
    feasibility: Feasibility = field(default_factory=Feasibility)

    def spaces(self) -> dict[str, SearchSpace]:
        """The search space of each family, cut to this problem."""
        return {f.key: fitted_space(f, self.data) for f in self.plan.families}

    def costs(self, refit_threads: int | None = None) -> CostModel:
        """Cost estimates for this problem.

        Args:
            refit_threads: Threads of a training on all rows; None: all cores.
        """
        memory = MemoryModel(self.shape, self.data)
        return CostModel(
            self.shape,
            len(self.data.folds),
            lambda spec: memory.preparation(spec).seconds,
            max(self.shape.threads, refit_threads or this_machine().cores),
            memory.vectors,
        )

    def memory(self) -> MemoryModel:
        """Memory estimates, held against what is free now; on a cluster each node is held against its own memory."""
        spaces = self.spaces()
        if self.address is not None:
            return MemoryModel(self.shape, self.data, here=allowance(available_memory(), 1), spaces=spaces)
        allowed = allowance(available_memory(), self.plan.workers)
        if self.plan.runner != "inline":
            allowed = max(0.5 * allowed, allowed - WORKER_BYTES)
        return MemoryModel(self.shape, self.data, allowed, spaces=spaces)

    @property
    def checking_s(self) -> float:
        """Seconds kept for measuring whether models keep the limits; memory takes three processes of their own."""
        limits = self.feasibility.limits
        return CHECK_S * (3.0 if limits.memory_bytes is not None else 0.3 if limits.any else 0.0)

    def growth(self, n_rows: int) -> float:
        """Rows of a refit on ``n_rows`` over the training rows of a fold."""
        return n_rows / max(1.0, sum(len(train) for train, _ in self.data.folds) / len(self.data.folds))
