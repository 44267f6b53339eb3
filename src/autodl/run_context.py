"""What the stages of one run share: folder, options, clock, listener; keeps ``run.json`` up to date."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event as Flag
from typing import TYPE_CHECKING, Any, TypeVar

from autodl.errors import AutodlError, DiskError, RunError, StoppedError
from autodl.events import Listener, Note, StageStarted
from autodl.opening import MAY_CHANGE
from autodl.options import FitOptions
from autodl.records import (
    BudgetUse,
    Evaluation,
    FindingRow,
    Front,
    FrontRow,
    LeaderboardRow,
    Limits,
    MoreTime,
    Plan,
    Profile,
    Record,
    RunRecord,
    Severity,
    StageTime,
    TestScore,
    TrialResult,
    TrialStatus,
)
from autodl.search.naming import trial_names
from autodl.search.repeats import merged
from autodl.search.trial import out_of_memory
from autodl.store import RunFolder
from autodl.versions import versions

if TYPE_CHECKING:
    from autodl.explain.speed import Speed
    from autodl.search.budget import Budget

R = TypeVar("R", bound=Record)
M = TypeVar("M", bound=Record | None)


@dataclass(frozen=True)
class RunIdentity:
    """What is known once the plan is made."""

    plan: Plan
    profile: Profile


@dataclass
class RunContext:
    """The surroundings of a run; mutable only in its stage times."""

    folder: RunFolder
    options: FitOptions
    budget: Budget
    listener: Listener
    stop: Flag
    command: str
    identity: RunIdentity | None = None
    times: list[StageTime] = field(default_factory=list)
    first_model_s: float | None = None
    resumed: bool = False
    trouble: Exception | None = None
    """What has cost a part of the run that it cannot do without; it ends as failed, with what could be kept."""
    disk_told: bool = False
    """Whether the user knows that the disk refuses."""
    delivered: str = ""
    """What ``model/`` holds, in words."""
    front: Front | None = None
    """What the delivered model and the others take; None before that was measured."""
    more_time: MoreTime | None = None
    """What the later part of the search brought."""
    answers: Speed | None = None
    """How quickly the model answers, once that was measured."""
    earlier: RunRecord | None = None
    """What the run told when it was interrupted; what it says of the model holds while that one is in place."""
    earlier_model: str = ""
    """Which one that was."""
    resumed_with: tuple[str, ...] = ()
    """Commands that went on with the run by options that change what it finds."""
    unfinished: tuple[str, ...] = ()
    """Names of the configurations that were still being tried when the search ended."""
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Announce a stage and note its seconds."""
        begun = self.budget.elapsed()
        self.listener(StageStarted(name, begun))
        try:
            yield
        finally:
            self.times.append(StageTime(name=name, seconds=round(self.budget.elapsed() - begun, 3)))

    def check_stop(self) -> None:
        """End a run that the user stopped before it had anything to keep.

        Raises:
            StoppedError: If the user asked to stop.
        """
        if self.stop.is_set():
            new = "new " if self.resumed else ""
            raise StoppedError(f"stopped before anything {new}was finished", self.how_to_go_on)

    @property
    def how_to_go_on(self) -> str:
        """What to do after a stop: a folder that holds a run already would be refused without ``--resume``."""
        if not self.folder.is_run():
            return "Start it again when you like."
        return f"`autodl fit ... --resume --out {shlex.quote(str(self.folder.path))}` goes on."

    def take_over(self, earlier: RunRecord) -> None:
        """Keep what an interrupted run has measured already."""
        self.first_model_s, self.started = earlier.budget.first_model_s, earlier.started
        now, self.resumed_with = _plain(self.options), earlier.resumed_with
        other = any(now[name] != earlier.options.get(name, now[name]) for name in MAY_CHANGE - {"report"})
        if earlier.command and self.command and other:
            self.resumed_with += (self.command,)
        self.command = earlier.command or self.command
        self.earlier, self.earlier_model = earlier, self.folder.model_fingerprint()
        self.times.extend(earlier.stages)
        self.more_time = earlier.more_time

    @contextmanager
    def guard(self, what: str, only: type[Exception] = Exception) -> Iterator[None]:
        """Let a failure cost this part alone: it is told, its traceback is logged, the run goes on.

        A disk that refuses is remembered in ``trouble``, since the run then ends as failed.

        Args:
            what: The part, as a sentence begins.
            only: Failures of other kinds are not held up.

        Raises:
            DiskError: If the whole run folder is gone, so that there is nothing to go on for.
        """
        try:
            yield
        except only as error:
            if isinstance(error, DiskError):
                self.trouble = self.trouble or error
                if not self.folder.path.is_dir():
                    raise
            self.leave_out(what, error)

    def leave_out(self, what: str, error: Exception) -> None:
        """Log and tell what has cost a part of the run; called where ``error`` is handled."""
        logging.getLogger("autodl").exception("%s failed", what)
        text = " ".join(str(error).split())[:200]
        if isinstance(error, DiskError):
            if self.disk_told:
                return  # the same disk refuses each file that follows
            self.disk_told = True
        if out_of_memory(error):
            text = "the memory did not suffice; close other programs, or use a machine with more"
        elif not isinstance(error, AutodlError):
            text = f"{type(error).__name__}: {text}"
        self.note(f"{what} failed and is left out ({text.rstrip('.')}).")

    @contextmanager
    def recording_failure(self) -> Iterator[None]:
        """Leave ``run.json`` with the status ``failed`` and the reason when a begun run ends by an error."""
        try:
            yield
        except Exception as error:
            if self.identity is not None and self.folder.is_run():
                stopped = isinstance(error, StoppedError)
                # On a full disk even this may fail: the status is then found by the lock, which ends with us.
                with suppress(RunError):
                    reason = " ".join(str(error).split()) or type(error).__name__
                    evaluation = self.folder.read("evaluation", Evaluation)
                    status = "interrupted" if stopped else "failed"
                    self.write(status, self.folder.trials(), evaluation, error=reason)
            raise

    def once(self, name: str, kind: type[R], make: Callable[[], M]) -> R | M:
        """The stored record of a resumed run, or a new one, which is stored if the disk lets us."""
        found = self.folder.read(name, kind)
        if found is not None:
            return found
        made = make()
        if made is not None:
            with self.guard(f"Writing the {name}", only=DiskError):
                self.folder.write(name, made)
        return made

    def adopt(self, plan: Plan) -> None:
        """Go on by a plan that has learnt more of the data than the first one could."""
        assert self.identity is not None, "the plan is known"
        self.folder.write("plan", plan)
        self.identity = replace(self.identity, plan=plan)

    def note(self, text: str) -> None:
        """Tell the user something in a sentence."""
        self.listener(Note(text, self.budget.elapsed()))

    def write(
        self,
        status: str,
        results: Sequence[TrialResult],
        evaluation: Evaluation | None = None,
        error: str | None = None,
    ) -> RunRecord:
        """Write ``run.json`` as things stand."""
        results = merged(results)
        assert self.identity is not None, "the plan comes before the first record"
        plan, profile = self.identity.plan, self.identity.profile
        given = self.options.time_budget_s
        if self.trouble is not None:
            status, error = "failed", str(self.trouble) or type(self.trouble).__name__
        record = RunRecord(
            status=status,
            error=error,
            task=plan.task,
            target=plan.target,
            metric=plan.metric,
            classes=plan.classes,
            budget=BudgetUse(given_s=given, used_s=round(self.budget.elapsed(), 2), first_model_s=self.first_model_s),
            test=_test_scores(evaluation),
            leaderboard=_leaderboard(evaluation, results),
            front=_front_rows(self.front),
            takes=None if self.front is None else self.front.delivered,
            limits=Limits() if self.front is None else self.front.limits,
            within_limits=None if self.front is None else self.front.kept,
            findings=tuple(
                FindingRow(code=f.code, severity=f.severity.value, column=f.column, message=f.message)
                for f in profile.findings
                if f.severity is not Severity.NOT_APPLICABLE
            ),
            stages=tuple(self.times),
            n_trials=len(results),
            n_again=sum(r.n_splits - 1 for r in results),
            unfinished=self.unfinished,
            more_time=self.more_time,
            n_failed=sum(r.status in (TrialStatus.FAILED, TrialStatus.TIMEOUT) for r in results),
            delivered=self.delivered,
            versions=versions(),
            seed=self.options.seed,
            command=self.command,
            resumed_with=self.resumed_with,
            options=_plain(self.options),
            started=self.started,
        ).model_copy(update=self._known(evaluation))
        self.folder.write_run(record)
        return record

    def _known(self, evaluation: Evaluation | None) -> dict[str, Any]:
        """What an earlier part of the run told of the model that is still in place, until it is told anew."""
        if self.earlier is None or self.folder.model_fingerprint() != self.earlier_model:
            return {}
        names = [] if self.delivered else ["delivered"]
        names += [] if self.front is not None else ["front", "takes", "limits", "within_limits"]
        names += [] if evaluation is not None or not self.earlier.test else ["test", "leaderboard"]
        return {name: getattr(self.earlier, name) for name in names}


