"""Convolutional networks over series, trained from scratch, with searched architectures and augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import NetworkCost, convnet_cost, training_seconds_per_row
from autodl.models.nn.cost import STEP_OVERHEAD, measured_cost
from autodl.models.nn.recipes import SERIES_RECIPE
from autodl.models.nn.series_config import SeriesNetConfig
from autodl.models.nn.series_cost import longest_series
from autodl.models.nn.series_estimator import SeriesNetwork
from autodl.models.nn.series_inputs import SeriesInput
from autodl.records import Modality

if TYPE_CHECKING:
    from torch import nn

BLOCK_STEP_S = 0.004
"""Seconds that a block adds to each step whatever the batch: some fifteen layers, forward and back."""


class InceptionTimeConfig(SeriesNetConfig):
    """See ``SeriesNetConfig``."""


class InceptionTimeEstimator(SeriesNetwork):
    """A trained convolutional network."""

    config: InceptionTimeConfig

    def make_body(self, column: SeriesInput) -> tuple[nn.Module, int]:
        """See ``SeriesNetwork``."""
        from autodl.models.nn.convnet import ConvNet

        body = ConvNet(self.config.for_steps(column.steps), column.channels, 0, dims=1)
        return body, body.width

    def body_cost(self, column: SeriesInput) -> NetworkCost:
        """See ``SeriesNetwork``."""
        return convnet_cost(self.config.for_steps(column.steps), column.channels, 1, (column.steps,))


class InceptionTime(Family):
    """Family of convolutional networks over series."""

    key = "inception_time"
    other_names = ("series_cnn", "fcn", "timeseries", "tsc")
    name = "Neural network (series)"
    summary = "A network that finds shapes of many lengths in series, wherever in time they occur."
    paper = (
        'Ismail Fawaz et al. 2020, "InceptionTime"; Wang et al. 2017, "Time Series Classification from Scratch with '
        'Deep Neural Networks"'
    )
    modalities = frozenset({Modality.SERIES})
    recipe = SERIES_RECIPE
    config = InceptionTimeConfig
    complexity = 8
    order = 4
    deep = True
    quantiles = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, InceptionTimeConfig)
        columns, column = max(1, shape.series), longest_series(shape, config)
        channels, size = column.channels, (column.steps,)
        fitted = config.for_steps(column.steps)
        cost = convnet_cost(fitted, channels, max(1, shape.classes), size)
        blocks = columns * sum(len(stage) for stage in config.specs())
        return measured_cost(
            shape,
            config,
            row_s=columns * training_seconds_per_row(fitted, channels, size),
            parameters=columns * cost.parameters,
            floats_per_row=3.0 * columns * cost.activations,
            step_s=STEP_OVERHEAD + blocks * BLOCK_STEP_S,
        )

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, InceptionTimeConfig)
        return InceptionTimeEstimator(config, meta)
