"""What the templates print, section by section: plain values, all wording and number formatting done.

Strings marked "rich" may hold the marks of ``text.py``; all others are plain. Positions are percent of the width.
"""

from __future__ import annotations

from dataclasses import dataclass

from autodl.report.elements import Card, Cell, Driver, Figure, Statement, Strip, Table


@dataclass(frozen=True)
class Verdict:
    """The first screen."""

    purpose: str
    score: str
    detail: str
    belongs: str
    strip: Strip | None
    strip_labels: tuple[str, str, str]
    statements: tuple[Statement, ...]
    drivers: tuple[Driver, ...]
    drivers_note: str
    next_steps: tuple[Statement, ...]


@dataclass(frozen=True)
class BoardRow:
    """A model on the leaderboard."""

    name: str
    family: str
    role: str
    strip: Strip | None
    score: str
    interval: str
    validation: str
    fit: str
    speed: str
    size: str
    tied: bool
    leader: bool


@dataclass(frozen=True)
class Board:
    """The leaderboard with the axis of its strips."""

    intro: str
    metric: str
    axis: tuple[str, str]
    rows: tuple[BoardRow, ...]
    note: str
    metrics: Table | None
    members: Table | None
    ways: Table | None = None
    """Ways to combine the models that were compared."""


@dataclass(frozen=True)
class VersusRow:
    """The leader against another model."""

    other: str
    strip: Strip | None
    """None where the difference lies far beyond the axis."""
    difference: str
    p_holm: str
    p: str
    effect: str
    verdict: str


@dataclass(frozen=True)
class Versus:
    """Differences with intervals."""

    intro: str
    axis: tuple[str, str]
    zero: float
    rows: tuple[VersusRow, ...]
    note: str


@dataclass(frozen=True)
class FrontView:
    """Score against what a model takes when it is used."""

    intro: str
    sentences: tuple[str, ...]
    figure: Figure | None
    table: Table


@dataclass(frozen=True)
class Confusion:
    """Rows: true class; columns: predicted class; without rows where there are too many classes for a matrix.

    ``classes`` are rich text.
    """

    classes: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    totals: tuple[str, ...]
    recalls: tuple[str, ...]
    alt: str
    frequent: Table | None
    by_class: Table | None


@dataclass(frozen=True)
class Health:
    """Findings by severity; ``groups`` holds (heading, intro, rows)."""

    intro: str
    groups: tuple[tuple[str, str, Table], ...]
    columns: Table


@dataclass(frozen=True)
class PlanView:
    """Decisions and candidates."""

    intro: str
    decisions: tuple[tuple[str, str, str, str], ...]
    """Topic, choice, why, evidence (rich)."""
    families: Table
    skipped: Table | None


@dataclass(frozen=True)
class Wrong:
    """Where the leader is wrong."""

    intro: str
    confusion: Confusion | None
    figures: tuple[Figure, ...]
    quantiles: Table | None
    segments_intro: str
    segments: Table | None
    mistakes_intro: str
    mistakes: Table | None


@dataclass(frozen=True)
class CardGroup:
    """Cards of one kind."""

    heading: str
    intro: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class ExamplesView:
    """Test rows to look at."""

    intro: str
    groups: tuple[CardGroup, ...]
    words_intro: str
    words: tuple[Table, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Curves:
    """ROC, precision-recall, calibration, and what a threshold buys."""

    intro: str
    figures: tuple[Figure, ...]
    threshold_intro: str
    threshold: Table | None


@dataclass(frozen=True)
class Intervals:
    """Predicted quantiles and the intervals between them."""

    intro: str
    meaning: str
    figure: Figure | None
    intervals: Table | None
    levels: Table


@dataclass(frozen=True)
class Drives:
    """Importance and effects."""

    intro: str
    note: str
    bars: tuple[Driver, ...]
    table: Table | None
    effects_intro: str
    effects: tuple[Figure, ...]


@dataclass(frozen=True)
class SearchView:
    """How the search went."""

    intro: str
    history: Figure | None
    families: Table | None
    learning_intro: str
    learning: tuple[Figure, ...]
    failed: Table | None
    trials: Table | None


@dataclass(frozen=True)
class Slice:
    """A part of the time bar."""

    label: str
    left: float
    width: float
    text: str
    tone: int


@dataclass(frozen=True)
class TimeUse:
    """Seconds by stage."""

    intro: str
    slices: tuple[Slice, ...]
    table: Table | None


@dataclass(frozen=True)
class Closing:
    """Method, model card, glossary, use, reproduction."""

    method: str
    card: tuple[tuple[str, tuple[str, ...]], ...]
    glossary: tuple[tuple[str, str, str], ...]
    """Key, term, meaning."""
    use: str
    """What to type for predictions; empty where there is no model, or nobody knows the folder."""
    command: str
    reproduce: str
    versions: Table


@dataclass(frozen=True)
class Report:
    """The whole page."""

    title: str
    kicker: str
    verdict: Verdict
    health: Health
    plan: PlanView
    board: Board
    versus: Versus | None
    versus_missing: str
    front: FrontView | None
    wrong: Wrong | None
    examples: ExamplesView | None
    curves: Curves | None
    intervals: Intervals | None
    drives: Drives | None
    drives_missing: str
    search: SearchView
    time: TimeUse
    closing: Closing
