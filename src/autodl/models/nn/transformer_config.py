"""Configuration and cost of transformers, whatever their tokens are; free of torch."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from autodl.models.base import FamilyConfig
from autodl.models.nn.conv_config import ConvPooling
from autodl.models.nn.conv_cost import NetworkCost
from autodl.train.config import OptimizerName, ScheduleName, TrainConfig


class TransformerTraining(TrainConfig, FamilyConfig):
    """How transformers are trained; a family's config derives from it."""

    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.001, gt=0, le=1)
    weight_decay: float = Field(0.01, ge=0, le=10)
    schedule: ScheduleName = "cosine"
    warmup: float = Field(0.1, ge=0, le=0.5)
    grad_clip: float = Field(1.0, ge=0)


class TokenTransformerConfig(TransformerTraining):
    """Architecture and training of a small transformer over words or windows, see ``TokenTransformer``."""

    embed: int = Field(64, ge=4, le=1024)
    """Numbers of a token."""
    layers: int = Field(2, ge=1, le=8)
    heads: int = Field(4, ge=1, le=16)
    """They share ``embed``, which must be a multiple of them."""
    hidden_factor: float = Field(2.0, gt=0, le=8)
    """Width of the feed-forward part over ``embed``."""
    pooling: ConvPooling = "attention"
    dropout: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        check_heads("embed", self.embed, self.heads)
        return self


def check_heads(name: str, size: int, heads: int) -> None:
    """Each head gets the same share of the numbers of a token.

    Args:
        name: Of the field. size: Numbers of a token. heads: of each layer.

    Raises:
        ValueError: If they cannot be shared so.
    """
    if size % heads:
        raise ValueError(f"`{name}` must be a multiple of `heads`, but got {size} and {heads}")


def transformer_cost(config: TokenTransformerConfig, tokens: int) -> NetworkCost:
    """Of one sequence of so many tokens through the blocks; embeddings and places are left out."""
    d, layers, factor = config.embed, config.layers, config.hidden_factor
    weights = layers * (4 + 2 * factor) * d * d
    attention = 2.0 * layers * tokens * d
    activations = layers * (10 + 2 * factor) * d + layers * config.heads * tokens
    return NetworkCost(round(weights), round((weights + attention) * tokens), round(activations * tokens))
