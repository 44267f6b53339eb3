"""One configuration to try and what came of it."""

from __future__ import annotations

from enum import StrEnum

from autodl.records.base import JsonScalar, Record, StageRecord


class ArtifactRef(Record):
    """An array or a file in the run folder."""

    path: str
    """Relative to the run folder."""
    sha256: str
    shape: tuple[int, ...] = ()


class TrialSpec(Record):
    """Plain values only, so that any process on any machine can carry it out."""

    id: str
    family: str
    config: dict[str, JsonScalar] = {}
    """Flat; keys with the prefix ``prep.`` belong to the recipe, the others to the family's config."""
    fidelity: float | None = None
    """Share of the full resource (epochs, rows, trees) to spend; None means all of it."""
    folds: tuple[int, ...] | None = None
    """Fold numbers to evaluate; None means all."""
    seed: int = 0
    origin: str = "strategy"
    """Who asked for it: ``baseline``, ``default``, ``portfolio`` or the strategy's name."""


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
    predict_s: float = 0.0
    n_predicted: int = 0
    size_bytes: int = 0
    """Pickled size of the fold models."""

    @property
    def predict_ms_per_row(self) -> float:
        """Milliseconds per row when predicting in bulk."""
        return 1000.0 * self.predict_s / max(1, self.n_predicted)


class CurvePoint(Record):
    """One step of a learning curve."""

    step: int
    train: float | None = None
    valid: float | None = None


class TrialResult(StageRecord):
    """What came of a trial. Losses are lower-is-better forms of the plan's metric."""

    spec: TrialSpec
    status: TrialStatus
    loss: float | None = None
    """Loss on all out-of-fold predictions together."""
    score: float | None = None
    """The same in the metric's own direction."""
    fold_losses: tuple[float, ...] = ()
    oof: ArtifactRef | None = None
    """(n_search,) or (n_search, K) float32 out-of-fold predictions; NaN rows where no fold predicted."""
    test: ArtifactRef | None = None
    """(n_test,) or (n_test, K) mean prediction of the fold models for the test rows, whose targets no trial sees."""
    models: tuple[ArtifactRef, ...] = ()
    """One pickled (recipe, model) pair a fold."""
    cost: Cost | None = None
    curve: tuple[CurvePoint, ...] = ()
    """Learning curve of the first fold."""
    refit: dict[str, JsonScalar] = {}
    """Config values that replace early stopping when training on all rows, e.g. ``{"n_estimators": 132}``."""
    error: str | None = None
    """One line: exception type and message."""
    started_s: float = 0.0
    """Seconds after the start of the command."""
    finished_s: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the trial has a full score."""
        return self.status is TrialStatus.OK and self.loss is not None
