"""One evaluation: a configuration fitted on each fold, with out-of-fold and test-row predictions.

The targets of the test rows are not among the data of a trial, so no search can look at them.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace

from autodl.clock import Deadline
from autodl.machine import free_threads, in_gib, out_of_memory, peak_bytes, reset_peak, resident_bytes
from autodl.records import Cost, TrialResult, TrialStatus
from autodl.search.blas import blas_threads
from autodl.search.cross_validation import CrossValidation
from autodl.search.first_training import load_networks, networks_loaded
from autodl.search.fold_model import fit_model, merge_refits, split_config, trial_recipe
from autodl.search.job import Job, Tell, TrialData, TrialOutcome
from autodl.search.prepared import PreparedFolds

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
    seconds = job.seconds - (job.loading if networks_loaded() else 0.0)
    deadline = Deadline.after(seconds)
    begun, reached = time.perf_counter(), 1.0
    folds: CrossValidation | None = None
    try:
        if job.choices is not None:
            from autodl.search.nas.ranking import rank_networks

            return rank_networks(job, data, cache, deadline, tell)
        load_networks(spec.family, data, deadline)
        begun = time.perf_counter()
        if not math.isinf(deadline.left()):  # without a clock nothing may depend on what else the machine does
            data = replace(data, threads=free_threads(data.threads))
        folds = CrossValidation(job, data, cache, deadline, tell)
        with blas_threads(data.threads):
            return folds.run()
    except TimeoutError as error:
        reached = 1.0 if folds is None else (len(folds.losses) + 1) / len(folds.numbers)
        status, message = TrialStatus.TIMEOUT, f"did not finish in its {seconds:.1f} s ({error})"
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
    return TrialOutcome(TrialResult(spec=spec, status=status, error=message, cost=cost, reached=min(1.0, reached)))


def _silent(step: str) -> None:
    """Tell nobody."""
