"""Single test rows to look at: images, series and texts with their truth and the model's answer."""

from __future__ import annotations

from typing import Literal

from autodl.records.base import Record, StageRecord
from autodl.records.trial import ArtifactRef


class ShownExample(Record):
    """One cell of a test row."""

    row: int
    """Row number in the input file (0-based)."""
    column: str
    kind: Literal["image", "series", "text"]
    right: bool
    """Whether the answer is right; of numbers, whether the row is one of those shown for a small error."""
    true: str
    predicted: str
    confidence: float | None = None
    """Stated probability of the answer; None for numbers."""
    name: str = ""
    """The cell in a few words, e.g. the file of an image."""
    picture: int | None = None
    """Row of ``Examples.pictures``."""
    heat: int | None = None
    """Row of ``Examples.heats``."""
    lines: tuple[tuple[float, ...], ...] = ()
    """A series: one line a channel, thinned out to at most 120 points; NaN where nothing was measured."""
    channels: int = 0
    """Of the series, of which only the first have lines; 0 in records that do not say."""
    steps: int = 0
    """Steps of the series before it was thinned out."""
    moved: tuple[float, ...] = ()
    """Of equal parts of a series: how much more probable the answer is, or how much higher the number, with the part
    than with a straight line in its place; empty where that was not found out."""
    text: str = ""


class TermEffect(Record):
    """What a word does: the mean change of the prediction over texts that hold it, against the same texts without."""

    term: str
    effect: float
    n_texts: int
    """Texts that hold it among those looked at."""


class WordEffects(Record):
    """The words of a column that move the predictions, from the one that raises most to the one that lowers most."""

    column: str
    outcome: str
    """The class whose probability is meant; empty for numbers."""
    n_texts: int
    """Texts looked at."""
    terms: tuple[TermEffect, ...]


class Examples(StageRecord):
    """Test rows for the reader's own eyes."""

    shown: tuple[ShownExample, ...]
    pictures: ArtifactRef | None = None
    """(k, P, P, 3) uint8 small copies of the images."""
    heats: ArtifactRef | None = None
    """(k, h, w) float16 in [0, 1]: where the network looked (Grad-CAM), coarser than the pictures."""
    heat_model: str = ""
    """The network whose eyes these are."""
    words: tuple[WordEffects, ...] = ()
    notes: tuple[str, ...] = ()
    """What was left out, in sentences."""
