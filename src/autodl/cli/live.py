"""Progress on a terminal: the budget, the stage, what is trained, and the leaderboard against guessing."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autodl.cli.board import STAGES, Board, guesses, metric_name, plan_sentence
from autodl.cli.words import number, plural
from autodl.duration import format_duration
from autodl.events import Event, PlanReady

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

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
        self._before = 0.0
        self._echo = _ControlEcho()
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=_REFRESH_HZ,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveDisplay:
        self._echo.hide()
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        with self._lock:
            # A resumed run counts the seconds of its earlier parts too.
            self._before = max(0.0, event.elapsed_s - (time.time() - self._started))
            self._board.take(event)
            if isinstance(event, PlanReady):
                self._board.notes.extend((event.elapsed_s, text) for text in guesses(event.profile))

    def stopping(self) -> None:
        """The user asked to stop: nothing is shown as being trained any more."""
        with self._lock:
            self._board.stop()

    def say(self, elapsed_s: float, text: str) -> None:
        """Show a note."""
        with self._lock:
            self._board.notes.append((elapsed_s, text))

    def close(self) -> None:
        """Remove the panel and give the cursor back."""
        self._live.stop()
        self._echo.restore()

    def _render(self) -> RenderableType:
        with self._lock:
            return draw(
                self._board, self._title, time.time() - self._started + self._before, self._budget, self._max_trials
            )


class _ControlEcho:
    """Keeps the terminal from writing ``^C`` into the panel, which could push it a line down."""

    def __init__(self) -> None:
        self._saved: list[Any] | None = None

    def hide(self) -> None:
        """Switch the echo of control characters off, where there is such a thing."""
        if not sys.stdin.isatty() or sys.platform == "win32":
            return
        import termios

        # The system stops a process in the background that changes the terminal, which is not its own there.
        try:
            if os.tcgetpgrp(0) != os.getpgrp():
                return
        except OSError:  # the terminal controls other processes
            return
        self._saved = termios.tcgetattr(0)
        changed = termios.tcgetattr(0)
        changed[3] &= ~termios.ECHOCTL
        termios.tcsetattr(0, termios.TCSANOW, changed)

    def restore(self) -> None:
        """Put it back as it was."""
        if self._saved is None or sys.platform == "win32":
            return
        import termios

        # In the background by now: nothing but the one setting, of which other programs make no use, and no stop.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            with contextlib.suppress(termios.error):  # the terminal is gone
                changed = termios.tcgetattr(0)
                changed[3] |= self._saved[3] & termios.ECHOCTL
                termios.tcsetattr(0, termios.TCSANOW, changed)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._saved = None


def draw(board: Board, title: str, elapsed_s: float, budget_s: float | None, max_trials: int | None) -> Group:
    """The panel at one moment."""
    parts: list[RenderableType] = [
        _head(board, title),
        _progress(board, elapsed_s, budget_s, max_trials),
        _training(board, elapsed_s),
    ]
    if board.best or board.baseline:
        parts.append(_leaderboard(board))
    if board.notes:
        notes = Table.grid(padding=(0, 2, 0, 1))
        notes.add_column(justify="right", style="dim", no_wrap=True)
        notes.add_column()
        for at, text in board.notes[-_NOTES_SHOWN:]:
            notes.add_row(f"{at:.0f} s", text)
        parts.append(notes)
    return Group(*parts)


def _head(board: Board, title: str) -> Text:
    text = Text.assemble((" autodl ", "bold reverse"), "  ", (title, "bold"))
    if board.profile is not None and board.plan is not None:
        text.append(f"  {plan_sentence(board.profile, board.plan)}")
    return text


def _progress(board: Board, elapsed_s: float, budget_s: float | None, max_trials: int | None) -> Table:
    line = Table.grid(padding=(0, 1), expand=False)
    stage = STAGES.get(board.stage, board.stage or "starting")
    if budget_s:
        total, done = budget_s, min(elapsed_s, budget_s)
        figure = f"{format_duration(elapsed_s)} of {format_duration(budget_s)}"
    elif max_trials:
        total, done = float(max_trials), float(min(board.n_trials, max_trials))
        figure = f"{board.n_trials} of {plural(max_trials, 'trial')}, {format_duration(elapsed_s)}"
    else:
        total, done, figure = 1.0, 0.0, format_duration(elapsed_s)
    bar = ProgressBar(total=total, completed=done, width=24, complete_style="cyan", finished_style="cyan")
    for _ in range(4):
        line.add_column(no_wrap=True)
    line.add_row(Text(""), bar, Text(figure), Text(stage, style="cyan"))
    return line


def _training(board: Board, elapsed_s: float) -> Text:
    text = Text(" ", style="dim", no_wrap=True, overflow="ellipsis")
    if board.n_finished:
        text.append(f"{plural(board.n_finished, 'model')} tried")
        if board.n_failed:
            text.append(f", {board.n_failed} failed", style="yellow")
        if board.n_timeouts:
            text.append(f", {board.n_timeouts} ran out of time", style="yellow")
    running = [f"{name} ({max(0.0, elapsed_s - since):.0f} s)" for name, since in board.training.values()]
    if running:
        text.append(f"{'; ' if board.n_finished else ''}training {', '.join(running[:4])}")
    return text


def _leaderboard(board: Board) -> Table:
    metric = metric_name(board.plan.metric) if board.plan else "score"
    table = Table(box=None, padding=(0, 2, 0, 1), header_style="dim", pad_edge=True)
    table.add_column("model", no_wrap=True, overflow="ellipsis", min_width=12, max_width=34)
    table.add_column(metric, justify="right", no_wrap=True, min_width=6)
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
            Text(base.name, style="dim"), Text(number(base.score), style="dim"),
            _skill_bar(0.0), "", Text(format_duration(base.fit_s), style="dim"),
        )  # fmt: skip
    return table


def _skill_bar(skill: float | None, width: int = 18) -> Text:
    if skill is None:
        return Text("")
    cells = round(width * min(1.0, max(0.0, skill)))
    return Text.assemble(f"{100 * skill:4.0f} % ", ("█" * cells, "green"), ("·" * (width - cells), "dim"))
