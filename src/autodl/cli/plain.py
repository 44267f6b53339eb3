"""Progress as plain lines, for logs and pipes: what changed, not every trial."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autodl.cli.board import STAGES, Board, guesses, plan_sentence
from autodl.cli.words import number, plural
from autodl.events import Event, Note, PlanReady, RunFinished, StageStarted, TrialFinished
from autodl.report.format import ran_out

if TYPE_CHECKING:
    from rich.console import Console

_PULSE_S = 15.0
_FAILURES_SHOWN = 3


class PlainLines:
    """A listener that prints one timestamped line for each thing worth knowing.

    A long search would flood a log, so a line is written for the first result of each family, for each new leader,
    for the first failures of each family, and otherwise at most every 15 seconds.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._board = Board()
        self._failures: dict[str, int] = {}
        self._last = 0.0
        self._least = math.inf
        """Loss of the best leader that was told."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._board.take(event)
        match event:
            case StageStarted():
                self.say(event.elapsed_s, STAGES.get(event.stage, event.stage))
            case PlanReady():
                self._least = min((row.loss for row in self._board.rows(1)), default=math.inf)
                self.say(event.elapsed_s, f"plan: {plan_sentence(event.profile, event.plan)}")
                for text in guesses(event.profile):
                    self.say(event.elapsed_s, f"note: {text}")
            case Note():
                self.say(event.elapsed_s, f"note: {event.text}")
            case TrialFinished():
                self._trial(event)
            case RunFinished():
                self.say(event.elapsed_s, "done")
            case _:
                return

    def stopping(self) -> None:
        """The user asked to stop; the line that says so comes with :meth:`say`."""
        self._board.stop()

    def say(self, elapsed_s: float, text: str) -> None:
        """Print one line with the seconds since the start."""
        self._console.print(f"{elapsed_s:7.1f} s  {' '.join(text.split())}", soft_wrap=True)
        self._last = elapsed_s

    def _lead(self, loss: float | None) -> str:
        """What to say of a new leader; its score may be worse than one that was told before."""
        if loss is None or loss <= self._least:
            self._least = self._least if loss is None else loss
            return " (best so far)"
        return " (best so far: who was better did worse on further splits)"

    def _trial(self, event: TrialFinished) -> None:
        result, family = event.result, event.result.spec.family
        if result.status.value in ("failed", "timeout"):
            count = self._failures[family] = self._failures.get(family, 0) + 1
            if count <= _FAILURES_SHOWN:
                late = result.status.value == "timeout"
                reason = ran_out(result.error) if late else f"failed ({result.error or 'no reason given'})"
                self.say(event.elapsed_s, f"{event.name}: {reason}")
            return
        if not result.ok or result.score is None or result.spec.repeats is not None:
            return
        first = self._board.tried.get(family) == 1
        if first or event.best:
            cost = f", trained in {result.cost.fit_s:.1f} s" if result.cost else ""
            note = self._lead(result.loss) if event.best else ""
            self.say(event.elapsed_s, f"{event.name}: {number(result.score)}{cost}{note}")
        elif event.elapsed_s - self._last >= _PULSE_S and (rows := self._board.rows(1)):
            tried = plural(self._board.n_finished, "model")
            self.say(event.elapsed_s, f"{tried} tried, best: {rows[0].name} {number(rows[0].score)}")
