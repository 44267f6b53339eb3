"""Opens a run folder for a fit: checks, lock, repair of what a crash has left."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autodl.errors import RunError
from autodl.options import FitOptions
from autodl.records import Plan, RunRecord
from autodl.records.base import all_encodable
from autodl.store import DamagedError, RunFolder, RunLock
from autodl.store.disk import disk_trouble, require_space
from autodl.store.lock import clear_debris, is_blank, was_claimed
from autodl.store.repair import repair

MAY_CHANGE = frozenset({"time_budget_s", "max_trials", "workers", "address", "report"})
"""Options that a resumed run may be given anew; any other would make it another run."""
PATHS = frozenset({"test", "space"})
"""Files that may have moved; that their content is the same is checked once it is read."""


@dataclass(frozen=True)
class OpenRun:
    """A run folder that this process holds.

    Attributes:
        folder: The folder.
        earlier: Its record when a run is resumed; None for a new run, or if the record was lost.
        resumed: Whether there is something to go on with.
        used_s: Seconds of the budget that were used before.
        notes: Sentences about what a crash has cost.
    """

    folder: RunFolder
    earlier: RunRecord | None = None
    resumed: bool = False
    used_s: float = 0.0
    notes: list[str] = field(default_factory=list)


@contextlib.contextmanager
def open_run(out: Path, options: FitOptions, resume: bool, trust: bool = False) -> Iterator[OpenRun]:
    """Hold a run folder while a fit works in it.

    A folder in which nothing was begun is left as it was found.

    Raises:
        RunError: If another run works there, a run would be overwritten, there is none to resume, or it had other
            options.
        DiskError: If the folder cannot be written to or the disk has no room.
    """
    folder = RunFolder(out, trusted=trust)
    check_folder(out, resume)  # before the lock, which makes the folder
    _check_options(folder, options)
    with disk_trouble(out):
        existing = next(p for p in (out, *out.absolute().parents) if p.is_dir())
    require_space(existing)
    with RunLock(out):
        folder.expect()  # a stop may take it away while this thread still writes
        check_folder(out, resume)  # another run may have come and gone
        _check_options(folder, options)
        if folder.is_run():
            yield _resumed(folder)
        else:
            clear_debris(out)
            notes = ["The run had not begun when it was ended; it starts from the beginning."] if resume else []
            yield OpenRun(folder, notes=notes)


def check_folder(path: Path, resume: bool) -> None:
    """Whether a run may begin in a folder, or go on there.

    Raises:
        RunError: If a run would be overwritten, there is none to resume, or the folder holds other files.
        DiskError: If the folder cannot be looked into.
    """
    with disk_trouble(path):
        if path.exists() and not path.is_dir():
            raise RunError(f"{path} is a file", "Name a folder with --out.")
        filled = path.is_dir() and any(path.iterdir())
        blank = filled and is_blank(path)
        is_run = RunFolder(path).is_run()
    if is_run and not resume:
        raise RunError(
            f"{path} already holds a run", "Add --resume to go on with it, or choose another folder with --out."
        )
    if resume and not is_run and not (blank and was_claimed(path)):
        raise RunError(f"there is no run to resume in {path}", "Leave out --resume to start one.")
    if filled and not is_run and not blank:
        raise RunError(f"{path} is not empty and not a run folder", "Give a new folder with --out.")


def _check_options(folder: RunFolder, options: FitOptions) -> None:
    """Whether the run in the folder, if there is one, was begun with these options."""
    before = folder.read("options", FitOptions) if folder.is_run() else None
    for name, value in before.model_dump().items() if before is not None else ():
        now = getattr(options, name)
        moved = name in PATHS and value is not None and now is not None
        if name not in MAY_CHANGE and value != all_encodable(now) and not moved:
            option, began = _in_words(name, value)
            raise RunError(
                f"the run in {folder.path} began with {option} {began}, but now {_in_words(name, now)[1]} is asked",
                "Resume with the same options, or start anew with another --out.",
            )
    _check_space(folder, options)


def _in_words(name: str, value: object) -> tuple[str, str]:
    """An option as it is typed, and its value as it may be typed; None is what comes without the option."""
    from autodl.sizes import format_size

    words = str(value)
    if value is None or value == ():
        words = "the default"
    elif isinstance(value, tuple | list):
        words = ",".join(map(str, value))
    elif name.endswith("_s") and isinstance(value, float):
        words = f"{value:g}s" if value >= 1 else f"{1000 * value:g}ms"
    elif name.endswith("_bytes") and isinstance(value, int):
        words = format_size(value).replace(" ", "")
    typed = name.removesuffix("_s").removesuffix("_bytes").replace("_", "-")
    return f"--{'group' if typed == 'group-column' else typed}", words


def _check_space(folder: RunFolder, options: FitOptions) -> None:
    """Whether the user's file of search spaces says what it said when the run began; it may be gone."""
    plan = folder.read("plan", Plan) if folder.is_run() else None
    if plan is None or options.space is None or not Path(options.space).exists():
        return
    from autodl import __version__
    from autodl.planning import own_spaces_are

    try:
        began = folder.read_run().versions.get("autodl")
    except (DamagedError, FileNotFoundError):
        began = None
    spaces = {p.key: p.space for p in plan.families}
    if not own_spaces_are(options, spaces, same_version=began in (None, __version__)):
        raise RunError(
            f"{options.space} has other search spaces than when the run in {folder.path} began",
            "Put back what it was, or start anew with another --out.",
        )


def _resumed(folder: RunFolder) -> OpenRun:
    try:
        earlier = folder.read_run() if (folder.path / "run.json").is_file() else None
        notes = []
    except DamagedError as error:
        earlier, notes = None, [f"{error.what}; it is written again."]
    notes += repair(folder)
    # Without its record, the end of the last trial tells how long the run had worked.
    used = earlier.budget.used_s if earlier else max((r.finished_s for r in folder.trials()), default=0.0)
    return OpenRun(folder, earlier, True, used, notes)
