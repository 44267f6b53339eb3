"""One evaluation: a configuration fitted on each fold, with out-of-fold and test-row predictions.

The targets of the test rows are not among the data of a trial, so no search can look at them.
Notation: n search rows, m test rows, K classes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.evaluate.base import metrics
from autodl.features import Features
from autodl.machine import in_gib, peak_bytes, reset_peak, resident_bytes
from autodl.model import FittedModel, raw_predict
from autodl.models.base import Meta, families
from autodl.records import (
    Cost,
    CurvePoint,
    JsonScalar,
    Recipe,
    TableSchema,
    Task,
    TrialResult,
    TrialSpec,
    TrialStatus,
)
from autodl.search.prepared import PreparedFolds
from autodl.search.schedulers.base import Verdict, schedulers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.preprocess import Preparer

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
        schema: The feature columns.
        recipes: Starting recipe of each family.
        metric: Key of the metric to optimize.
        threads: Threads a trial may use.
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


@dataclass(frozen=True)
class Job:
    """A trial to carry out: the specification, its time, and the rivals that a scheduler compares it with."""

    spec: TrialSpec
    seconds: float = float("inf")
    scheduler: str = "none"
    rivals: tuple[tuple[float, ...], ...] = ()
    light: bool = True
    """Whether the memory that it takes is no danger to the process of the run."""


@dataclass(frozen=True)
class TrialOutcome:
    """A result with its arrays and models, not yet stored."""

    result: TrialResult
    oof: NDArray[Any] | None = None
    test: NDArray[Any] | None = None
    models: list[bytes] = field(default_factory=list)


def split_config(config: Mapping[str, JsonScalar]) -> tuple[dict[str, JsonScalar], dict[str, JsonScalar]]:
    """Separate the family's own values from those of the recipe (``prep.*``, prefix removed)."""
    own = {k: v for k, v in config.items() if not k.startswith("prep.")}
    prep = {k.removeprefix("prep."): v for k, v in config.items() if k.startswith("prep.")}
    return own, prep


def trial_recipe(spec: TrialSpec, data: TrialData) -> Recipe:
    """The family's recipe with the trial's own choices."""
    _, prep = split_config(spec.config)
    return Recipe.model_validate({**data.recipes.get(spec.family, Recipe()).model_dump(), **prep})


def fit_model(
    spec: TrialSpec,
    recipe: Recipe,
    prepared: tuple[Preparer, Features],
    y: NDArray[Any],
    valid: tuple[Features, NDArray[Any]] | None,
    data: TrialData,
    *,
    seed: int,
    extra: Mapping[str, JsonScalar] | None = None,
    deadline: Deadline = NEVER,
) -> FittedModel:
    """Fit one model on prepared rows.

    Args:
        spec: Family and configuration.
        recipe: The recipe including the trial's own choices.
        prepared: Fitted preparer and the training features.
        y: Training targets.
        valid: Features and targets for early stopping, or None to train for the configured length.
        data: Task, classes, metric and threads.
        seed: Seed of the model.
        extra: Config values that replace the specification's (a learnt number of trees or epochs).
        deadline: When training must end.
    """
    from autodl.preprocess import TargetTransform, resample

    family = families[spec.family]()
    own, _ = split_config(spec.config)
    config = family.config(**{**own, **(extra or {})})
    meta = Meta(data.task, data.n_classes, seed=seed, threads=data.threads, metric=data.metric)
    estimator = family.build(config, meta)
    preparer, features = prepared
    target = None
    weight = None
    y_valid = None if valid is None else valid[1]
    if data.task is Task.REGRESSION and recipe.target != "none":
        target = TargetTransform(recipe.target, y)
        y = target.forward(y)
        y_valid = None if y_valid is None else target.forward(y_valid)
    elif data.task is Task.CLASSIFICATION and recipe.balance != "none":
        features, y, weight = resample(features, y, recipe.balance, seed)
    estimator.fit(features, y, None if valid is None else valid[0], y_valid, sample_weight=weight, deadline=deadline)
    return FittedModel(preparer, estimator, target, data.task)


def run_trial(
    job: Job, data: TrialData, cache: PreparedFolds, tell: Tell | None = None, *, alone: bool = True
) -> TrialOutcome:
    """Carry out a trial. Errors of the family are recorded in the result, never raised.

    Args:
        job: What to try, and its time.
        data: Rows and folds.
        cache: Prepared features of earlier trials.
        tell: Is told each step before it begins.
        alone: Whether no other trial runs in this process; only then its memory can be measured.
    """
    base = resident_bytes()
    tracked = alone and reset_peak()

    def added() -> int:
        return max(0, peak_bytes() - base) if tracked else 0

    outcome = _run_guarded(job, data, cache, tell or _silent, added)
    cost = outcome.result.cost
    if cost is None:
        return outcome
    return replace(outcome, result=outcome.result.model_copy(update={"cost": cost.model_copy(
        update={"peak_bytes": added()}
    )}))  # fmt: skip


