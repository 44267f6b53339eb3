"""A network over series as an estimator: stored series in, padded batches, augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from autodl.models.base import Meta
from autodl.models.nn.conv_cost import convnet_cost
from autodl.models.nn.network import Network
from autodl.models.nn.series_config import SeriesNetConfig
from autodl.models.nn.series_inputs import SeriesPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from autodl.features import Features
    from autodl.train.data import Fetch, TensorData


class SeriesNetwork(Network):
    """A convolutional network over the series of a table, with its other columns beside them.

    Args:
        config: Architecture, augmentation and training. meta: Task, classes, seed, threads.
    """

    config: SeriesNetConfig
    predict_batch: ClassVar[int] = 256
    sample_rows: ClassVar[int] = 1024

    def __init__(self, config: SeriesNetConfig, meta: Meta) -> None:
        super().__init__(config, meta)
        self.plan: SeriesPlan | None = None

    def learn(self, X: Features) -> None:
        """See ``Network``."""
        self.plan = SeriesPlan.learn(X, self.config.steps)

    def inputs(self, X: Features) -> tuple[Tensor, ...]:
        """See ``Network``."""
        return self._known().tensors(X)

    def fetcher(self, X: Features) -> Fetch:
        """See ``Network``."""
        return self._known().fetcher(X)

    def new_module(self, inputs: tuple[Tensor, ...], n_outputs: int) -> nn.Module:
        """See ``Network``."""
        from autodl.models.nn.series_net import SeriesNet

        module = self.stored_module(n_outputs)
        assert isinstance(module, SeriesNet)
        module.fit_scales(inputs)
        return module

    def stored_module(self, n_outputs: int) -> nn.Module:
        """See ``Network``."""
        from autodl.models.nn.series_net import SeriesNet

        plan = self._known()
        return SeriesNet(self.config, plan.columns, plan.table if plan.has_table else None, n_outputs)

    def multiplications(self, module: nn.Module) -> float:
        """See ``Network``: the weights of convolutions are used at each step."""
        costs = (
            convnet_cost(self.config.for_steps(c.steps), c.channels, 1, (c.steps,)) for c in self._known().columns
        )
        return float(sum(cost.multiplications for cost in costs))

    def augmenter(self) -> Callable[[TensorData], TensorData]:
        """See ``Network``."""
        from autodl.models.nn.series_changes import SeriesAugmenter

        return SeriesAugmenter(self.config, len(self._known().columns))

    def _known(self) -> SeriesPlan:
        if self.plan is None:
            raise RuntimeError("`fit` must come before `predict`")
        return self.plan
