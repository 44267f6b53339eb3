"""Recurrent networks over texts, trained from scratch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.recipes import TEXT_RECIPE
from autodl.models.nn.recurrent_config import RecurrentConfig, SequencePooling, recurrent_cost
from autodl.models.nn.text_config import TextReading, text_training_cost
from autodl.models.nn.text_estimator import TextNetwork
from autodl.records import Modality

if TYPE_CHECKING:
    from torch import nn

STEP_S = 1.5e-3
"""Seconds of one update for each layer and direction and 20 tokens, besides arithmetic: tokens are read in turn."""


class RnnConfig(RecurrentConfig, TextReading):
    """Architecture and training of a recurrent network over texts."""

    lr: float = Field(0.003, gt=0, le=1)
    pooling: SequencePooling = "attention"
    dropout: float = Field(0.2, ge=0, lt=1)


class RnnEstimator(TextNetwork):
    """A trained recurrent network."""

    config: RnnConfig

    def make_body(self, length: int) -> tuple[nn.Module, int]:
        """See ``TextNetwork``."""
        from autodl.models.nn.recurrent import RecurrentNet

        body = RecurrentNet(self.config, self.config.embed, 0)
        return body, body.width

    def body_cost(self, tokens: int) -> NetworkCost:
        """See ``TextNetwork``."""
        return recurrent_cost(self.config, self.config.embed, 1, tokens)


class Rnn(Family):
    """Family of recurrent networks over texts."""

    key = "rnn"
    other_names = ("lstm", "gru", "recurrent")
    name = "Neural network (recurrent)"
    summary = "A network that reads texts from end to end and remembers what it has read."
    paper = 'Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"; Cho et al. 2014 (GRU)'
    modalities = frozenset({Modality.TEXT})
    recipe = TEXT_RECIPE
    config = RnnConfig
    complexity = 8
    order = 82
    deep = True
    quantiles = True
    leads_letters = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, RnnConfig)
        tokens = config.read_tokens(shape)
        body = recurrent_cost(config, config.embed, max(1, shape.classes), tokens)
        steps = max(1, shape.text) * config.layers * config.directions * tokens / 20
        return text_training_cost(shape, config, body, 2e-3 + STEP_S * steps)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, RnnConfig)
        return RnnEstimator(config, meta)