def _run_guarded(
    job: Job, data: TrialData, cache: PreparedFolds, tell: Tell, added: Callable[[], int]
) -> TrialOutcome:
    spec = job.spec
    deadline = Deadline.after(job.seconds)
    begun = time.perf_counter()
    try:
        return _run_folds(job, data, cache, deadline, tell)
    except TimeoutError as error:
        status, message = TrialStatus.TIMEOUT, f"did not finish in its {job.seconds:.1f} s ({error})"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a family may raise anything, even SystemExit: the trial alone pays for it
        status = TrialStatus.FAILED
        if out_of_memory(error):
            message = f"ran out of memory ({type(error).__name__})"
            if taken := added():
                message += f"; it had taken about {in_gib(taken)}"
        else:
            logging.getLogger("autodl").exception("trial %s (%s) failed", spec.id, spec.family)
            message = " ".join(f"{type(error).__name__}: {error}".split())[:500]
    cost = Cost(fit_s=time.perf_counter() - begun)
    return TrialOutcome(TrialResult(spec=spec, status=status, error=message, cost=cost))


TRAINING = 0.85
"""Share of a fold's time after which training is told to stop: predicting takes time as well."""
_NO_MEMORY = ("can't allocate memory", "cannot allocate memory", "bad_alloc", "bad allocation", "out of memory",
              "failed to map segment")  # fmt: skip
"""What native libraries say when an allocation fails, in lower case."""


def out_of_memory(error: BaseException) -> bool:
    """Whether an error means that an allocation failed, here or in a native library."""
    return isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY)


def _silent(step: str) -> None:
    """Tell nobody."""


def _run_folds(job: Job, data: TrialData, cache: PreparedFolds, deadline: Deadline, tell: Tell) -> TrialOutcome:
    spec = job.spec
    metric = metrics[data.metric]
    scheduler = schedulers[job.scheduler]()
    recipe = trial_recipe(spec, data)
    numbers = range(len(data.folds)) if spec.folds is None else spec.folds
    width = (data.n_classes,) if data.task is Task.CLASSIFICATION else ()
    oof = np.full((len(data.y), *width), np.nan, dtype=np.float32)
    test: NDArray[Any] | None = None
    losses: list[float] = []
    models: list[bytes] = []
    refits: list[dict[str, JsonScalar]] = []
    curve: tuple[CurvePoint, ...] = ()
    fit_s = predict_s = 0.0
    n_predicted = 0
    status = TrialStatus.OK
    for done, fold in enumerate(numbers):
        share = deadline.left() / (len(numbers) - done)
        if share <= 0:
            raise TimeoutError(f"{done} of {len(numbers)} folds done")
        place = f"fold {done + 1} of {len(numbers)}"
        tell(f"preparing the columns for {place}")
        ready = cache.get(recipe, fold, deadline)
        # What preparation took is not there for training.
        share = min(share, deadline.left() / (len(numbers) - done))
        tell(f"training on {place}")
        begun = time.perf_counter()
        train, valid = data.folds[fold]
        model = fit_model(
            spec,
            recipe,
            (ready.preparer, ready.train),
            data.y[train],
            (ready.valid, data.y[valid]),
            data,
            seed=spec.seed + fold,
            deadline=Deadline.after(TRAINING * share).earlier(deadline),
        )
        # Preparation counts also where another trial has paid for it: a refit will have to.
        fit_s += ready.seconds + time.perf_counter() - begun
        tell(f"predicting {place}")
        begun = time.perf_counter()
        predicted = _checked(raw_predict(model, ready.valid))
        oof[valid] = predicted
        n_predicted += len(valid)
        if ready.test is not None:
            part = _checked(raw_predict(model, ready.test))
            test = part if test is None else test + part
            n_predicted += len(ready.test)
        predict_s += time.perf_counter() - begun
        losses.append(metric.loss(data.y[valid], predicted, data.n_classes))
        models.append(model.to_bytes())
        refits.append(model.estimator.refit)
        if fold == numbers[0]:
            curve = tuple(model.estimator.curve)
        if done + 1 < len(numbers) and scheduler.decide(losses, job.rivals) is Verdict.STOP:
            status = TrialStatus.STOPPED
            break
    rows = np.concatenate([data.folds[f][1] for f in list(numbers)[: len(losses)]])
    loss = metric.loss(data.y[rows], oof[rows].astype(float), data.n_classes)
    whole = status is TrialStatus.OK
    result = TrialResult(
        spec=spec,
        status=status,
        loss=loss,
        score=metric.to_score(loss),
        fold_losses=tuple(losses),
        cost=Cost(fit_s=fit_s, predict_s=predict_s, n_predicted=n_predicted, size_bytes=sum(len(m) for m in models)),
        curve=curve,
        refit=merge_refits(refits),
    )
    mean_test = None if test is None else (test / len(losses)).astype(np.float32)
    return TrialOutcome(result, oof if whole else None, mean_test if whole else None, models if whole else [])


def _checked(prediction: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(prediction).all():
        raise FloatingPointError("the model predicts NaN or infinity")
    return prediction


def merge_refits(refits: Sequence[Mapping[str, JsonScalar]]) -> dict[str, JsonScalar]:
    """Combine what the folds learnt: means of numbers (rounded for whole ones), else the first value learnt.

    A fold that learnt nothing of a key (all its validation rows of classes absent in training) has no say in it.
    """
    merged: dict[str, JsonScalar] = {}
    for key in dict.fromkeys(key for refit in refits for key in refit):
        values = [r[key] for r in refits if key in r]
        first = values[0]
        if isinstance(first, bool) or not isinstance(first, int | float):
            merged[key] = first
            continue
        mean = sum(float(v) for v in values if isinstance(v, int | float)) / len(values)
        merged[key] = max(1, round(mean)) if isinstance(first, int) else mean
    return merged
