"""Convolutional networks over texts, trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.recipes import TEXT_RECIPE
from autodl.models.nn.text_config import TextReading, text_training_cost
from autodl.models.nn.text_estimator import TextNetwork
from autodl.records import Modality
from autodl.train.config import OptimizerName, ScheduleName

if TYPE_CHECKING:
    from torch import nn


class TextCnnConfig(TextReading):
    """Architecture and training of a convolutional network over texts."""

    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.002, gt=0, le=1)
    weight_decay: float = Field(0.01, ge=0, le=10)
    schedule: ScheduleName = "one_cycle"

    narrow: int = Field(2, ge=1, le=16)
    """Tokens that the narrowest filters see."""
    widths: int = Field(3, ge=1, le=8)
    """Widths of filters; each is one token wider than the one before."""
    filters: int = Field(96, ge=4, le=1024)
    """Of each width."""
    dropout: float = Field(0.4, ge=0, lt=1)
    """Of the features of a text."""

    @property
    def all_widths(self) -> tuple[int, ...]:
        """Tokens that filters see."""
        return tuple(range(self.narrow, self.narrow + self.widths))


def body_cost(config: TextCnnConfig, tokens: int) -> NetworkCost:
    """Of one text of so many tokens."""
    weights = sum(config.all_widths) * config.embed * config.filters
    features = config.filters * config.widths
    return NetworkCost(weights + features, weights * tokens, features * tokens * 3)


class TextCnnEstimator(TextNetwork):
    """A trained convolutional network over texts."""

    config: TextCnnConfig

    def make_body(self, length: int) -> tuple[nn.Module, int]:
        """See ``TextNetwork``."""
        from autodl.models.nn.text_bodies import WideConvolutions

        c = self.config
        body = WideConvolutions(c.embed, c.all_widths, c.filters, c.dropout)
        return body, body.width

    def body_cost(self, tokens: int) -> NetworkCost:
        """See ``TextNetwork``."""
        return body_cost(self.config, tokens)


class TextCnn(Family):
    """Family of convolutional networks over texts."""

    key = "text_cnn"
    other_names = ("kim_cnn",)
    name = "Neural network (convolutions over words)"
    summary = "A network that looks for telling groups of neighbouring words or letters, learnt from these alone."
    paper = 'Kim 2014, "Convolutional Neural Networks for Sentence Classification"'
    modalities = frozenset({Modality.TEXT})
    recipe = TEXT_RECIPE
    config = TextCnnConfig
    complexity = 8
    order = 80
    deep = True
    quantiles = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, TextCnnConfig)
        return text_training_cost(shape, config, body_cost(config, config.read_tokens(shape)), 3e-3)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, TextCnnConfig)
        return TextCnnEstimator(config, meta)
