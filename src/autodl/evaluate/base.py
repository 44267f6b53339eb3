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
        function: ``(y_true, prediction, n_classes, sample_weight | None) -> float``.
        binary_only: Defined for two classes only.
        aliases: Other accepted names, e.g. ``auc``.
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

    def score(
        self,
        y: NDArray[Any],
        prediction: NDArray[Any],
        n_classes: int = 0,
        sample_weight: NDArray[Any] | None = None,
    ) -> float:
        """The score of raw predictions.

        Args:
            y: (n,) class codes or values.
            prediction: (n, K) probabilities for classification, (n,) values for regression.
            n_classes: K; 0 for regression.
            sample_weight: (n,) weights or None.
        """
        if self.needs == "label":
            prediction = prediction.argmax(axis=1)
        return float(self.function(y, prediction, n_classes, sample_weight))

    def loss(
        self,
        y: NDArray[Any],
        prediction: NDArray[Any],
        n_classes: int = 0,
        sample_weight: NDArray[Any] | None = None,
    ) -> float:
        """The score turned so that lower is better and 0 is perfect."""
        return self.to_loss(self.score(y, prediction, n_classes, sample_weight))

    def to_loss(self, score: float) -> float:
        """Score to loss."""
        return self.best - score if self.greater_is_better else score - self.best

    def to_score(self, loss: float) -> float:
        """Loss to score."""
        return self.best - loss if self.greater_is_better else loss + self.best


metrics: Registry[Metric] = Registry("autodl.evaluate.metrics", Metric, group="autodl.metrics", noun="metric")
"""All metrics by key."""
