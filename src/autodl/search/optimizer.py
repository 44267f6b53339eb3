"""The search for any function: ``autodl.search.optimize``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from autodl.errors import ConfigError, SearchError
from autodl.search.calling import (
    Answer,
    Call,
    ConfigOnly,
    Losses,
    Objective,
    ObjectiveWithCall,
    WithLineage,
    takes_config_only,
)
from autodl.search.evaluator_choice import evaluator
from autodl.search.evaluators import Evaluator
from autodl.search.fidelity import Fidelity
from autodl.search.ledger import Evaluation, Journal, Ledger
from autodl.search.space import Config, SearchSpace, parse_space
from autodl.search.steering import Steering

if TYPE_CHECKING:
    import pandas as pd

    from autodl.search.evaluation_study import EvaluationStudy

HANG_SHARE = 0.25
"""A call may take this share of the time left before it is given up, unless calls are known to take longer."""
HANG_FACTOR = 10.0
"""A call may take this many times the longest one that ended, where that is longer."""
TIME_OVER, OVER = "the time is over", "the time was over"


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        best_config: The configuration with the lowest loss (at the highest fidelity that was evaluated).
        best_loss: Its loss there.
        history: Every call of the objective in the order of starts.
        strategy: Key of the strategy.
        why: Why it searched as it did, in a sentence.
        ended: What ended it, in words.
        seconds: Wall clock.
        spent: Sum of fidelities (the number of calls where there is none).
        front: With several losses: the evaluations that no other beats in all; else the best one alone.
    """

    best_config: Config
    best_loss: float
    history: tuple[Evaluation, ...]
    strategy: str
    why: str
    ended: str
    seconds: float
    spent: float
    front: tuple[Evaluation, ...]

    def __repr__(self) -> str:
        """In one line, without the history."""
        return (
            f"SearchResult(best_loss={self.best_loss:.6g}, best_config={self.best_config}, "
            f"{len(self.history)} calls by {self.strategy!r} in {self.seconds:.1f} s)"
        )

    def to_frame(self) -> pd.DataFrame:
        """The history as a table: a row a call, the configuration in columns ``config.NAME``."""
        from autodl.search.frame import history_frame

        return history_frame(self.history)


@dataclass(frozen=True)
class Limits:
    """When to end; infinity where there is no limit."""

    evals: float = math.inf
    fidelity_total: float = math.inf
    seconds: float = math.inf
    per_call: float = math.inf


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
            ``call_timeout``, a call that takes a quarter of the time left, and ten times the longest so far, does.
        resumable: The objective goes on where the same configuration ended before, so only new fidelity is paid.
        lineage: The objective is called as ``objective(config, fidelity, call)`` and goes on from the state that it
            kept when it was called with the number ``call.source``, if that is not None. Only new fidelity is paid.
        journal: A file that keeps every finished evaluation; the same call again goes on where it ended.
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
    limits = _limits(max_evals, max_fidelity_total, time_budget, call_timeout, span)
    workers = _positive("workers", workers, whole=True)
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
    cores = _positive("cpus", cpus)
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
        ended = _Drive(steering, ledger, calls, limits, workers, began).run()
    finally:
        calls.close()
        if ledger.journal is not None:
            ledger.journal.close()
        if study is not None:
            study.close()
    most = limits.evals if span is None else limits.fidelity_total / span.high
    return _result(ledger, steering, steering.strategy.why(parsed, span, most), ended, time.monotonic() - began)


def _study(path: Path, space: SearchSpace, fidelity: Fidelity | None, ledger: Ledger) -> EvaluationStudy:
    from autodl.search.evaluation_study import EvaluationStudy

    path.unlink(missing_ok=True)
    study = EvaluationStudy(path, space, fidelity.high if fidelity else None, ledger.evaluations)
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


