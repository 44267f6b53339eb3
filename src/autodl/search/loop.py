"""The search: keeps the runner busy until time, trials or ideas run out."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from autodl.clock import Deadline
from autodl.events import Listener, Note, TrialFinished, TrialStarted
from autodl.models.base import families
from autodl.records import MoreTime, TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import INHERITED, LISTED, PROMOTED, REPEAT, SUPERNET
from autodl.records.shared_weights import ENOUGH, sentence, trust
from autodl.search.allocation import Allocation
from autodl.search.budget import Budget
from autodl.search.costs import CostModel
from autodl.search.feasibility import Feasibility
from autodl.search.first_training import Loading
from autodl.search.memory import MemoryModel
from autodl.search.naming import trial_names
from autodl.search.nas.sharing import SHARE, full_proposals, shared_choices
from autodl.search.patience import LEAST_S, Patience
from autodl.search.repeats import merged
from autodl.search.rivals import rival_curves, rival_folds
from autodl.search.runners.base import Runner
from autodl.search.trial import Job, TrialOutcome

STRETCH = 1.25
"""A trial is started only if this many times its estimate fits into the time left."""

SIMPLE = 1
"""Families up to this complexity are the last resort when time is short."""
NO_WORKER_S = 60.0
"""Seconds to wait for a worker to come up where none is left."""
SMALL_S, SMALL_SHARE = 0.5, 0.15
"""Trials that need at most so many seconds may use this share of the reserve: one of them hurts nothing, and a fifth
is kept for trials that take longer than expected."""
LAST_RESORT_S = 3.0
"""Seconds that a last resort gets in any case."""
NEEDED_SHARE = 0.8
"""Of the time left, for a model without which there would be none."""
FIRST_PASS = 0.5
"""Of what a trial may take at most, for one on a part of the rows: what is slow there is no use on all of them."""
OVERLONG = 10.0
"""A last resort that is not simple may be estimated at so many times the time left: most models end at a deadline."""
QUICKER = 0.5
"""After trials of a family that ran out of time, those are tried that need less than this share of their time."""


class Refused(NamedTuple):
    """A trial that there was no time for, as things stood when it was weighed; seconds."""

    need: float
    """Its estimate times ``STRETCH``."""
    left: float
    """What it could have had; below 0 where the reserve is touched."""
    kept: float
    """The reserve for everything after the search."""


@dataclass
class SearchState:
    """Everything finished so far, and who may not start any more for lack of time."""

    finished: list[TrialResult] = field(default_factory=list)
    too_slow: dict[str, Refused] = field(default_factory=dict)
    """Family -> its refused trial that came nearest to fitting."""
    too_large: dict[str, float] = field(default_factory=dict)
    """Family -> bytes that its smallest refused trial would have taken."""
    memory_left: float = math.inf
    """Bytes that a trial may take."""
    settled: MoreTime | None = None
    """Why nothing new is looked for any more, before the time is up."""
    unfinished: tuple[str, ...] = ()
    """Readable names of the configurations that were still being tried at the end."""

    def best(self, feasibility: Feasibility | None = None) -> TrialResult | None:
        """The finished trial with the lowest loss, of those within the limits if there are any."""
        done = [r for r in merged(self.finished) if r.ok]
        return min(done, key=(feasibility or Feasibility()).order, default=None)


@dataclass(frozen=True)
class SearchLoop:
    """The collaborators of one search.

    Attributes:
        allocation: Chooses trials.
        costs: Estimates their seconds.
        budget: The clock.
        reserve: Finished trials -> seconds to keep for everything after the search.
        store: Writes an outcome durably and returns the stored result.
        scheduler: Key of the scheduler for trials that the strategy asked for.
        max_trials: Trials at most, further splits of the leaders among them, or None.
        memory: Estimates their bytes; None where nobody knows what is free.
        parents: Reads the fold models of the trial from which another goes on; empty if they are gone.
        patience: Says when nothing new need be looked for any more; None to search until the end.
        loading: Weighs whether a network waits for its libraries.
        max_failures: A family whose trainings from scratch failed this often in a row is not tried again.
    """

    allocation: Allocation
    costs: CostModel
    budget: Budget
    reserve: Callable[[Sequence[TrialResult]], float]
    store: Callable[[TrialOutcome], TrialResult]
    listener: Listener
    scheduler: str = "extrapolate"
    max_trials: int | None = None
    memory: MemoryModel | None = None
    parents: Callable[[TrialResult], tuple[bytes, ...]] = lambda result: ()
    patience: Patience | None = None
    max_failures: int = 2
    loading: Loading = field(default_factory=Loading)

    def run(self, runner: Runner, state: SearchState, stop: threading.Event) -> SearchState:
        """Search until the budget ends, ``stop`` is set, or nothing is left to try."""
        patience = Deadline.after(NO_WORKER_S)
        while not stop.is_set():
            started = self._fill(runner, state)
            if started or runner.running():
                patience = Deadline.after(NO_WORKER_S)
            elif runner.free() > 0 or patience.passed():
                break
            else:
                time.sleep(0.05)  # the only worker was ended and comes up again
            # The reserve may have grown while trials ran: they may use a part of it rather than be lost.
            left = self.budget.left() - 0.8 * self.reserve(state.finished)
            if left <= 0 and not any(self._must_try(j.spec, state) for j in runner.running()):
                break
            for outcome in runner.wait(min(max(left, 0.2), 1.0)):
                self._record(outcome, state, runner)
        while outcomes := runner.wait(0.0):  # what ended while the last outcome was being stored
            for outcome in outcomes:
                self._record(outcome, state, runner)
        running = [j.spec for j in runner.running()]
        names = trial_names([*(r.spec for r in state.finished), *running])
        state.unfinished = tuple(names[s.id] for s in running if s.repeats is None)
        if state.settled is not None and self._left(state) < LEAST_S:
            # What came after, the leaders' further splits, has used the time.
            state.settled = state.settled.model_copy(update={"ended": False})
        return state

    def _fill(self, runner: Runner, state: SearchState) -> bool:
        started = False
        while runner.free() > 0:
            running = [j.spec for j in runner.running()]
            # A further split of a configuration is a trial like any other: the number is a promise as well.
            if self.max_trials is not None and len(state.finished) + len(running) >= self.max_trials:
                break
            spec = self.allocation.next(
                state.finished, running, lambda s: self._fits(s, state), settled=self._settled(state)
            )
            if spec is None:
                break
            runner.submit(self._with_parents(self._job(spec, state), state))
            names = trial_names([*(r.spec for r in state.finished), *running, spec])
            self.listener(TrialStarted(spec, names[spec.id], self.budget.elapsed()))
            started = True
        return started

    def _settled(self, state: SearchState) -> bool:
        if state.settled is None and self.patience is not None:
            state.settled = self.patience.look(state.finished, self.budget.elapsed())
        return state.settled is not None

    def _with_parents(self, job: Job, state: SearchState) -> Job:
        parent = next((r for r in state.finished if r.spec.id == job.spec.parent), None)
        return job if parent is None else replace(job, parents=self.parents(parent))

    def _fits(self, spec: TrialSpec, state: SearchState) -> bool:
        if self._broken(spec.family, state.finished, spec):
            return False
        if not self._has_room(spec, state):
            return False
        if self.budget.unlimited or self._must_try(spec, state):
            return True
        need = self.costs.estimate(spec, state.finished) * STRETCH
        need /= SHARE if spec.origin == SUPERNET else 1.0
        need += self.loading.seconds(spec, state.finished)
        kept = self.reserve(state.finished)
        left = self.budget.left() - kept + _lent(need, kept)
        if need <= left:
            return True
        before, now = state.too_slow.get(spec.family), Refused(need, left, kept)
        state.too_slow[spec.family] = now if before is None else min(before, now, key=lambda r: r.need - r.left)
        return False

    def _has_room(self, spec: TrialSpec, state: SearchState) -> bool:
        """Whether the trial fits into the memory; the baseline, which needs next to none, always does."""
        if self.memory is None or families[spec.family].complexity == 0:
            return True
        need, state.memory_left = self.memory.estimate(spec, state.finished), self.memory.allowed
        if need <= self.memory.allowed:
            return True
        state.too_large[spec.family] = min(need, state.too_large.get(spec.family, math.inf))
        return False

    def _must_try(self, spec: TrialSpec, state: SearchState) -> bool:
        """Whether this model is tried though it does not fit: a run without any model is of no use to anyone.

        A simple one in any case, another as long as some seconds are left: at its deadline it ends with what it has.
        """
        if any(r.ok and families[r.spec.family].complexity > 0 for r in state.finished):
            return False
        if families[spec.family].complexity <= SIMPLE:
            return True
        left = self._left(state)
        return left > LAST_RESORT_S and self.costs.estimate(spec, state.finished) <= OVERLONG * left

    def _broken(self, family: str, finished: Sequence[TrialResult], spec: TrialSpec | None = None) -> bool:
        """Whether the family's last trials all failed.

        Args:
            family: Its key. finished: All trials.
            spec: What is to be tried; where time ran out, something much quicker is.
        """
        # Children and trainings of shared weights have reasons of their own to fail.
        own = [r for r in finished if r.spec.family == family and r.spec.parent is None and not r.lost]
        last = [r for r in own if r.spec.origin != SUPERNET][-self.max_failures :]
        bad = (TrialStatus.FAILED, TrialStatus.TIMEOUT)
        if len(last) < self.max_failures or not all(r.status in bad for r in last):
            return False
        if spec is None or any(r.status is not TrialStatus.TIMEOUT for r in last):
            return True
        return self.costs.raw(spec) > QUICKER * min(self.costs.raw(r.spec) for r in last)

    def _left(self, state: SearchState) -> float:
        return self.budget.left() - self.reserve(state.finished)

    def _job(self, spec: TrialSpec, state: SearchState) -> Job:
        # A trial that could be delivered is not stopped for one that could not.
        able = [r for r in state.finished if r.spec.repeats is None and self.allocation.feasibility.violation(r) == 0]
        searched = {key for key, space in self.allocation.spaces.items() if space.params}
        rivals = rival_folds([r for r in able if r.spec.family in searched])
        whole = (*LISTED, SUPERNET, INHERITED, REPEAT, PROMOTED)
        # Where parts of the rows are tried, the scheduler acts between trials.
        judged = spec.origin not in whole and self.allocation.rungs is None
        scheduler = self.scheduler if judged else "none"
        choices = None
        if spec.origin == SUPERNET:
            choices = shared_choices(spec.family, self.allocation.spaces[spec.family], spec.config)
        curves = () if scheduler == "none" else rival_curves(able, spec.family)
        baseline = families[spec.family].complexity == 0
        light = self.memory is None or baseline or self.memory.light(spec, state.finished)
        bytes_ = 0.0 if self.memory is None or baseline else self.memory.estimate(spec, state.finished)
        scout = spec.fidelity is not None and self.allocation.promotions is not None
        if self.budget.unlimited:
            return Job(
                spec, math.inf, scheduler, rivals, curves, choices=choices, light=light, bytes=bytes_, scout=scout
            )  # fmt: skip
        needed = self._must_try(spec, state)
        least = LAST_RESORT_S if needed else 0.5
        kept, expected = self.reserve(state.finished), self.costs.estimate(spec, state.finished)
        left = max(least, self.budget.left() - kept + _lent(expected * STRETCH, kept))
        share = (NEEDED_SHARE if needed else 0.4) * (FIRST_PASS if scout else 1.0)
        generous = max(least, 4.0 * expected, share * left)
        seconds = min(left, generous) if choices is None else SHARE * left
        # Whether the process that gets it has trained a network before is known there.
        loading = min(left - seconds, self.loading.first(spec)) if choices is None else 0.0
        return Job(
            spec, seconds + loading, scheduler, rivals, curves, choices=choices, light=light, bytes=bytes_,
            partial=needed and not baseline and choices is None, scout=scout, loading=loading,
        )  # fmt: skip

    def _record(self, outcome: TrialOutcome, state: SearchState, runner: Runner) -> None:
        before = state.best(self.allocation.feasibility)
        now = self.budget.elapsed()
        spent = outcome.result.cost.spent_s if outcome.result.cost else 0.0
        timed = outcome.result.model_copy(update={"finished_s": now, "started_s": max(0.0, now - spent)})
        if timed.proposals:
            timed = full_proposals(timed, self.allocation.spaces[timed.spec.family])
        stored = self.store(TrialOutcome(timed, outcome.oof, outcome.test, outcome.models))
        state.finished.append(stored)
        names = trial_names([*(r.spec for r in state.finished), *(j.spec for j in runner.running())])
        after = state.best(self.allocation.feasibility)
        improved = after is not None and after is not before and after.spec.id == stored.spec.id
        self.listener(TrialFinished(stored, names[stored.spec.id], improved, now))
        if stored.spec.origin == INHERITED and stored.ok:
            seen = trust(stored.spec.family, merged(state.finished))  # as whoever asks for trials sees them
            if len(seen.pairs) == ENOUGH:
                self.listener(Note(sentence(families[stored.spec.family].name, seen), now))


def _lent(need: float, kept: float) -> float:
    """Seconds of the reserve that a trial may use which needs so many."""
    return SMALL_SHARE * kept if need <= SMALL_S else 0.0
