"""What drives the predictions."""

from __future__ import annotations

from autodl.records.base import Record, StageRecord


class EffectPoint(Record):
    """Mean prediction when a column is set to a value (partial dependence)."""

    value: str
    number: float | None = None
    """The value as a number where the column is numeric."""
    prediction: float


class Importance(Record):
    """Loss added when a column is shuffled on rows that the models were not trained on."""

    column: str
    drop: float
    low: float
    high: float
    direction: str = ""
    """In words, e.g. "higher -> more likely 'yes'"; empty where no simple direction exists."""
    effect: tuple[EffectPoint, ...] = ()


class Explanation(StageRecord):
    """Importances, largest first."""

    metric: str
    model: str
    n_rows: int
    n_repeats: int
    """Shuffles that every column had; 0 where time was up before all had one."""
    n_columns: int = 0
    """Columns that were to be measured; 0 in runs that did not say."""
    importances: tuple[Importance, ...]
    positive_class: str | None = None
    """The class or quantity that effects speak of."""
    method: str = "permutation importance"
    note: str = ""
