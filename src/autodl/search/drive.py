"""Keeps workers busy with calls of a function until a limit is reached."""

from __future__ import annotations

import math
import time

from autodl.search.call_limits import Limits
from autodl.search.calling import Answer, Call, WithLineage
from autodl.search.evaluators import Evaluator
from autodl.search.ledger import Evaluation, Ledger
from autodl.search.space import Config
from autodl.search.steering import Steering

HANG_SHARE = 0.25
"""A call may take this share of the time left before it is given up, unless calls are known to take longer."""
FIRST_SHARE = 0.5
"""The same until a call has given a loss: how long they take is not known, and nothing would be left without one."""
HANG_FACTOR = 10.0
"""A call may take this many times the longest one that gave a loss, where that is longer."""
TIME_OVER, OVER = "the time is over", "the time was over"
NOTHING_MORE = "the strategy has nothing more to try"


class Drive:
    """Keeps the workers busy until a limit is reached.

    Args:
        steering: Proposes. ledger: Keeps what was found. calls: Runs the function.
        limits: When to end. workers: Calls at a time. began: When the search began, by the monotonic clock.
    """

    def __init__(
        self, steering: Steering, ledger: Ledger, calls: Evaluator, limits: Limits, workers: int, began: float
    ) -> None:
        self.steering, self.ledger, self.calls, self.limits, self.workers = steering, ledger, calls, limits, workers
        self.began = began
        self.running: dict[int, float] = {}
        self.again = [e for e in ledger.evaluations if e.status == "running"]
        """Calls that an earlier search had begun when it ended."""
        self.longest = max((e.seconds for e in ledger.evaluations if e.status == "ok"), default=0.0)
        """Seconds of the longest call that gave a loss."""

    def run(self) -> str:
        """Search; says what ended it."""
        while True:
            reason = self._fill()
            if not self.running:
                self.ledger.evaluations = [e for e in self.ledger.evaluations if e not in self.again]
                return reason or NOTHING_MORE
            self._collect()

    def _fill(self) -> str:
        """Start calls while there is room; returns why no more may start."""
        while len(self.running) < self.calls.room(self.workers):
            if self.again:
                if self._left() <= 0:
                    return TIME_OVER
                self._start(self.again.pop(0))
                continue
            entries = self.ledger.evaluations
            if len(entries) >= self.limits.evals:
                return f"{len(entries)} evaluations were done"
            if self._left() <= 0:
                return TIME_OVER
            left = self.limits.fidelity_total - self.ledger.spent()
            calls = self.limits.evals - len(entries)
            step = self.steering.next(self.ledger.observations(), len(entries), left, calls)
            if step is None:
                span = self.steering.fidelity
                spent = span is not None and left < span.high
                return "the fidelity is spent" if spent else NOTHING_MORE
            if self._left() <= 0:
                return TIME_OVER
            fidelity = None if self.steering.fidelity is None else step.fidelity
            config = step.config if step.trial is None else self._config(step.trial)
            assert config is not None
            self._start(self.ledger.begin(config, fidelity, step.trial, step.parent))
        return ""

    def _start(self, entry: Evaluation) -> None:
        given = int(entry.fidelity) if entry.fidelity is not None and self._whole() else entry.fidelity
        config = entry.config
        if self.ledger.lineage:
            config = WithLineage.pack(config, Call(entry.number, entry.source))
        self.running[entry.number] = time.monotonic()
        self.calls.start(entry.number, config, given)

    def _collect(self) -> None:
        """Wait for one call to end, or for one to overrun."""
        soonest = min(self._deadline(t) for t in self.running.values())
        done = self.calls.wait(max(0.0, soonest - time.monotonic()) if math.isfinite(soonest) else None)
        if done is not None:
            number, answer = done
            self.running.pop(number)
            if self.ledger.end(number, answer).status == "ok":
                self.longest = max(self.longest, answer.seconds)
            return
        now = time.monotonic()
        for number, start in list(self.running.items()):
            if now >= self._deadline(start):
                cut = self._deadline(start) >= self.began + self.limits.seconds
                self.calls.give_up(number)
                self.running.pop(number)
                late = f"{OVER} after {now - start:.3g} s of this call" if cut else ""
                late = late or f"given up after {now - start:.3g} s without an answer{self._remedy()}"
                self.ledger.end(number, Answer(seconds=now - start, error=late), cut=cut)

    def _deadline(self, start: float) -> float:
        """When a call that began at ``start`` is given up."""
        end = self.began + self.limits.seconds
        if math.isfinite(self.limits.per_call):
            return min(end, start + self.limits.per_call)
        if math.isinf(end):
            return math.inf
        share = HANG_SHARE if self.longest else FIRST_SHARE
        return min(end, start + max(share * (end - start), HANG_FACTOR * self.longest))

    def _remedy(self) -> str:
        return "" if math.isfinite(self.limits.per_call) else "; `call_timeout` lets calls take longer"

    def _left(self) -> float:
        return self.began + self.limits.seconds - time.monotonic()

    def _whole(self) -> bool:
        return self.steering.fidelity is not None and self.steering.fidelity.whole

    def _config(self, place: int) -> Config:
        trial = self.ledger.trials[place]
        return next(e.config for e in self.ledger.evaluations if e.trial == trial)
