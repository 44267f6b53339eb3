"""``autodl fit``: search, test and explain models for a table."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from autodl.cli import options as opt
from autodl.cli.context import Invocation, invocation_of
from autodl.data.files import source_files

if TYPE_CHECKING:
    from autodl.cli.live import LiveDisplay
    from autodl.cli.plain import PlainLines
    from autodl.cli.screen import Screen
    from autodl.events import Event
    from autodl.options import FitOptions
    from autodl.records import Evaluation, RunRecord

LOG_NAME = "log.txt"
"""Where a run folder keeps what libraries printed."""


@opt.takes_wishes
def fit(
    context: typer.Context,
    data: opt.Data,
    wishes: opt.Wishes,
    out: opt.Out = None,
    resume: opt.Resume = False,
    trust: opt.Trust = False,
    quiet: opt.Quiet = False,
    json: opt.FitJson = False,
) -> None:
    """Search models for DATA and leave a run folder with the best one and a report.

    Ctrl-C once keeps the best so far and writes the report; twice stops at once.
    """
    invocation = invocation_of(context)
    chosen = wishes.checked()
    for source in (data, wishes.test):
        if source is not None:
            source_files(source)  # a wrong path is told before a folder is made and libraries are loaded
    folder = opt.choose_folder(out, data, resume)
    _run(invocation, data, chosen, folder, resume=resume, trust=trust, quiet=quiet, json=json)


def _run(
    invocation: Invocation,
    data: str,
    options: FitOptions,
    folder: Path,
    *,
    resume: bool,
    trust: bool,
    quiet: bool,
    json: bool,
) -> None:
    from autodl.cli.screen import quiet_libraries

    started = invocation.started()
    record: RunRecord | None = None
    with quiet_libraries(invocation) as screen:
        try:
            try:
                with _display(screen, data, options, started, hidden=quiet or json) as display:
                    record, evaluation = _watched(
                        invocation, data, options, folder, resume, trust, started, display, screen
                    )
            finally:
                _keep_log(invocation, folder)
            if json:
                screen.print_json(opt.jsonable(record))
            else:
                _say_summary(screen, record, evaluation, folder)
        except KeyboardInterrupt:
            if record is None:
                raise
            screen.err.print(f"autodl: the run had ended before that; all of it is in {folder}", soft_wrap=True)
            if json:
                raise typer.Exit(130) from None  # a program that waits for the document must know


def _watched(
    invocation: Invocation,
    data: str,
    options: FitOptions,
    folder: Path,
    resume: bool,
    trust: bool,
    started: float,
    display: LiveDisplay | PlainLines | None,
    screen: Screen,
) -> tuple[RunRecord, Evaluation | None]:
    """Run the pipeline with a display, ready for Ctrl-C."""
    from autodl.cli.interrupts import Interrupts
    from autodl.events import PlanReady, RunFinished
    from autodl.store.lock import abandon, first_missing

    stop, begun, earlier = threading.Event(), threading.Event(), [0.0]  # seconds that a resumed run had used before
    finished: list[Evaluation | None] = []
    automatic = folder.parent == opt.RUNS
    made = opt.RUNS if automatic else first_missing(folder)  # it stays if it holds other runs

    def listen(event: Event) -> None:
        earlier[0] = max(earlier[0], event.elapsed_s - (time.time() - started))
        if isinstance(event, PlanReady):
            begun.set()
        if isinstance(event, RunFinished):
            finished.append(event.evaluation)
        if display is not None:
            with _shown_if_possible(screen):
                display(event)

    def stop_soon() -> bool:
        if not begun.is_set():
            return False  # nothing is there to keep, and reading a large file cannot be asked to stop
        stop.set()
        text = "stopping: keeping the best so far and writing the report (Ctrl-C again ends at once)"
        with _shown_if_possible(screen):  # an error would end the thread that waits for the second signal
            if display is not None:
                display.stopping()
                display.say(earlier[0] + time.time() - started, text)
            else:
                screen.err.print(f"autodl: {text}", soft_wrap=True)
        return True

    def stop_now() -> None:
        abandon(folder, made)  # first: whatever is shown may fail
        with _shown_if_possible(screen):
            close = getattr(display, "close", None)
            if close is not None:
                close()
            screen.err.print(f"autodl: stopped{_how_to_go_on(folder)}", soft_wrap=True)
        abandon(folder, made)  # once more: the run may just have been about to make it

    try:
        with Interrupts(stop_soon, stop_now, screen.leave_terminal):
            # Imported under the signal watch: the libraries take seconds to load.
            from autodl.pipeline import run_fit

            record = run_fit(
                data, options, folder, listener=listen, started=started, command=invocation.command, resume=resume,
                trust=trust, stop=stop,
            )  # fmt: skip
    finally:
        if automatic:
            abandon(folder, made)
    return record, finished[-1] if finished else None


@contextlib.contextmanager
def _shown_if_possible(screen: Screen) -> Iterator[None]:
    """Show something; a long run goes on where nobody is left to see it."""
    try:
        yield
    except OSError:
        screen.leave_broken()


def _how_to_go_on(folder: Path) -> str:
    """What to type to go on with a run that was ended at once; empty if it had not begun."""
    from autodl.store import RunFolder

    if not RunFolder(folder).is_run():
        return ""
    return f"; --resume --out {shlex.quote(str(folder))} goes on from what was finished"


@contextlib.contextmanager
def _display(
    screen: Screen, data: str, options: FitOptions, started: float, *, hidden: bool
) -> Iterator[LiveDisplay | PlainLines | None]:
    if hidden:
        yield None
    elif screen.out.is_terminal:
        from autodl.cli.live import LiveDisplay

        with LiveDisplay(screen.out, Path(data).name, started, options.time_budget_s, options.max_trials) as live:
            yield live
    else:
        from autodl.cli.plain import PlainLines

        yield PlainLines(screen.out)


def _keep_log(invocation: Invocation, folder: Path) -> None:
    """Move what libraries printed into the run folder, if there is any and a run was begun."""
    log = invocation.log
    if log is None or not (folder / "run.json").exists() or log.stat().st_size == 0:
        return
    try:
        with log.open("rb") as source, (folder / LOG_NAME).open("ab") as sink:
            shutil.copyfileobj(source, sink)
    except OSError:  # the disk is full or the folder gone, which the run tells itself; the log stays where it is
        return
    log.unlink()
    invocation.log = folder / LOG_NAME


def _say_summary(screen: Screen, record: RunRecord, evaluation: Evaluation | None, folder: Path) -> None:
    from autodl.cli.summary import print_summary, summarize
    from autodl.evaluate.base import metrics
    from autodl.records import Profile, TrialStatus
    from autodl.records.origins import SUPERNET
    from autodl.search.repeats import merged
    from autodl.store import RunFolder

    names, run = {key: m.name for key, m in metrics.items()}, RunFolder(folder)
    names[record.metric] = metrics[record.metric].name  # one of quantiles has their levels in its key
    trials, profile = run.trials(), run.read("profile", Profile)
    late = sum(t.status is TrialStatus.TIMEOUT for t in merged(trials))
    shared = any(t.spec.origin == SUPERNET for t in trials)
    print_summary(screen.out, summarize(record, evaluation, folder, names, profile, late, shared))
