"""What a run tells those who watch it (the terminal, later a web page)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autodl.records import Evaluation, Plan, Profile, RunRecord, TrialResult, TrialSpec


@dataclass(frozen=True)
class StageStarted:
    """A stage (read, profile, plan, search, ensemble, evaluate, explain, report) begins."""

    stage: str
    elapsed_s: float


@dataclass(frozen=True)
class PlanReady:
    """Profile and plan are known; the search is about to begin. ``kept`` are trials of an earlier part of the run."""

    profile: Profile
    plan: Plan
    elapsed_s: float
    kept: tuple[TrialFinished, ...] = ()


@dataclass(frozen=True)
class TrialStarted:
    """A configuration is being trained. ``name`` is the readable name, e.g. "LightGBM #2"."""

    spec: TrialSpec
    name: str
    elapsed_s: float


@dataclass(frozen=True)
class TrialFinished:
    """A trial ended, well or not. ``best`` tells whether it now leads by validation score."""

    result: TrialResult
    name: str
    best: bool
    elapsed_s: float


@dataclass(frozen=True)
class Note:
    """A sentence for the user."""

    text: str
    elapsed_s: float


@dataclass(frozen=True)
class RunFinished:
    """The report is written."""

    record: RunRecord
    evaluation: Evaluation | None
    folder: str
    elapsed_s: float


Event = StageStarted | PlanReady | TrialStarted | TrialFinished | Note | RunFinished
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """A listener that ignores everything."""
