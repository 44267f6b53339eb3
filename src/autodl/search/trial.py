"""One evaluation: a configuration fitted on each fold, with out-of-fold and test-row predictions.

The targets of the test rows are not among the data of a trial, so no search can look at them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import Deadline
from autodl.evaluate.base import metrics
from autodl.evaluate.latency import row_seconds
from autodl.machine import in_gib, peak_bytes, reset_peak, resident_bytes
from autodl.model import raw_predict
from autodl.records import Cost, CurvePoint, JsonScalar, Task, TrialResult, TrialStatus
from autodl.search.fold_model import fit_model, merge_refits, split_config, trial_recipe
from autodl.search.job import Job, Tell, TrialData, TrialOutcome
from autodl.search.prepared import PreparedFolds
from autodl.search.schedulers.base import Verdict, schedulers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Job", "Tell", "TrialData", "TrialOutcome", "fit_model", "merge_refits", "out_of_memory", "run_trial",
    "split_config", "trial_recipe",
]  # fmt: skip


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
    row_s: float | None = None
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
            row_s = row_seconds(model.predict, data.frame.iloc[valid[:9]])
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
        cost=Cost(
            fit_s=fit_s,
            predict_s=predict_s,
            n_predicted=n_predicted,
            size_bytes=sum(len(m) for m in models),
            row_s=row_s,
        ),
        curve=curve,
        refit=merge_refits(refits),
    )
    mean_test = None if test is None else (test / len(losses)).astype(np.float32)
    return TrialOutcome(result, oof if whole else None, mean_test if whole else None, models if whole else [])


def _checked(prediction: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(prediction).all():
        raise FloatingPointError("the model predicts NaN or infinity")
    return prediction
