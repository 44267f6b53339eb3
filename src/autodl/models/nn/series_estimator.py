"""A network over series as an estimator: stored series in, padded batches, augmentation, any body."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.media_network import MediaNetwork
from autodl.models.nn.series_config import SeriesReading
from autodl.models.nn.series_inputs import SeriesInput, SeriesPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from autodl.features import Features
    from autodl.models.nn.series_net import SeriesNet
    from autodl.train.data import TensorData


class SeriesNetwork(MediaNetwork[SeriesPlan]):
    """A network over the series of a table, with its other columns beside them; subclasses say what reads the series.

    Args:
        config: Architecture, augmentation and training. meta: Task, classes, seed, threads.
    """

    config: SeriesReading

    @abstractmethod
    def make_body(self, column: SeriesInput) -> tuple[nn.Module, int]:
        """What turns (b, c, t) standardized steps and a mask (b, t), or None, into (b, f) features, and f.

        Args:
            column: What is known of the series.
        """

    @abstractmethod
    def body_cost(self, column: SeriesInput) -> NetworkCost:
        """Of one of the longest series through the body."""

    def learn(self, X: Features) -> None:
        """See ``Network``."""
        self.plan = SeriesPlan.learn(X, self.config.steps)

    def stored_module(self, n_outputs: int) -> SeriesNet:
        """See ``Network``."""
        from autodl.models.nn.series_net import SeriesBranch, SeriesNet

        plan, level = self._known(), self.config.level
        branches = [SeriesBranch(*self.make_body(column), column.channels, level) for column in plan.columns]
        return SeriesNet(branches, plan.beside, n_outputs)

    def multiplications(self, module: nn.Module) -> float:
        """Those of the bodies: their weights are used at each step."""
        return float(sum(self.body_cost(column).multiplications for column in self._known().columns))

    def floats_per_row(self) -> float:
        """All that is left of a row by the body, or the steps as they are read, if they are more."""
        columns = self._known().columns
        return float(max(max(c.channels * c.steps * c.factor, self.body_cost(c).activations) for c in columns))

    def augmenter(self) -> Callable[[TensorData], TensorData]:
        """See ``Network``."""
        from autodl.models.nn.series_changes import SeriesAugmenter

        return SeriesAugmenter(self.config, len(self._known().columns))
