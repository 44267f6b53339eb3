"""Write the report of a run."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.errors import REFUSALS, DiskError
from autodl.records import Ensemble, Evaluation, Examples, Explanation, Front, Plan, Profile, RunRecord, TrialResult

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write_report(
    folder: Path,
    *,
    run: RunRecord,
    profile: Profile,
    plan: Plan,
    trials: Sequence[TrialResult],
    ensemble: Ensemble | None,
    evaluation: Evaluation | None,
    explanation: Explanation | None,
    names: Mapping[str, str],
    front: Front | None = None,
    examples: Examples | None = None,
    pictures: NDArray[Any] | None = None,
    heats: NDArray[Any] | None = None,
) -> Path:
    """Write ``report.html``, one self-contained page, in place of an older one in a single step.

    Args:
        folder: The run folder; must exist.
        run: Summary of the run, status ``running``, ``interrupted`` or ``done``.
        profile: The facts about the data. plan: What was to be done.
        trials: All trials so far, failed ones included.
        ensemble: None when nothing was combined yet.
        evaluation: None before the test rows were opened: the page then says what is missing.
        explanation: None when importances were not measured.
        names: Trial id to readable name, e.g. ``{"t3": "LightGBM #2"}``.
        front: None when it was not measured what models take.
        examples: None when there is nothing to look at.
        pictures: (k, P, P, 3) uint8, see ``Examples``. heats: (k, h, w) in [0, 1].

    Returns:
        Path of the page.

    Raises:
        DiskError: If the folder cannot be written to.
    """
    from autodl.report.build import build_report
    from autodl.report.facts import gather
    from autodl.report.render import render

    facts = gather(run, profile, plan, trials, ensemble, evaluation, explanation, names, str(folder), front)
    facts = replace(facts, examples=examples, pictures=pictures, heats=heats)
    page = render(build_report(facts))
    return _replace(folder / "report.html", page)


def _replace(path: Path, text: str) -> Path:
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".report-", suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        why, remedy = REFUSALS.get(error.errno or 0, (error.strerror or str(error), "Try again once the disk works"))
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            remedy = "Copy the run folder to where you may write, then run `autodl report` on the copy"
        raise DiskError(f"cannot write the report {path}: {why}", f"{remedy}.") from error
    return path
