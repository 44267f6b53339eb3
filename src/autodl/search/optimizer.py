"""The search for any function: ``autodl.search.optimize``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from autodl.errors import ConfigError
from autodl.search.call_limits import limits_of, positive
from autodl.search.calling import (
    ConfigOnly,
    Losses,
    Objective,
    ObjectiveWithCall,
    WithLineage,
    takes_config_only,
)
from autodl.search.drive import Drive
from autodl.search.evaluator_choice import evaluator
from autodl.search.fidelity import Fidelity
from autodl.search.ledger import Journal, Ledger
from autodl.search.search_result import SearchResult, result_of
from autodl.search.space import Config, SearchSpace, parse_space
from autodl.search.steering import Steering

if TYPE_CHECKING:
    from autodl.search.evaluation_study import EvaluationStudy


def optimize(
    objective: Objective | ObjectiveWithCall | Callable[[Config], Losses],
    space: SearchSpace | str | Path | dict[str, Any],
    *,
    strategy: str = "auto",
    scheduler: str | None = None,
    max_evals: int | None = None,
    max_fidelity_total: float | None = None,
    time_budget: float | str | None = None,
    fidelity: Sequence[float] | None = None,
    seed: int = 0,
    runner: str = "inline",
    workers: int = 1,
    address: str | None = None,
    cpus: float = 1.0,
    call_timeout: float | str | None = None,
    resumable: bool = False,
    lineage: bool = False,
    journal: str | Path | None = None,
    storage: str | Path | None = None,
) -> SearchResult:
    """Look for the configuration with the lowest loss.

    Args:
        objective: ``objective(config, fidelity) -> loss``; ``fidelity`` is None unless the search has one, and a
            function of one argument is called as ``objective(config)``. Several losses may be returned as a list
            (strategy ``nsga2``). A call that raises or returns no finite number costs its own trial.
        space: Path of a YAML or NNI JSON file, a mapping of the same form, or a ``SearchSpace``.
        strategy: Key of a strategy; ``auto`` chooses and says why.
        scheduler: Key of a scheduler: how much of the fidelity each configuration gets. None: the strategy's own.
        max_evals: Calls of the objective at most.
        max_fidelity_total: Sum of the fidelities of all calls at most. A configuration evaluated at 3 and then at 9
            counts as 12, or as 9 if ``resumable``.
        time_budget: Seconds, or text such as ``"5m"``.
        fidelity: ``(low, high)``, e.g. epochs; two whole numbers mean whole fidelities only.
        seed: The same seed and the same losses give the same search (with one worker).
        runner: ``inline`` (this process), ``process`` (own processes, which are ended when they hang) or ``ray``.
        workers: Calls at a time; on a cluster at most so many, as nodes come and go.
        address: Of a Ray cluster: ``auto``, ``HOST:6379`` or ``ray://HOST:10001``. None starts Ray on this machine.
        cpus: Cores that each call takes on Ray; with 0.5, two calls share one.
        call_timeout: Seconds (or text) after which one call counts as failed. With a ``time_budget`` and no
            ``call_timeout``, a call that takes a quarter of the time left, and ten times the longest that gave a
            loss, does; until one has given a loss, a call that takes half of the time left.
        resumable: The objective goes on where the same configuration ended before, so only new fidelity is paid.
        lineage: The objective is called as ``objective(config, fidelity, call)`` and goes on from the state that it
            kept when it was called with the number ``call.source``, if that is not None. Only new fidelity is paid.
        journal: A file that keeps every evaluation; the same call again goes on where it ended, and first makes those
            again that had been cut off.
        storage: A file that ``optuna-dashboard FILE`` shows, also while the search runs; a copy, written anew. A file
            that is there is replaced only if a search wrote it.

    Returns:
        The best configuration, its loss and all evaluations.

    Raises:
        ConfigError: An argument or the space is invalid.
        SearchError: No call returned a finite loss.
    """
    began = time.monotonic()
    parsed = parse_space(space)
    if not parsed.params:
        raise ConfigError("the search space has no parameters", "Give it one at least.")
    span = None if fidelity is None else Fidelity.of(fidelity)
    if span is not None:
        span = replace(span, goes_on="any" if lineage else "own" if resumable else "none")
    if span is not None and takes_config_only(objective):
        raise ConfigError(
            "the objective takes the configuration alone, but the search has a fidelity",
            "Write it as objective(config, fidelity), or leave out `fidelity`.",
        )
    if journal is not None and not Path(journal).parent.is_dir():
        raise ConfigError(f"cannot write the journal {journal}", "Name a file in a folder that exists.")
    limits = limits_of(max_evals, max_fidelity_total, time_budget, call_timeout, span)
    workers = positive("workers", workers, whole=True)
    if storage is not None:
        _check_storage(Path(storage), None if journal is None else Path(journal))
    steering = Steering.of(parsed, strategy, scheduler, span, seed)
    ledger = Ledger(span.high if span else None, resumable or lineage, lineage=lineage)
    if journal is not None:
        setting = {
            "strategy": strategy,
            "scheduler": scheduler,
            "seed": seed,
            "fidelity": fidelity and list(fidelity),
            "lineage": lineage or None,
            "resumable": resumable or None,
        }
        ledger.journal = Journal(Path(journal), parsed, setting)
        ledger.evaluations.extend(sorted(ledger.journal.found, key=lambda e: e.number))
    study = None if storage is None else _study(Path(storage), parsed, span, ledger)
    interruptible = math.isfinite(min(limits.seconds, limits.per_call))
    called = cast(Objective, WithLineage(cast(ObjectiveWithCall, objective)) if lineage else objective)
    if not lineage and takes_config_only(objective):
        called = ConfigOnly(cast(Callable[[Config], Losses], objective))
    cores = positive("cpus", cpus)
    try:
        left = began + limits.seconds - time.monotonic()
        calls = evaluator(
            runner, called, workers=workers, interruptible=interruptible, address=address, cpus=cores, seconds=left
        )
    except BaseException:
        if ledger.journal is not None:
            ledger.journal.close()
        raise
    try:
        ended = Drive(steering, ledger, calls, limits, workers, began).run()
    finally:
        calls.close()
        if ledger.journal is not None:
            ledger.journal.close()
        if study is not None:
            study.close()
    most = limits.evals if span is None else limits.fidelity_total / span.high
    return result_of(ledger, steering, steering.strategy.why(parsed, span, most), ended, time.monotonic() - began)


def _study(path: Path, space: SearchSpace, fidelity: Fidelity | None, ledger: Ledger) -> EvaluationStudy:
    from autodl.search.evaluation_study import EvaluationStudy

    path.unlink(missing_ok=True)
    known = [e for e in ledger.evaluations if e.status != "running"]
    study = EvaluationStudy(path, space, fidelity.high if fidelity else None, known)
    ledger.told = study.add
    return study


def _check_storage(path: Path, journal: Path | None) -> None:
    """Refuse what cannot be written, and what would be lost: the file is written anew."""
    from autodl.search.evaluation_study import is_ours

    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"cannot write the storage {path}", "Name a file in a folder that exists.")
    if journal is not None and path.resolve() == journal.resolve():
        raise ConfigError(f"{path} cannot be journal and storage at once", "Name two files.")
    if path.exists() and not is_ours(path):
        raise ConfigError(
            f"the storage {path} exists and was not written by a search, which would replace it",
            "Name another file, or remove this one.",
        )
