"""Small transformers over windows of series, trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.recipes import SERIES_RECIPE
from autodl.models.nn.series_config import WindowReading
from autodl.models.nn.series_cost import longest_series, series_training_cost
from autodl.models.nn.series_estimator import SeriesNetwork
from autodl.models.nn.series_inputs import SeriesInput
from autodl.models.nn.transformer_config import TokenTransformerConfig, transformer_cost
from autodl.records import Modality

if TYPE_CHECKING:
    from torch import nn


class SeriesTransformerConfig(TokenTransformerConfig, WindowReading):
    """Architecture, augmentation and training of a transformer over windows of series."""


class SeriesTransformerEstimator(SeriesNetwork):
    """A trained transformer."""

    config: SeriesTransformerConfig

    def make_body(self, column: SeriesInput) -> tuple[nn.Module, int]:
        """See ``SeriesNetwork``."""
        from autodl.models.nn.series_bodies import WindowNet
        from autodl.models.nn.text_bodies import TokenTransformer

        c = self.config
        size, stride = c.window_size(column.steps), c.stride(column.steps)
        inner = TokenTransformer(c, c.n_windows(column.steps))
        return WindowNet(size, stride, inner, inner.width, (size * column.channels, c.embed)), inner.width

    def body_cost(self, column: SeriesInput) -> NetworkCost:
        """See ``SeriesNetwork``."""
        return body_cost(self.config, column)


def body_cost(config: SeriesTransformerConfig, column: SeriesInput) -> NetworkCost:
    """Of one of the longest series."""
    n, d = config.n_windows(column.steps), config.embed
    cost = transformer_cost(config, n)
    weights = config.window_size(column.steps) * column.channels * d
    return NetworkCost(cost.parameters + weights + n * d, cost.multiplications + weights * n, cost.activations)


class SeriesTransformer(Family):
    """Family of transformers over windows of series."""

    key = "series_transformer"
    other_names = ("patchtst",)
    name = "Neural network (transformer, series)"
    summary = "A network in which every part of a series looks at every other, learnt from these series alone."
    paper = 'Nie et al. 2023, "A Time Series is Worth 64 Words"; Vaswani et al. 2017, "Attention Is All You Need"'
    modalities = frozenset({Modality.SERIES})
    recipe = SERIES_RECIPE
    config = SeriesTransformerConfig
    complexity = 8
    order = 88
    deep = True
    quantiles = True
    min_rows = 200

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, SeriesTransformerConfig)
        overhead = 3e-3 + 2e-3 * config.layers * max(1, shape.series)
        return series_training_cost(shape, config, body_cost(config, longest_series(shape, config)), overhead)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, SeriesTransformerConfig)
        return SeriesTransformerEstimator(config, meta)
