"""The rows of one run, cut for search and test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.delivery import Delivery
from autodl.evaluate.base import metrics
from autodl.records import TrialResult
from autodl.search.budget import Budget
from autodl.search.setup import SearchSetup

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.dataset import Dataset
    from autodl.ensemble import KnownRows
    from autodl.splitting import Rows

TEST_STRETCHES = 20
"""Of time, that test rows are cut into: enough for t limits, and each long enough to outlast most of what passes."""
FEWEST_STRETCHES = 5
"""Of fewer, such as three years, t limits are nearly everything: the rows then tell of these times alone."""


@dataclass(frozen=True)
class Problem:
    """The rows of one run, cut for search and test.

    Attributes:
        setup: What the search needs.
        dataset: All rows of the file that have a target.
        test: Where the test rows come from: ``dataset`` or the test file.
        rows: Positions.
        delivery: Writes the model folder.
    """

    setup: SearchSetup
    dataset: Dataset
    test: Dataset
    rows: Rows
    delivery: Delivery

    @property
    def y_test(self) -> NDArray[Any]:
        """(n_test,) targets of the test rows; opened by ``evaluate`` and ``explain`` only."""
        return self.test.y if self.test is not self.dataset else self.dataset.y[self.rows.test]

    @property
    def w_test(self) -> NDArray[Any] | None:
        """(n_test,) weights of the test rows, mean 1; None where all count alike."""
        from autodl.data import mean_one

        weight = self.test.weight
        if weight is None or self.test is not self.dataset:
            return weight
        return mean_one(weight[self.rows.test]) if len(self.rows.test) else None

    @property
    def groups(self) -> NDArray[Any] | None:
        """(n,) numbers of the groups of all rows of the file; None where each row stands for itself."""
        from autodl.data.splits import group_codes

        name = self.setup.plan.validation.group_column
        return None if name is None else group_codes(self.dataset.frame[name].to_numpy())

    @property
    def test_stretches(self) -> bool:
        """Whether ``test_groups`` are stretches of time: what happens then happens to all rows of one."""
        validation = self.setup.plan.validation
        return validation.group_column is None and validation.kind == "time"

    @property
    def test_groups(self) -> NDArray[Any] | None:
        """(n_test,) numbers of the groups or stretches of time that the test rows were drawn in.

        None where each row stands for itself; one stretch where there are too few to tell how times differ.
        """
        from autodl.data.splits import group_codes, stretches_of_time

        validation = self.setup.plan.validation
        name = validation.time_column if self.test_stretches else validation.group_column
        if name is None or name not in self.test.frame:
            return None
        values = self.test.frame[name].to_numpy()
        values = values if self.test is not self.dataset else values[self.rows.test]
        if not self.test_stretches:
            return group_codes(values)
        found = stretches_of_time(values, TEST_STRETCHES)
        return found if len(np.unique(found)) >= FEWEST_STRETCHES else np.zeros_like(found)

    @property
    def test_row_numbers(self) -> NDArray[Any]:
        """(n_test,) 0-based row numbers of the test rows in their file."""
        return self.test.rows if self.test is not self.dataset else self.dataset.rows[self.rows.test]

    @property
    def blocks(self) -> NDArray[Any] | None:
        """(n,) blocks of the search rows that must not be torn apart; None where each row stands for itself."""
        return self.setup.data.blocks

    def known_rows(self, deadline: Deadline = NEVER) -> KnownRows:
        """The search rows, by which predictions from outside their folds are judged."""
        from autodl.ensemble import KnownRows

        data, plan = self.setup.data, self.setup.plan
        return KnownRows(data.y, metrics[plan.metric], data.weight, self.blocks, plan.seed, deadline)

    @property
    def n_refit(self) -> int:
        """Rows that the delivered model may be trained on; a test file is left alone."""
        return len(self.dataset.y)

    def given_up(self, results: Sequence[TrialResult]) -> list[str]:
        """Keys of the families that the search has left, because they are far beyond the limits of the user."""
        listed = {key: len(space.starts()) for key, space in self.setup.spaces().items() if space.params}
        return sorted(self.setup.feasibility.hopeless(results, listed))

    def finish_s(self, budget: Budget) -> float:
        """Seconds to keep for everything after the search."""
        return budget.finish_s(self.n_refit, len(self.setup.data.schema.columns))
