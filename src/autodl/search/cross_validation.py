"""The folds of a trial: fit, predict, score, until all are done or a scheduler ends the trial."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import Deadline
from autodl.errors import RunError
from autodl.evaluate.base import metrics
from autodl.evaluate.latency import row_seconds
from autodl.model import FittedModel, raw_predict
from autodl.models.base import families
from autodl.preprocess.vectors import vector_memory
from autodl.records import Cost, CurvePoint, Footprint, JsonScalar, Task, TrialResult, TrialStatus
from autodl.search.fold_model import fit_model, merge_refits, trial_recipe
from autodl.search.job import Job, Tell, TrialData, TrialOutcome
from autodl.search.naming import trial_number
from autodl.search.prepared import PreparedFold, PreparedFolds
from autodl.search.rivals import measure_of
from autodl.search.schedulers.base import Verdict, schedulers
from autodl.search.trial_scores import TrialScores
from autodl.search.vector_needs import vector_needs
from autodl.search.watching import TrainingWatch
from autodl.serialize import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.features import Features

TRAINING = 0.85
"""Share of a fold's time after which training is told to stop: predicting takes time as well."""
BULK_ROWS, BULK_S, BULK_BYTES = 1000, 0.05, 20_000_000
"""Rows among which one is timed: so many, or what fits into the seconds and the memory."""
TIMES_MORE = 4
"""Of a fold's rows; otherwise these tell it."""
BULK_CALLS = 2
"""The quicker one counts."""
LEAST_OF_ROWS = 0.05
"""Share of such a call that its rows take at least, whatever a call for one row was measured to cost."""


