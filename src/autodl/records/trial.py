"""One configuration to try and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field

from autodl.records.base import JsonScalar, Record, StageRecord
from autodl.records.front import Footprint


def _inside(path: str) -> str:
    """Refuse a path that leads out of the folder that it is relative to."""
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or PurePosixPath(path).is_absolute() or "\\" in path or ":" in path or "\0" in path:
        raise ValueError(f"the path {path!r} leads out of its folder")
    return path


class ArtifactRef(Record):
    """An array or a file in the run folder."""

    path: Annotated[str, AfterValidator(_inside)]
    """Relative to the run folder, or to ``model`` for the manifest's."""
    sha256: str
    shape: tuple[int, ...] = ()
    others: tuple[ArtifactRef, ...] = ()
    """Arrays of the same shape; with some, the array that is meant is the mean of this one and of these."""


class TrialSpec(Record):
    """Plain values only, so that any process on any machine can carry it out."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")
    """Also the name of the trial's folder."""
    family: str
    config: dict[str, JsonScalar] = {}
    """Flat; keys with the prefix ``prep.`` belong to the recipe, the others to the family's config."""
    fidelity: float | None = None
    """Share of the full resource (epochs, rows, trees) to spend; None means all of it."""
    folds: tuple[int, ...] | None = None
    """Fold numbers to evaluate; None means all."""
    seed: int = 0
    origin: str = "strategy"
    """Who asked for it: ``baseline``, ``default``, ``portfolio``, the strategy's name, ``supernet`` for a training of
    shared weights, ``inherited`` for a network that did well with them."""
    parent: str | None = None
    """Id of the trial from whose fold models it goes on, for a part of the usual training; None to begin anew."""
    split: int = Field(0, ge=0)
    """Which split into folds; every configuration is tried on the first, 0."""
    repeats: str | None = None
    """Id of the trial of the same configuration on the first split; None for that trial itself."""


class TrialStatus(StrEnum):
    """How a trial ended."""

    OK = "ok"
    FAILED = "failed"
    STOPPED = "stopped"
    """Stopped early by a scheduler or after a hopeless fold."""
    TIMEOUT = "timeout"


class Cost(Record):
    """Measured resources of a trial."""

    fit_s: float
    """Seconds of training, all folds, preprocessing included."""
    cached_s: float = 0.0
    """Those of them that another trial had taken before: its prepared columns were used again."""
    predict_s: float = 0.0
    n_predicted: int = 0
    bulk_row_s: float | None = None
    """Seconds of one row among many, where folds are too small to tell and it could be timed; else None."""
    size_bytes: int = 0
    """Stored size of the fold models."""
    peak_bytes: int = 0
    """Most memory that the trial took on top of what its process held before; 0 if not measured."""
    row_s: float | None = None
    """Seconds that one model of it takes for one row alone, preparation included; None if not measured."""
    vectors: dict[str, Footprint] = {}
    """What new images and texts take besides before a model sees them, by what turns them into vectors and their
    column: the search makes each vector once, and all models that need it share it."""

    @property
    def spent_s(self) -> float:
        """Seconds that the trial itself took."""
        return self.fit_s + self.predict_s - self.cached_s

    @property
    def predict_ms_per_row(self) -> float:
        """Milliseconds per row when predicting in bulk."""
        if self.bulk_row_s is not None:
            return 1000.0 * self.bulk_row_s
        return 1000.0 * self.predict_s / max(1, self.n_predicted)


class CurvePoint(Record):
    """One step of a learning curve."""

    step: int
    train: float | None = None
    valid: float | None = None
    progress: float | None = None
    """How far training was, from 0 to 1; equal values compare between configurations of a family."""


class Proposal(Record):
    """A configuration, and the loss that it had with weights of a network that contains it."""

    config: dict[str, JsonScalar]
    loss: float


class TrialResult(StageRecord):
    """What came of a trial. Losses are lower-is-better forms of the plan's metric."""

    spec: TrialSpec
    status: TrialStatus
    loss: float | None = None
    """Loss on all out-of-fold predictions together. For F1 and other metrics that depend on the cut between answers,
    each fold is answered with the cut that the others ask for, so that it is not flattered."""
    score: float | None = None
    """The same in the metric's own direction."""
    plain_loss: float | None = None
    """Where ``loss`` is with such cuts: the loss with the most probable class as the answer."""
    fold_losses: tuple[float, ...] = ()
    """Of each fold, as the trial went on: cuts are those of the folds before it, in the first one of its halves."""
    oof: ArtifactRef | None = None
    """(n_search,) or (n_search, K) float32 out-of-fold predictions; NaN rows where no fold predicted."""
    test: ArtifactRef | None = None
    """(n_test,) or (n_test, K) mean prediction of the fold models for the test rows, whose targets no trial sees.
    With folds by time that of the last one's model."""
    models: tuple[ArtifactRef, ...] = ()
    """One fitted preparation and model a fold."""
    cost: Cost | None = None
    curve: tuple[CurvePoint, ...] = ()
    """Learning curve of the first fold."""
    measure: str = ""
    """What the curve's validation losses measure; curves compare where this is equal."""
    split_losses: tuple[float, ...] = ()
    """Loss on each split into folds, where the numbers are means over several; empty for one split."""
    reached: float = 1.0
    """How far training came in the last fold; below 1 where a scheduler ended it. Of a trial that ran out of time,
    the share of its folds that were begun."""
    refit: dict[str, JsonScalar] = {}
    """Config values that replace early stopping when training on all rows, e.g. ``{"n_estimators": 132}``."""
    proposals: tuple[Proposal, ...] = ()
    """Of a training of shared weights: what to train on its own, in that order; such a trial has no score."""
    error: str | None = None
    """One line: exception type and message."""
    lost: bool = False
    """Whether it failed for lack of a machine that carries it out, which says nothing of the configuration."""
    started_s: float = 0.0
    """Seconds after the start of the command."""
    finished_s: float = 0.0

    @property
    def need(self) -> Footprint:
        """What one of its models takes."""
        if self.cost is None or not self.fold_losses:
            return Footprint()
        return Footprint(
            row_s=self.cost.row_s,
            ms_per_1000=1000.0 * self.cost.predict_ms_per_row if self.cost.n_predicted else None,
            size_bytes=round(self.cost.size_bytes / len(self.fold_losses)) or None,
        )

    @property
    def whole_need(self) -> Footprint:
        """What one of its models takes for rows whose images and texts nobody has seen before."""
        return together([self])

    @property
    def fit_s(self) -> float:
        """Seconds to train one of its models, preparation included; 0 if not measured."""
        return self.cost.fit_s / max(1, len(self.fold_losses)) if self.cost else 0.0

    @property
    def uncut_loss(self) -> float | None:
        """The loss with the most probable class as the answer, where there are classes."""
        return self.loss if self.plain_loss is None else self.plain_loss

    @property
    def n_splits(self) -> int:
        """How often the rows were split into folds anew to try this configuration."""
        return max(1, len(self.split_losses))

    @property
    def ok(self) -> bool:
        """Whether the trial has a full score."""
        return self.status is TrialStatus.OK and self.loss is not None


def together(results: Iterable[TrialResult]) -> Footprint:
    """What one model of each of these trials takes for new rows; vectors that several of them need are made once."""
    total, vectors = Footprint(), dict[str, Footprint]()
    for result in results:
        total = total.plus(result.need)
        if result.cost is not None and result.need.row_s is not None:
            vectors |= result.cost.vectors
    for takes in vectors.values():
        total = total.plus(takes)
    return total
