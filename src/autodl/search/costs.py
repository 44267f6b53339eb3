"""What a trial will cost: the families' own estimates, corrected by what this machine has shown so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from autodl.models.base import CostEstimate, Shape, families
from autodl.records import JsonScalar, TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import SUPERNET
from autodl.search.calibration import Beliefs, Measurement
from autodl.search.nas.sharing import TRAININGS, without_rankings
from autodl.search.trial import split_config
from autodl.train.config import SLICE

OVERHEAD_S = 0.05
"""Added to measured and estimated seconds before they are compared: what a trial takes besides its training."""
LEAST_S = 1e-3


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
        prepared: Seconds of preparing one fold, or the part of its rows that the trial gets, that the family's
            estimate does not hold; none if left out.
        refit_threads: Threads of a training on all rows, beside which no trial runs; None: those of a trial.
        vectors: Numeric columns that images and embeddings become, which ``shape`` does not count.
    """

    shape: Shape
    n_folds: int
    prepared: Callable[[TrialSpec], float] = lambda spec: 0.0
    refit_threads: int | None = None
    vectors: Callable[[TrialSpec], int] = lambda spec: 0
    _seen: dict[str, tuple[TrialResult, Measurement | None]] = field(default_factory=dict, repr=False, compare=False)
    """Trials are looked at again before every start; what each tells does not change."""
    _last: list[tuple[list[Measurement], Beliefs]] = field(default_factory=list, repr=False, compare=False)
    """What was asked last."""

    def raw(self, spec: TrialSpec) -> float:
        """The family's own estimate for all folds and their preparation, in seconds."""
        times = 1 if spec.origin == SUPERNET else self._folds(spec)
        return self._training(spec) + times * self.prepared(spec)

    def _training(self, spec: TrialSpec) -> float:
        """The part of it that no preparation kept from another trial can spare."""
        rows = 1.0 if spec.fidelity is None else spec.fidelity
        shape = replace(self._shape(spec), rows=max(1, round(rows * self.shape.rows)))
        fit = one_fit(shape, spec.family, tuple(sorted(spec.config.items())))
        if spec.origin == SUPERNET:
            return TRAININGS * fit.seconds
        part = 1.0 if spec.parent is None else SLICE
        return part * fit.seconds * self._folds(spec)

    def _folds(self, spec: TrialSpec) -> int:
        return self.n_folds if spec.folds is None else len(spec.folds)

    def estimate(self, spec: TrialSpec, history: Sequence[TrialResult]) -> float:
        """The family's own estimate, times the ratio of measured to estimated seconds that is to be expected.

        All trials tell of the machine, those of the family of it, those of the same configuration most; see
        ``calibration``. Trials count by their share of folds; of those that ran out of time it is known that
        they needed more. Trainings of shared weights tell nothing. Preparation that another trial has paid for is
        left out where the last trial that needed the same one was spared it.
        """
        trials = without_rankings(history)
        seen = [m for r in trials if (m := self._measurement(r)) is not None]
        ratio = math.exp(self._beliefs(seen).of(spec.family, _settings(spec)).mean) if seen else 1.0
        expected = ratio * (self.raw(spec) + OVERHEAD_S) - OVERHEAD_S
        if spared := self._spared(spec, trials):
            expected = max(expected - spared, ratio * self._training(spec))
        return max(LEAST_S, expected)

    def _spared(self, spec: TrialSpec, trials: Sequence[TrialResult]) -> float:
        """Seconds of preparation that the last trial with the same was spared, for the folds of this one."""
        if spec.origin == SUPERNET:
            return 0.0
        wanted = _preparation(spec)
        for r in reversed(trials):
            same = r.spec.family == spec.family and _preparation(r.spec) == wanted
            if same and r.cost is not None and r.fold_losses:
                return self._folds(spec) * r.cost.cached_s / len(r.fold_losses)
        return 0.0

    def _beliefs(self, seen: list[Measurement]) -> Beliefs:
        """What these tell; many estimates are made between two trials."""
        if not self._last or self._last[0][0] != seen:
            self._last[:] = [(seen, Beliefs(seen))]
        return self._last[0][1]

    def _measurement(self, result: TrialResult) -> Measurement | None:
        """What a finished trial tells; None if nothing."""
        if result.spec.id not in self._seen:
            self._seen[result.spec.id] = result, self._measured(result)
        known, measured = self._seen[result.spec.id]
        return measured if known is result else self._measured(result)

    def _measured(self, result: TrialResult) -> Measurement | None:
        late = result.status is TrialStatus.TIMEOUT
        if result.cost is None or result.status is TrialStatus.FAILED:
            return None
        if result.reached < 1.0 and not late:
            return None  # of a training that was cut short nobody knows how long it would have taken
        share = max(0.01, result.reached) if late else max(1, len(result.fold_losses)) / self._folds(result.spec)
        spent = result.cost.fit_s + result.cost.predict_s
        ratio = (spent + OVERHEAD_S) / (share * self.raw(result.spec) + OVERHEAD_S)
        return Measurement(result.spec.family, _settings(result.spec), math.log(ratio), bound=late)

    def refit(self, result: TrialResult, growth: float) -> float:
        """Seconds to train a finished trial's configuration once on ``growth`` times a fold's training rows.

        The rounds or epochs after the best one, which early stopping waits for in a fold, are not trained again.
        """
        if result.cost is None:
            return 0.0
        growth /= result.spec.fidelity or 1.0
        fold = result.cost.fit_s / max(1, len(result.fold_losses))
        prepared = min(fold, self.prepared(result.spec))
        return growth * self._quicker(result.spec) * (prepared + _kept_share(result) * (fold - prepared))

    def further(self, result: TrialResult, growth: float) -> float | None:
        """Seconds to let the model of a trial's only fold go on learning, from ``growth`` times the rows it has seen.

        None where its family's models do not do that, or where there are several folds: the mean of their models has
        seen all rows.
        """
        spec = result.spec
        family = families[spec.family]()
        if not family.further or result.cost is None or len(result.fold_losses) != 1 or spec.fidelity is not None:
            return None
        own, _ = split_config(spec.config)
        config: Any = family.config(**own)  # of a network: a ``TrainConfig`` as well
        before = self._shape(spec)
        now = replace(
            before,
            rows=max(1, round(growth * before.rows)),
            threads=max(before.threads, self.refit_threads or 0),
        )
        again = family.estimate_cost(now, config.sliced(now.rows))
        if spec.parent is not None:
            config = config.sliced(before.rows)
        return result.cost.fit_s * again.seconds / max(LEAST_S, family.estimate_cost(before, config).seconds)

    def _quicker(self, spec: TrialSpec) -> float:
        """Share of a trial's time that a refit takes for its further threads, of which preparation has no use."""
        if self.refit_threads is None or self.refit_threads <= self.shape.threads:
            return 1.0
        settings = tuple(sorted(spec.config.items()))
        prepared = self.prepared(spec) + OVERHEAD_S
        shape = self._shape(spec)
        alone = one_fit(replace(shape, threads=self.refit_threads), spec.family, settings).seconds
        return (alone + prepared) / (one_fit(shape, spec.family, settings).seconds + prepared)

    def _shape(self, spec: TrialSpec) -> Shape:
        return replace(self.shape, numeric=self.shape.numeric + self.vectors(spec))


def _kept_share(result: TrialResult) -> float:
    """Share of the rounds of a fold that its model keeps; 1 where a training on all rows has no length of its own."""
    known = [(p.valid, p.step) for p in result.curve if p.valid is not None and math.isfinite(p.valid)]
    if not result.refit or not known:
        return 1.0
    return min(known)[1] / max(p.step for p in result.curve)


def _preparation(spec: TrialSpec) -> Hashable:
    """Equal for trials of a family that prepare the same rows alike."""
    settings = sorted(item for item in spec.config.items() if item[0].startswith("prep."))
    return spec.fidelity, spec.split, tuple(settings)


def _settings(spec: TrialSpec) -> Hashable:
    """Equal for trials of the same configuration, on whatever folds or rows."""
    return tuple(sorted(spec.config.items(), key=lambda item: item[0]))
