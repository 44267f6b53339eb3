"""Progress on a terminal: the budget, the stage, what is trained, and the leaderboard against guessing."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autodl.cli.board import Board, guesses, plan_sentence
from autodl.cli.words import number, plural
from autodl.duration import format_duration
from autodl.events import Event, PlanReady

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_STAGES = {
    "read": "reading the data",
    "profile": "looking at the data",
    "plan": "planning",
    "search": "searching",
    "ensemble": "combining the best models",
    "evaluate": "testing on rows never seen",
    "explain": "finding out what drives the predictions",
    "report": "writing the report",
}
_REFRESH_HZ = 4.0
_NOTES_SHOWN = 4


class LiveDisplay:
    """A listener that redraws a panel a few times a second; use as a context manager.

    Args:
        console: A console on a terminal.
        title: What is being read.
        started: ``time.time()`` at the start of the command.
        budget_s: Seconds given, or None.
        max_trials: Trials given, or None.
    """

    def __init__(
        self, console: Console, title: str, started: float, budget_s: float | None, max_trials: int | None
    ) -> None:
        self._title, self._started, self._budget, self._max_trials = title, started, budget_s, max_trials
        self._board = Board()
        self._lock = threading.Lock()
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=_REFRESH_HZ,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveDisplay:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            self._board.take(event)
            if isinstance(event, PlanReady):
                self._board.notes.extend((event.elapsed_s, text) for text in guesses(event.profile))

    def say(self, elapsed_s: float, text: str) -> None:
        """Show a note."""
        with self._lock:
            self._board.notes.append((elapsed_s, text))

    def close(self) -> None:
        """Remove the panel and give the cursor back."""
        self._live.stop()

    def _render(self) -> RenderableType:
        with self._lock:
            return draw(self._board, self._title, time.time() - self._started, self._budget, self._max_trials)


def draw(board: Board, title: str, elapsed_s: float, budget_s: float | None, max_trials: int | None) -> Group:
    """The panel at one moment."""
    parts: list[RenderableType] = [_head(board, title), _progress(board, elapsed_s, budget_s, max_trials)]
    if board.training:
        names = [
            f"{name} ({format_duration(max(0.0, elapsed_s - since))})" for name, since in board.training.values()
        ]
        parts.append(Text(f" training  {', '.join(names[:4])}", style="dim", no_wrap=True, overflow="ellipsis"))
    else:
        parts.append(Text(""))
    if board.best or board.baseline:
        parts.append(_leaderboard(board))
    for at, text in board.notes[-_NOTES_SHOWN:]:
        parts.append(Text.assemble((f" {at:5.0f} s  ", "dim"), text))
    return Group(*parts)


def _head(board: Board, title: str) -> Text:
    text = Text.assemble((" autodl ", "bold reverse"), "  ", (title, "bold"))
    if board.profile is not None and board.plan is not None:
        text.append(f"  {plan_sentence(board.profile, board.plan)}")
    return text


def _progress(board: Board, elapsed_s: float, budget_s: float | None, max_trials: int | None) -> Table:
    line = Table.grid(padding=(0, 1), expand=False)
    stage = _STAGES.get(board.stage, board.stage or "starting")
    if budget_s:
        total, done = budget_s, min(elapsed_s, budget_s)
        figure = f"{format_duration(elapsed_s)} of {format_duration(budget_s)}"
    elif max_trials:
        total, done = float(max_trials), float(min(board.n_finished, max_trials))
        figure = f"{board.n_finished} of {plural(max_trials, 'model')}, {format_duration(elapsed_s)}"
    else:
        total, done, figure = 1.0, 0.0, format_duration(elapsed_s)
    bar = ProgressBar(total=total, completed=done, width=30, complete_style="cyan", finished_style="cyan")
    tried = Text(f"{plural(board.n_finished, 'model')} tried", style="dim") if board.n_finished else Text("")
    if board.n_failed:
        tried.append(f", {board.n_failed} failed", style="yellow")
    line.add_row(Text(" "), bar, Text(figure), Text(stage, style="cyan"), tried)
    return line


def _leaderboard(board: Board) -> Table:
    metric = board.plan.metric if board.plan else "score"
    table = Table(box=None, padding=(0, 2, 0, 1), header_style="dim", pad_edge=True)
    table.add_column("model", no_wrap=True, overflow="ellipsis", max_width=34)
    table.add_column(metric, justify="right", no_wrap=True)
    table.add_column("from guessing to perfect", no_wrap=True)
    table.add_column("tried", justify="right", no_wrap=True)
    table.add_column("training", justify="right", no_wrap=True)
    for place, row in enumerate(board.rows()):
        style = "bold green" if place == 0 else ""
        table.add_row(
            Text(row.name, style=style),
            Text(number(row.score), style=style),
            _skill_bar(board.skill(row.loss)),
            str(row.tried),
            format_duration(row.fit_s),
        )
    if base := board.baseline_row():
        table.add_row(
            Text(f"{base.name} (guessing)", style="dim"), Text(number(base.score), style="dim"),
            _skill_bar(0.0), "", Text(format_duration(base.fit_s), style="dim"),
        )  # fmt: skip
    return table


def _skill_bar(skill: float | None, width: int = 18) -> Text:
    if skill is None:
        return Text("")
    cells = round(width * min(1.0, max(0.0, skill)))
    return Text.assemble(("█" * cells, "green"), ("·" * (width - cells), "dim"), f" {100 * skill:4.0f} %")
