"""Small transformers over texts, trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_config import ConvPooling
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.text_config import TextReading, text_training_cost
from autodl.models.nn.text_estimator import TextNetwork
from autodl.models.nn.transformer_cost import transformer_cost
from autodl.records import Modality, Recipe
from autodl.train.config import OptimizerName, ScheduleName

if TYPE_CHECKING:
    from torch import nn


class TextTransformerConfig(TextReading):
    """Architecture and training of a transformer over texts."""

    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.001, gt=0, le=1)
    weight_decay: float = Field(0.01, ge=0, le=10)
    schedule: ScheduleName = "cosine"
    warmup: float = Field(0.1, ge=0, le=0.5)
    grad_clip: float = Field(1.0, ge=0)

    layers: int = Field(2, ge=1, le=8)
    heads: int = Field(4, ge=1, le=16)
    """They share ``embed``, which must be a multiple of them."""
    hidden_factor: float = Field(2.0, gt=0, le=8)
    """Width of the feed-forward part over ``embed``."""
    pooling: ConvPooling = "attention"
    dropout: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.embed % self.heads:
            raise ValueError(f"`embed` must be a multiple of `heads`, but got {self.embed} and {self.heads}")
        return self


def body_cost(config: TextTransformerConfig, tokens: int) -> NetworkCost:
    """Of one text of so many tokens."""
    cost = transformer_cost(config.embed, config.layers, config.heads, config.hidden_factor, tokens)
    cost.parameters += config.tokens * config.embed
    return cost


class TextTransformerEstimator(TextNetwork):
    """A trained transformer over texts."""

    config: TextTransformerConfig

    def make_body(self, length: int) -> tuple[nn.Module, int]:
        """See ``TextNetwork``."""
        from autodl.models.nn.text_bodies import TokenTransformer

        c = self.config
        body = TokenTransformer(
            c.embed, layers=c.layers, heads=c.heads, factor=c.hidden_factor, dropout=c.dropout, length=length,
            pooling=c.pooling,
        )  # fmt: skip
        return body, body.width

    def body_cost(self, tokens: int) -> NetworkCost:
        """See ``TextNetwork``."""
        return body_cost(self.config, tokens)


class TextTransformer(Family):
    """Family of transformers over texts."""

    key = "text_transformer"
    other_names = ("bert", "distilbert")
    name = "Neural network (transformer over words)"
    summary = "A network in which every word of a text looks at every other, learnt from these texts alone."
    paper = 'Vaswani et al. 2017, "Attention Is All You Need"'
    modalities = frozenset({Modality.TEXT})
    recipe = Recipe(
        impute="median", indicator=True, scale="robust", categories="codes", text="tokens", embedding=False,
        vector_components=32,
    )  # fmt: skip
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
