"""What the evaluation of a run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autodl.clock import NEVER, Deadline
from autodl.decision import HALF, decide, decided
from autodl.evaluate.base import Metric
from autodl.quantiles import point
from autodl.records import TableSchema, Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Candidate:
    """A model with its predictions for the test rows.

    Attributes:
        name: Unique and readable, e.g. "LightGBM #3".
        family: Family key, or the word for a combination.
        prediction: (n_test, K) probabilities or (n_test,) values.
        trial_id: Of its trial; None for an ensemble.
        validation: Out-of-fold score in the metric's own direction.
        fit_s, predict_ms_per_row, size_bytes: Measured cost of one model, as one fold trains it.
        complexity: 0 (constant) to 10; the lower is recommended among ties.
        weight: In the ensemble.
        n_trials: Configurations tried of its family.
        threshold: For two classes: the answer is the second one from this probability on.
        factors: For more classes: what their probabilities are multiplied by before the largest wins.
        early_stopped: The rows of its validation score also ended its training.
        row_ms: Milliseconds for one row alone, with one model of it.
        within_limits: Whether one model of it keeps the limits on what a model may take.
        levels: Of the quantiles that ``prediction`` holds, (n_test, Q); empty where it holds something else.
    """

    name: str
    family: str
    prediction: NDArray[Any] = field(repr=False)
    trial_id: str | None = None
    validation: float | None = None
    fit_s: float = 0.0
    predict_ms_per_row: float = 0.0
    size_bytes: int = 0
    complexity: int = 5
    weight: float = 0.0
    n_trials: int = 1
    threshold: float = HALF
    factors: tuple[float, ...] = ()
    early_stopped: bool = False
    row_ms: float | None = None
    within_limits: bool = True
    levels: tuple[float, ...] = ()

    @property
    def values(self) -> NDArray[Any]:
        """(n,) single answers of a regression; of quantiles the middle one."""
        return point(self.prediction, self.levels) if self.levels else self.prediction

    @property
    def answers(self) -> NDArray[Any]:
        """(n,) class codes."""
        return decide(self.prediction, self.threshold, self.factors)

    def seen_by(self, metric: Metric) -> NDArray[Any]:
        """The prediction as this metric is to judge it: by the answers where it counts decisions, else as it is."""
        if self.levels:
            return self.prediction if metric.levels else self.values
        if metric.needs != "label" or (self.threshold == HALF and not self.factors):
            return self.prediction
        return decided(self.prediction, self.threshold, self.factors)


@dataclass(frozen=True)
class EvaluationInputs:
    """Everything ``evaluate`` needs; the test rows are opened here and nowhere else.

    Attributes:
        task, metric: As planned; ``metric`` is the key of the metric that the search optimized.
        y_train: (n_train,) targets of the search rows: class codes or values.
        y_test: (n_test,) targets of the test rows.
        candidates: All models to show.
        leader: Name of the model chosen by validation, before the test rows were looked at.
        baseline: Name of the dummy guess.
        classes: Class names in code order; empty for regression.
        test_frame: (n_test rows) canonical feature columns, for weak groups and mistakes; None leaves those out.
        schema: Of these columns; without it kinds are told from dtypes.
        row_numbers: (n_test,) row numbers in the input file; the positions if None.
        seed: Of all resampling.
        deadline: Optional parts are left out, with a note, once it has passed.
        weight: (n_test,) how much each test row counts; all alike if None.
        weight_train: (n_train,) the same of the search rows.
        group: (n_test,) test rows of the same number were drawn together, such as those of a patient; each for itself
            if None.
        stretches: Whether these are stretches of time; a single one where times are too few to tell how they differ.
        n_validated: Search rows behind a validation score; all of them if None.
    """

    task: Task
    metric: str
    y_train: NDArray[Any]
    y_test: NDArray[Any]
    candidates: tuple[Candidate, ...]
    leader: str
    baseline: str
    classes: tuple[str, ...] = ()
    test_frame: pd.DataFrame | None = None
    schema: TableSchema | None = None
    row_numbers: NDArray[Any] | None = None
    seed: int = 0
    deadline: Deadline = NEVER
    weight: NDArray[Any] | None = None
    weight_train: NDArray[Any] | None = None
    group: NDArray[Any] | None = None
    stretches: bool = False
    n_validated: int | None = None

    @property
    def n_classes(self) -> int:
        """K; 0 for regression."""
        return len(self.classes) if self.task is Task.CLASSIFICATION else 0

    def candidate(self, name: str) -> Candidate:
        """The candidate of this name.

        Raises:
            ValueError: If there is none.
        """
        for candidate in self.candidates:
            if candidate.name == name:
                return candidate
        raise ValueError(f"no candidate '{name}' among {[c.name for c in self.candidates]}")