def _test_scores(evaluation: Evaluation | None) -> dict[str, TestScore]:
    if evaluation is None:
        return {}
    leader = next(m for m in evaluation.models if m.name == evaluation.leader)
    return {key: TestScore(value=i.value, low=i.low, high=i.high, n=i.n) for key, i in leader.metrics.items()}


def _leaderboard(evaluation: Evaluation | None, results: Sequence[TrialResult]) -> tuple[LeaderboardRow, ...]:
    if evaluation is not None:
        return tuple(
            LeaderboardRow(
                name=m.name,
                family=m.family,
                validation=m.validation,
                test=m.test.value if m.test else None,
                fit_s=round(m.fit_s, 3),
                predict_ms_per_row=m.predict_ms_per_row,
            )
            for m in evaluation.models
        )
    names = trial_names([r.spec for r in results])
    done = sorted((r for r in results if r.ok), key=lambda r: r.loss if r.loss is not None else 0.0)
    return tuple(
        LeaderboardRow(
            name=names[r.spec.id],
            family=r.spec.family,
            validation=r.score,
            test=None,
            fit_s=round(r.fit_s, 3),
            predict_ms_per_row=(r.whole_need.ms_per_1000 or 0.0) / 1000.0,
        )
        for r in done
    )


def _front_rows(front: Front | None) -> tuple[FrontRow, ...]:
    points = [] if front is None else [p for p in front.points if p.best or p.kind == "delivered"]
    return tuple(
        FrontRow(
            name=p.name,
            family=p.family,
            kind=p.kind,
            validation=p.score,
            test=p.test.value if p.test else None,
            row_ms=1000.0 * (p.need.row_s or 0.0),
            size_bytes=p.need.size_bytes,
            within_limits=p.within,
        )
        for p in points
    )


def _plain(options: FitOptions) -> dict[str, str | int | float | bool | None]:
    plain = options.model_dump(mode="json").items()
    return {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in plain}