class _Drive:
    """Keeps the workers busy until a limit is reached."""

    def __init__(
        self, steering: Steering, ledger: Ledger, calls: Evaluator, limits: Limits, workers: int, began: float
    ) -> None:
        self.steering, self.ledger, self.calls, self.limits, self.workers = steering, ledger, calls, limits, workers
        self.began = began
        self.running: dict[int, float] = {}
        self.longest = 0.0

    def run(self) -> str:
        """Search; says what ended it."""
        while True:
            reason = self._fill()
            if not self.running:
                return reason or "the strategy has nothing more to try"
            self._collect()

    def _fill(self) -> str:
        """Start calls while there is room; returns why no more may start."""
        while len(self.running) < self.calls.room(self.workers):
            entries = self.ledger.evaluations
            if len(entries) >= self.limits.evals:
                return f"{len(entries)} evaluations were done"
            if self._left() <= 0:
                return TIME_OVER
            left = self.limits.fidelity_total - self.ledger.spent()
            step = self.steering.next(self.ledger.observations(), len(entries), left)
            if step is None:
                return "the strategy has nothing more to try" if math.isinf(left) else "the fidelity is spent"
            if self._left() <= 0:
                return TIME_OVER
            fidelity = None if self.steering.fidelity is None else step.fidelity
            config = step.config if step.trial is None else self._config(step.trial)
            assert config is not None
            given = None if fidelity is None else (int(fidelity) if self._whole() else fidelity)
            entry = self.ledger.begin(config, fidelity, step.trial, step.parent)
            self.running[entry.number] = time.monotonic()
            if self.ledger.lineage:
                config = WithLineage.pack(config, Call(entry.number, entry.source))
            self.calls.start(entry.number, config, given)
        return ""

    def _collect(self) -> None:
        """Wait for one call to end, or for one to overrun."""
        soonest = min(self._deadline(t) for t in self.running.values())
        done = self.calls.wait(max(0.0, soonest - time.monotonic()) if math.isfinite(soonest) else None)
        if done is not None:
            number, answer = done
            self.running.pop(number)
            self.longest = max(self.longest, answer.seconds)
            self.ledger.end(number, answer)
            return
        now = time.monotonic()
        for number, start in list(self.running.items()):
            if now >= self._deadline(start):
                cut = self._deadline(start) >= self.began + self.limits.seconds
                self.calls.give_up(number)
                self.running.pop(number)
                late = f"{OVER} after {now - start:.3g} s of this call" if cut else ""
                late = late or f"given up after {now - start:.3g} s without an answer"
                self.ledger.end(number, Answer(seconds=now - start, error=late), cut=cut)

    def _deadline(self, start: float) -> float:
        """When a call that began at ``start`` is given up."""
        end = self.began + self.limits.seconds
        if math.isfinite(self.limits.per_call):
            return min(end, start + self.limits.per_call)
        if math.isinf(end):
            return math.inf
        return min(end, start + max(HANG_SHARE * (end - start), HANG_FACTOR * self.longest))

    def _left(self) -> float:
        return self.began + self.limits.seconds - time.monotonic()

    def _whole(self) -> bool:
        return self.steering.fidelity is not None and self.steering.fidelity.whole

    def _config(self, place: int) -> Config:
        trial = self.ledger.trials[place]
        return next(e.config for e in self.ledger.evaluations if e.trial == trial)


def _limits(
    max_evals: int | None,
    max_fidelity_total: float | None,
    time_budget: float | str | None,
    call_timeout: float | str | None,
    fidelity: Fidelity | None,
) -> Limits:
    if max_evals is None and max_fidelity_total is None and time_budget is None:
        raise ConfigError("the search needs an end", "Give `max_evals`, `max_fidelity_total` or `time_budget`.")
    if max_fidelity_total is not None and fidelity is None:
        raise ConfigError(
            "`max_fidelity_total` needs a `fidelity`", "Give for example fidelity=(1, 50), or use `max_evals`."
        )
    total = math.inf if max_fidelity_total is None else _positive("max_fidelity_total", max_fidelity_total)
    if fidelity is not None and total < fidelity.low:
        raise ConfigError(
            f"`max_fidelity_total` ({total:g}) is less than one evaluation at the lowest fidelity ({fidelity.low:g})",
            "Raise it.",
        )
    return Limits(
        math.inf if max_evals is None else _positive("max_evals", max_evals, whole=True),
        total,
        _seconds("time_budget", time_budget),
        _seconds("call_timeout", call_timeout),
    )


def _positive(name: str, value: Any, whole: bool = False) -> Any:
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not value > 0:
        raise ConfigError(f"`{name}` must be a {'whole ' if whole else ''}number above 0, but got {value!r}")
    return value


def _seconds(name: str, value: float | str | None) -> float:
    if value is None:
        return math.inf
    if isinstance(value, str):
        from autodl.duration import parse_duration

        return parse_duration(value)
    return float(_positive(name, value))


def _result(ledger: Ledger, steering: Steering, why: str, ended: str, seconds: float) -> SearchResult:
    best = ledger.best()
    if best is None or best.loss is None:
        first = next((e.error for e in ledger.evaluations if e.error), "")
        count = len(ledger.evaluations)
        longer = "Raise `time_budget`."
        if not count:
            timely = ended != TIME_OVER
            why = f"{ended}" if timely else OVER
            raise SearchError(f"{why} before the first evaluation", "Allow for one at least." if timely else longer)
        if all(e.error.startswith(OVER) for e in ledger.evaluations):
            raise SearchError(f"{OVER} before the first of {count} evaluations ended", longer)
        raise SearchError(
            f"none of {count} evaluations gave a finite loss"
            + (f"; the first failed with: {first}" if first else ""),
            "Call the objective once by hand with a configuration of the space.",
        )
    return SearchResult(
        dict(best.config),
        best.loss,
        tuple(ledger.evaluations),
        steering.strategy.key,
        why,
        ended,
        seconds,
        ledger.spent(),
        _front(ledger, best),
    )


def _front(ledger: Ledger, best: Evaluation) -> tuple[Evaluation, ...]:
    if len(best.losses) < 2:
        return (best,)
    import numpy as np

    from autodl.search.strategies.nsga2 import fronts

    rivals = [e for e in ledger.evaluations if len(e.losses) == len(best.losses) and e.fidelity == best.fidelity]
    ranks = fronts(np.array([e.losses for e in rivals]))
    return tuple(e for e, r in zip(rivals, ranks, strict=True) if r == 0)
