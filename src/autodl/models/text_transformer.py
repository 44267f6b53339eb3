"""Small transformers over texts, trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.recipes import TEXT_RECIPE
from autodl.models.nn.text_config import TextReading, text_training_cost
from autodl.models.nn.text_estimator import TextNetwork
from autodl.models.nn.transformer_config import TokenTransformerConfig, transformer_cost
from autodl.records import Modality

if TYPE_CHECKING:
    from torch import nn


class TextTransformerConfig(TokenTransformerConfig, TextReading):
    """Architecture and training of a transformer over texts."""


def body_cost(config: TextTransformerConfig, tokens: int) -> NetworkCost:
    """Of one text of so many tokens."""
    cost = transformer_cost(config, tokens)
    cost.parameters += config.tokens * config.embed
    return cost


class TextTransformerEstimator(TextNetwork):
    """A trained transformer over texts."""

    config: TextTransformerConfig

    def make_body(self, length: int) -> tuple[nn.Module, int]:
        """See ``TextNetwork``."""
        from autodl.models.nn.text_bodies import TokenTransformer
        from autodl.models.nn.text_net import VECTOR_SPREAD

        body = TokenTransformer(self.config, length, VECTOR_SPREAD)
        return body, body.width

    def body_cost(self, tokens: int) -> NetworkCost:
        """See ``TextNetwork``."""
        return body_cost(self.config, tokens)


class TextTransformer(Family):
    """Family of transformers over texts."""

    key = "text_transformer"
    name = "Neural network (transformer over words)"
    summary = "A network in which every word or letter of a text looks at every other, learnt from these texts alone."
    paper = 'Vaswani et al. 2017, "Attention Is All You Need"'
    modalities = frozenset({Modality.TEXT})
    recipe = TEXT_RECIPE
    config = TextTransformerConfig
    complexity = 8
    order = 84
    deep = True
    quantiles = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, TextTransformerConfig)
        overhead = 2e-3 + 2e-3 * config.layers
        return text_training_cost(shape, config, body_cost(config, config.read_tokens(shape)), overhead)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, TextTransformerConfig)
        return TextTransformerEstimator(config, meta)
