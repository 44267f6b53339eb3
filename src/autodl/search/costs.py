"""What a trial will cost: the families' own estimates, corrected by what this machine has shown so far."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from autodl.models.base import CostEstimate, Shape, families
from autodl.records import JsonScalar, TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import SUPERNET
from autodl.search.nas.sharing import TRAININGS, without_rankings
from autodl.search.trial import split_config
from autodl.train.config import SLICE


@lru_cache(maxsize=4096)
def one_fit(shape: Shape, key: str, config: tuple[tuple[str, JsonScalar], ...]) -> CostEstimate:
    """The family's own estimate of one fit.

    Args:
        shape: Size of the fit.
        key: The family.
        config: Names and values, sorted.
    """
    family = families[key]()
    own, _ = split_config(dict(config))
    return family.estimate_cost(shape, family.config(**own))


@dataclass(frozen=True)
class CostModel:
    """Estimates wall seconds of whole trials.

    Attributes:
        shape: Size of one fit.
        n_folds: Fits a trial.
        prepared: Seconds of preparing one fold that the family's estimate does not hold; none if left out.
    """

    shape: Shape
    n_folds: int
    prepared: Callable[[TrialSpec], float] = lambda spec: 0.0

    def raw(self, spec: TrialSpec) -> float:
        """The family's own estimate for all folds and their preparation, in seconds."""
        folds = self.n_folds if spec.folds is None else len(spec.folds)
        rows = 1.0 if spec.fidelity is None else spec.fidelity
        shape = replace(self.shape, rows=max(1, round(rows * self.shape.rows)))
        fit = one_fit(shape, spec.family, tuple(sorted(spec.config.items())))
        if spec.origin == SUPERNET:
            return TRAININGS * fit.seconds + self.prepared(spec)
        part = 1.0 if spec.parent is None else SLICE
        return (part * fit.seconds + rows * self.prepared(spec)) * folds

    def estimate(self, spec: TrialSpec, history: Sequence[TrialResult]) -> float:
        """The estimate times the ratio of measured to estimated seconds.

        The ratio is the median over the family's own finished trials; a family without any takes the median over
        all others, which measures the machine. Stopped trials count by their share of folds, trainings of shared
        weights not at all.
        """
        history = without_rankings(history)
        own = [r for r in history if r.spec.family == spec.family]
        ratios = [x for r in own if (x := self._ratio(r)) is not None]
        # A trial that ran out of time would have taken longer than it did; nobody knows how much.
        slow = [2.0 * max(1.0, self._measured(r)) for r in own if r.status is TrialStatus.TIMEOUT and r.cost]
        if slow:
            return self.raw(spec) * max([*slow, *ratios[-1:]])
        if not ratios:
            ratios = [x for r in history if (x := self._ratio(r)) is not None and self.raw(r.spec) > 0.3]
            if not ratios:
                return self.raw(spec)
            return self.raw(spec) * min(4.0, max(0.5, statistics.median(ratios)))
        return self.raw(spec) * statistics.median(ratios)

    def _ratio(self, result: TrialResult) -> float | None:
        if result.cost is None or result.status in (TrialStatus.FAILED, TrialStatus.TIMEOUT) or result.reached < 1.0:
            return None  # of a training that was cut short nobody knows how long it would have taken
        return self._measured(result)

    def _measured(self, result: TrialResult) -> float:
        """Measured over estimated seconds; stopped trials by their share of folds."""
        assert result.cost is not None
        share = len(result.fold_losses) / self.n_folds if result.status is TrialStatus.STOPPED else 1.0
        spent = result.cost.fit_s + result.cost.predict_s
        return spent / max(1e-3, self.raw(result.spec) * max(share, 1e-3))

    def refit(self, result: TrialResult, growth: float) -> float:
        """Seconds to train a finished trial's configuration once on ``growth`` times a fold's training rows."""
        if result.cost is None:
            return 0.0
        return growth * result.cost.fit_s / max(1, len(result.fold_losses))
