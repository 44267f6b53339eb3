"""What a metric is, and where to find all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from autodl.records import Task
from autodl.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Metric:
    """A score of predictions.

    Attributes:
        key: Short lower-case name, e.g. ``roc_auc``.
        name: Name for people, e.g. ``ROC AUC``.
        task: Where it applies.
        greater_is_better: Direction.
        summary: One sentence for people who do not know it.
        best: The best possible value. ``loss`` is ``best - score`` or ``score - best``.
        needs: What ``function`` takes besides the targets: ``proba`` (n, K), ``label`` (n,) codes or ``value`` (n,).
        function: ``(y_true, prediction, n_classes, weight | None) -> float``.
        binary_only: Defined for two classes only.
        aliases: Other accepted names, e.g. ``auc``.
        worst: The worst possible value, if there is one.
        rows: For scores that are a mean over rows: ``(y_true, prediction, n_classes) -> (n,)`` with
            ``score == mean(rows)``, or its square root where ``root`` is set. Gives fast, exact intervals and tests.
        root: See ``rows``.
        counts: For scores of a confusion matrix: ``(..., K, K) -> (...)``, rows the true classes.
        influence: For other smooth scores: ``(y_true, prediction, n_classes, weight | None) -> (n,)`` empirical
            influence of each row on the score (mean 0; the standard error is ``sqrt(sum(influence**2)) / n``).
        ordered: It counts how far an answer is off among classes in an order; see ``ensemble.level_cuts``.
        levels: Of the quantiles that it judges, (n, Q) predictions; empty where it judges something else.
        at_levels: Makes the metric of quantiles at these levels; ``metrics["KEY@0.1,0.9"]`` finds it.
    """

    key: str
    name: str
    task: Task
    greater_is_better: bool
    summary: str
    best: float
    needs: Literal["proba", "label", "value"]
    function: Callable[[NDArray[Any], NDArray[Any], int, NDArray[Any] | None], float]
    binary_only: bool = False
    aliases: tuple[str, ...] = ()
    worst: float | None = None
    rows: Callable[[NDArray[Any], NDArray[Any], int], NDArray[Any]] | None = None
    root: bool = False
    counts: Callable[[NDArray[Any]], NDArray[Any]] | None = None
    influence: Callable[[NDArray[Any], NDArray[Any], int, NDArray[Any] | None], NDArray[Any]] | None = None
    ordered: bool = False
    levels: tuple[float, ...] = ()
    at_levels: Callable[[tuple[float, ...]], Metric] | None = None

    def score(
        self,
        y: NDArray[Any],
        prediction: NDArray[Any],
        n_classes: int = 0,
        weight: NDArray[Any] | None = None,
    ) -> float:
        """The score of raw predictions.

        Args:
            y: (n,) class codes or values.
            prediction: (n, K) probabilities for classification, (n,) values for regression.
            n_classes: K; 0 for regression.
            weight: (n,) weights or None.
        """
        return float(self.function(y, self.prepare(prediction), n_classes, weight))

    def prepare(self, prediction: NDArray[Any]) -> NDArray[Any]:
        """Raw predictions as the functions of this metric take them (labels for ``needs == "label"``)."""
        return prediction.argmax(axis=1) if self.needs == "label" else prediction

    def loss(
        self,
        y: NDArray[Any],
        prediction: NDArray[Any],
        n_classes: int = 0,
        weight: NDArray[Any] | None = None,
    ) -> float:
        """The score turned so that lower is better and 0 is perfect."""
        return self.to_loss(self.score(y, prediction, n_classes, weight))

    def to_loss(self, score: float) -> float:
        """Score to loss."""
        return self.best - score if self.greater_is_better else score - self.best

    def to_score(self, loss: float) -> float:
        """Loss to score."""
        return self.best - loss if self.greater_is_better else loss + self.best


class Metrics(Registry[Metric]):
    """Metrics by key; ``KEY@LEVELS`` is the metric KEY of quantiles at these levels."""

    def __getitem__(self, key: str) -> Metric:
        name, _, levels = key.partition("@")
        if levels and name in self and (make := super().__getitem__(name).at_levels) is not None:
            return make(tuple(float(level) for level in levels.split(",")))
        return super().__getitem__(key)


metrics: Metrics = Metrics("autodl.evaluate.metrics", Metric, group="autodl.metrics", noun="metric")
"""All metrics by key."""
