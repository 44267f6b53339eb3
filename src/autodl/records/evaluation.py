"""What the test rows say."""

from __future__ import annotations

from typing import Literal

from autodl.records.base import JsonScalar, Record, StageRecord

SURE = 0.95
"""Stated probability from which on a wrong answer is told as a sure one."""
ONE_CLASS = "none: one class"
"""Method of the interval of a rank score where all rows are of one class: nothing was ranked."""


class Interval(Record):
    """An estimate with its confidence interval."""

    value: float
    low: float
    high: float
    n: int
    """Rows behind it."""
    level: float = 0.95
    method: str = "bootstrap"


class ModelScore(Record):
    """One row of the leaderboard."""

    name: str
    """Unique and readable, e.g. "LightGBM #3" or "Ensemble"."""
    trial_id: str | None = None
    family: str
    validation: float | None = None
    """Out-of-fold score in the metric's own direction; searching over it makes it optimistic."""
    test: Interval | None = None
    metrics: dict[str, Interval] = {}
    """All test metrics (leader, baseline and simple models have them all)."""
    fit_s: float = 0.0
    """Of one model, as one fold trains it; so are the others."""
    predict_ms_per_row: float = 0.0
    size_bytes: int = 0
    tied_with_leader: bool = False
    """Not distinguishable from the leader on the test rows (Holm-corrected)."""
    weight: float = 0.0
    """Weight in the ensemble."""
    n_trials: int = 1
    """Configurations tried of this family."""
    row_ms: float | None = None
    """Milliseconds for one row alone, with one model of it; None if not measured."""
    within_limits: bool = True
    """Whether one model of it keeps the limits on what a model may take."""


class Comparison(Record):
    """A paired test of two models on the same test rows; ``difference`` > 0 means that ``a`` is better."""

    a: str
    b: str
    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    n: int
    effect: float
    """Difference over its standard error."""
    method: str
    verdict: Literal["better", "worse", "tie"]


class Curve(Record):
    """A line to draw: at most 200 points."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    mass: tuple[float, ...] = ()
    """What the rows behind each point weigh together, where rows have weights."""
    at: tuple[float, ...] = ()
    """Of a ROC curve: the probability from which on rows are flagged; 1 at the first point, where none is."""


class Residuals(Record):
    """Regression errors (predicted minus true) for drawing: at most 1,000 sampled test rows."""

    true: tuple[float, ...]
    predicted: tuple[float, ...]
    typical: Interval
    """Median absolute error."""
    typical_guess: float
    """Median absolute error of always answering the training median."""
    quantiles: dict[str, float] = {}


class LevelCheck(Record):
    """One quantile: the share of test rows at or below it, which should be its level."""

    level: float
    below: Interval
    """Share of rows whose true value is at most the quantile."""


class IntervalCheck(Record):
    """A prediction interval between two quantiles."""

    low: float
    high: float
    """Levels of its ends."""
    held: Interval
    """Share of test rows whose true value lies inside; it should be ``high - low``."""
    width: Interval
    """Its mean width, in the units of the target."""
    guess_width: float
    """Width of the interval of the same levels that the targets themselves have, the same for every row."""


class QuantileRows(Record):
    """Test rows for drawing, by their point prediction: at most 300, evenly spaced."""

    true: tuple[float, ...]
    point: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    """Ends of the widest interval."""


class QuantileCheck(Record):
    """What the test rows say about predicted quantiles."""

    levels: tuple[LevelCheck, ...]
    intervals: tuple[IntervalCheck, ...] = ()
    """The widest first; none with a single level."""
    rows: QuantileRows | None = None
    """Only where there is an interval."""


class Segment(Record):
    """A part of the test rows on which the leader does notably worse."""

    column: str
    value: str
    n: int
    score: Interval
    rest: float
    """Score on the other rows."""
    p_value: float
    p_holm: float
    metric: str = ""
    """Key of the metric that groups are compared by; it differs from the run's where that one depends on the mix."""


class Mistake(Record):
    """A test row that the leader got confidently wrong."""

    row: int
    """Row number in the input file (0-based)."""
    true: str
    predicted: str
    confidence: float | None = None
    values: dict[str, JsonScalar] = {}


class Evaluation(StageRecord):
    """Everything measured on the test rows, opened once."""

    metric: str
    n_train: int
    n_test: int
    worth: float | None = None
    """Rows of equal weight that tell about as much as the test rows (Kish); None where all rows count alike."""
    leader: str
    baseline: str
    models: tuple[ModelScore, ...]
    """Leader first, then by test score."""
    comparisons: tuple[Comparison, ...] = ()
    recommended: str
    """The cheapest model tied with the leader, or the leader."""
    recommended_why: str = ""
    classes: tuple[str, ...] = ()
    usual: str = ""
    """The most frequent class of the test rows, by their weights; empty for numbers."""
    usual_share: float | None = None
    """What always answering it gets right, whatever the metric makes the baseline answer."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """Rows: true class; columns: predicted class."""
    roc: tuple[Curve, ...] = ()
    pr: tuple[Curve, ...] = ()
    calibration: tuple[Curve, ...] = ()
    calibration_error: Interval | None = None
    residuals: Residuals | None = None
    quantiles: QuantileCheck | None = None
    segments: tuple[Segment, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    n_sure_mistakes: int | None = None
    """Wrong answers given with a probability of at least ``SURE``, listed or not; None where that was not counted."""
    optimism: Interval | None = None
    """Leader's validation score minus its test score, in the metric's direction (positive: validation flattered)."""
    notes: tuple[str, ...] = ()

    @property
    def only_quicker(self) -> bool:
        """Whether the recommended model is recommended for its speed, not for being simpler than the leader."""
        return self.recommended_why.startswith(f"{self.recommended} is quicker than")

    @property
    def worse_than_guessing(self) -> bool:
        """Whether the baseline is significantly better than the leader on the test rows."""
        found = [(c.a, c.b) if c.verdict == "better" else (c.b, c.a) for c in self.comparisons if c.verdict != "tie"]
        return (self.baseline, self.leader) in found