class CrossValidation:
    """One trial on its way through the folds.

    Args:
        job: What to try, its time and its rivals.
        data: Rows and folds.
        cache: Prepared features.
        deadline: When the trial must end.
        tell: Is told each step before it begins.
    """

    def __init__(self, job: Job, data: TrialData, cache: PreparedFolds, deadline: Deadline, tell: Tell) -> None:
        self.job, self.data, self.cache, self.deadline, self.tell = job, data, cache, deadline, tell
        self.spec = job.spec
        self.counts = job.spec.fidelity is None or job.scout
        self.folds = data.folds_of(job.spec.split)
        self.metric = metrics[data.metric]
        self.scores = TrialScores(data, learns=families[job.spec.family].complexity > 0)
        self.scheduler = schedulers[job.scheduler]()
        self.recipe = trial_recipe(job.spec, data)
        self.numbers: Sequence[int] = range(len(self.folds)) if job.spec.folds is None else job.spec.folds
        self.measure = measure_of(job.spec, self.recipe, self.numbers[0])
        width: tuple[int, ...] = (data.n_classes,) if data.task is Task.CLASSIFICATION else ()
        if data.quantiles:
            width = (len(data.quantiles),)
        # Numbers may be far from 0 for how much they differ: moments in seconds are 128 apart as float32.
        kind = np.float32 if data.task is Task.CLASSIFICATION else np.float64
        self.oof: NDArray[Any] = np.full((len(data.y), *width), np.nan, dtype=kind)
        self.test: NDArray[Any] | None = None
        self.losses: list[float] = []
        self.models: list[bytes] = []
        self.refits: list[dict[str, JsonScalar]] = []
        self.curve: tuple[CurvePoint, ...] = ()
        self.fit_s = self.cached_s = self.predict_s = 0.0
        self.row_s: float | None = None
        self.vectors: dict[str, Footprint] | None = None
        self.n_predicted = self.size_bytes = 0
        self.bulk_row_s: float | None = None

    def run(self) -> TrialOutcome:
        """All folds, or as many as the scheduler allows; as the time does, where these are better than nothing.

        Raises:
            TimeoutError: If the time is up before a fold.
        """
        for done, fold in enumerate(self.numbers):
            try:
                model, ready, watch = self._fit(done, fold)
            except TimeoutError:
                if self.job.partial and self.models:
                    break
                raise
            if watch.stopped:
                self._score(model, ready, fold)
                self._weigh(model, ready, fold)
                return self._outcome(TrialStatus.STOPPED, watch.reached)
            self._score(model, ready, fold)
            self._keep(model, ready, self._weigh(model, ready, fold))
            if done + 1 < len(self.numbers) and self._hopeless(done + 1):
                return self._outcome(TrialStatus.STOPPED)
        return self._outcome(TrialStatus.OK if self.counts else TrialStatus.STOPPED)

    def _hopeless(self, folds: int) -> bool:
        if not self.scheduler.judges_after(folds, trial_number(self.spec.id)):
            return False
        return self.scheduler.decide(self.losses, self.job.rivals) is Verdict.STOP

    def _fit(self, done: int, fold: int) -> tuple[FittedModel, PreparedFold, TrainingWatch]:
        folds = len(self.numbers)
        # Where there is no other model, one that is whole is worth more than several that are cut short.
        parts = 2 if self.job.partial and done == 0 and folds > 1 else folds - done
        share = self.deadline.left() / parts
        if share <= 0:
            raise TimeoutError(f"{done} of {folds} folds done")
        place = f"fold {done + 1} of {folds}"
        self.tell(f"preparing the columns for {place}")
        begun = time.perf_counter()
        ready = self.cache.get(
            self.recipe, fold, self.deadline, part=self.spec.fidelity, seed=self.spec.seed, split=self.spec.split
        )
        self.cached_s += max(0.0, ready.seconds - (time.perf_counter() - begun))
        # What preparation took is not there for training.
        share = min(share, self.deadline.left() / parts)
        self.tell(f"training on {place}")
        begun = time.perf_counter()
        valid = self.folds[fold][1]
        # Later folds have no curves to be compared with; the scheduler decides between them.
        rivals = [c for c in self.job.curves if c.measure == self.measure] if done == 0 else []
        watch = TrainingWatch(self.scheduler, rivals, trial_number(self.spec.id))
        model = fit_model(
            self.spec,
            self.recipe,
            (ready.preparer, ready.train),
            self.data.y[ready.rows],
            (ready.valid, self.data.y[valid]),
            self.data,
            seed=self.spec.seed + fold,
            deadline=Deadline.after(TRAINING * share).earlier(self.deadline),
            watch=watch,
            start=self._start(done),
            weight=self.data.weight_of(ready.rows),
            weight_valid=self.data.weight_of(valid),
            answers=len(valid) + (len(ready.test) if self.counts and ready.test is not None else 0),
        )
        # Preparation counts also where another trial has paid for it: a refit will have to.
        self.fit_s += ready.seconds + time.perf_counter() - begun
        if done == 0:
            self.curve = tuple(model.estimator.curve)
        self.tell(f"predicting {place}")
        return model, ready, watch

    def _start(self, done: int) -> FittedModel | None:
        """The parent's model of the same fold.

        Raises:
            RunError: If it is gone.
        """
        if self.spec.parent is None:
            return None
        if len(self.job.parents) != len(self.numbers):
            raise RunError(f"the models of trial {self.spec.parent}, from which this one goes on, are gone")
        model = load(self.job.parents[done])
        assert isinstance(model, FittedModel)
        return model

    def _score(self, model: FittedModel, ready: PreparedFold, fold: int) -> None:
        begun = time.perf_counter()
        valid = self.folds[fold][1]
        predicted = _checked(raw_predict(model, ready.valid))
        self.oof[valid] = predicted
        self.n_predicted += len(valid)
        self.predict_s += time.perf_counter() - begun
        before = np.concatenate([np.empty(0, dtype=np.int_), *self._validated()])
        self.losses.append(self.scores.fold(valid, predicted, before, self.oof[before].astype(float)))

    def _validated(self) -> list[NDArray[np.int_]]:
        """Rows of the folds that are scored."""
        return [self.folds[f][1] for f in list(self.numbers)[: len(self.losses)]]

    def _weigh(self, model: FittedModel, ready: PreparedFold, fold: int) -> bytes:
        """Measure what the model takes, also where it is not kept: limits hold for all that the search compares."""
        stored = model.to_bytes()
        self.size_bytes += len(stored)
        if fold == self.numbers[0]:
            self.vectors = vector_needs(self.recipe, self.data)
            # What is not known of making vectors is measured with the rest: as for rows that nobody has seen.
            with nullcontext() if self.vectors is not None else vector_memory.unseen():
                self.row_s = row_seconds(model.predict, self.data.frame.iloc[self.folds[fold][1][:9]])
            if self.spec.repeats is None and self.predict_s < BULK_S:
                self.bulk_row_s = _bulk_row_seconds(model, ready.valid)
        return stored

    def _keep(self, model: FittedModel, ready: PreparedFold, stored: bytes) -> None:
        """What only a trial needs that may become part of the delivered model."""
        if not self.counts:
            return
        begun = time.perf_counter()
        if ready.test is not None:
            part = _checked(raw_predict(model, ready.test))
            self.test = part if self.test is None or self.data.by_time else self.test + part
            self.n_predicted += len(ready.test)
            self.predict_s += time.perf_counter() - begun
        self.models.append(stored)
        self.refits.append(model.estimator.refit)

    def _outcome(self, status: TrialStatus, reached: float = 1.0) -> TrialOutcome:
        done = self._validated()
        rows = np.concatenate(done)
        loss = self.scores.whole(done, self.oof)
        result = TrialResult(
            spec=self.spec,
            status=status,
            loss=loss,
            score=self.metric.to_score(loss),
            plain_loss=self.scores.plain(rows, self.oof[rows].astype(float)) if self.scores.cut else None,
            fold_losses=tuple(self.losses),
            cost=Cost(
                fit_s=self.fit_s,
                cached_s=self.cached_s,
                predict_s=self.predict_s,
                n_predicted=self.n_predicted,
                bulk_row_s=self.bulk_row_s,
                size_bytes=self.size_bytes,
                row_s=self.row_s,
                vectors=self.vectors or {},
            ),
            curve=self.curve,
            measure=self.measure if self.curve else "",
            reached=reached,
            refit=self._learnt(),
        )
        if status is not TrialStatus.OK:
            return TrialOutcome(result)
        parts = 1 if self.data.by_time else len(self.losses)
        test = None if self.test is None else (self.test / parts).astype(self.oof.dtype)
        return TrialOutcome(result, self.oof, test, self.models)

    def _learnt(self) -> dict[str, JsonScalar]:
        """What the folds have learnt for a training on all rows; by time the last one, which knows the most rows."""
        if not self.data.by_time:
            return merge_refits(self.refits)
        return merge_refits([refit for refit in self.refits if refit][-1:])


def _bulk_row_seconds(model: FittedModel, features: Features) -> float | None:
    """Seconds of one row among many: what so many take beyond a single one; None where the rows at hand tell it.

    Args:
        model: Has predicted before, so that nothing is loaded or compiled any more.
        features: (n,) rows, repeated as needed.
    """
    n = len(features)

    def asked(rows: int, times: int = BULK_CALLS) -> float:
        some, spent = features if rows == n else features.take(np.arange(rows) % n), []
        for _ in range(times):
            begun = time.perf_counter()
            raw_predict(model, some)
            spent.append(time.perf_counter() - begun)
        return min(spent)

    each = asked(n, times=1) / n
    many = int(min(BULK_ROWS, BULK_S / max(each, 1e-9), BULK_BYTES / max(1.0, features.nbytes() / n)))
    if many < TIMES_MORE * n:
        return None
    seconds = asked(many)
    return min(each, max(LEAST_OF_ROWS * seconds, seconds - asked(1)) / (many - 1))


def _checked(prediction: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(prediction).all():
        raise FloatingPointError("the model predicts NaN or infinity")
    return prediction
