"""Recurrent networks over series, trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.recipes import SERIES_RECIPE
from autodl.models.nn.recurrent_config import RecurrentConfig, SequencePooling, recurrent_cost
from autodl.models.nn.series_config import WindowReading
from autodl.models.nn.series_cost import longest_series, series_training_cost
from autodl.models.nn.series_estimator import SeriesNetwork
from autodl.models.nn.series_inputs import SeriesInput
from autodl.records import Modality

if TYPE_CHECKING:
    from torch import nn

WINDOW_S = 1.2e-4
"""Seconds of one update for each layer, direction and window, besides arithmetic: windows are read in turn."""


class SeriesRnnConfig(RecurrentConfig, WindowReading):
    """Architecture, augmentation and training of a recurrent network over series."""

    lr: float = Field(0.003, gt=0, le=1)
    overlap: bool = False
    pooling: SequencePooling = "attention"
    dropout: float = Field(0.2, ge=0, lt=1)


class SeriesRnnEstimator(SeriesNetwork):
    """A trained recurrent network."""

    config: SeriesRnnConfig

    def make_body(self, column: SeriesInput) -> tuple[nn.Module, int]:
        """See ``SeriesNetwork``."""
        from autodl.models.nn.recurrent import RecurrentNet
        from autodl.models.nn.series_bodies import WindowNet

        size = self.config.window_size(column.steps)
        inner = RecurrentNet(self.config, size * column.channels, 0)
        return WindowNet(size, self.config.stride(column.steps), inner, inner.width), inner.width

    def body_cost(self, column: SeriesInput) -> NetworkCost:
        """See ``SeriesNetwork``."""
        return body_cost(self.config, column)


def body_cost(config: SeriesRnnConfig, column: SeriesInput) -> NetworkCost:
    """Of one of the longest series."""
    features = config.window_size(column.steps) * column.channels
    return recurrent_cost(config, features, 0, config.n_windows(column.steps))


class SeriesRnn(Family):
    """Family of recurrent networks over series."""

    key = "series_rnn"
    other_names = ("series_lstm", "series_gru", "lstm_fcn")
    name = "Neural network (recurrent, series)"
    summary = "A network that reads series from both ends, some steps at a time, and remembers what it has read."
    paper = 'Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"; Cho et al. 2014 (GRU)'
    modalities = frozenset({Modality.SERIES})
    recipe = SERIES_RECIPE
    config = SeriesRnnConfig
    complexity = 8
    order = 86
    deep = True
    quantiles = True
    min_rows = 200

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, SeriesRnnConfig)
        column = longest_series(shape, config)
        turns = max(1, shape.series) * config.layers * config.directions * config.n_windows(column.steps)
        return series_training_cost(shape, config, body_cost(config, column), 3e-3 + WINDOW_S * turns)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, SeriesRnnConfig)
        return SeriesRnnEstimator(config, meta)
