"""Configuration of recurrent networks over sequences; free of torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autodl.models.base import FamilyConfig
from autodl.models.nn.conv_cost import NetworkCost
from autodl.train.config import OptimizerName, ScheduleName, TrainConfig

CellName = Literal["lstm", "gru", "simple"]
SequencePooling = Literal["last", "mean", "max", "attention"]
GATES: dict[CellName, int] = {"lstm": 4, "gru": 3, "simple": 1}
"""Matrices of a cell."""


class RecurrentConfig(TrainConfig, FamilyConfig):
    """Architecture and training of a recurrent network."""

    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.003, gt=0, le=1)
    weight_decay: float = Field(0.01, ge=0, le=10)
    schedule: ScheduleName = "cosine"
    grad_clip: float = Field(1.0, ge=0)

    cell: CellName = "gru"
    layers: int = Field(1, ge=1, le=8)
    hidden: int = Field(64, ge=4, le=2048)
    """Features of each layer and direction."""
    bidirectional: bool = True
    projection: int = Field(0, ge=0, le=1024)
    """Features of a linear layer before the first; 0: none."""
    input_norm: bool = False
    """Layer norm of the features of each step that enter the first layer."""
    pooling: SequencePooling = "last"
    """``last``: what each direction has read at its end."""
    input_dropout: float = Field(0.0, ge=0, lt=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    """Between layers and before the head."""

    @property
    def directions(self) -> int:
        """1 or 2."""
        return 2 if self.bidirectional else 1


def recurrent_cost(config: RecurrentConfig, features: int, n_outputs: int, steps: int) -> NetworkCost:
    """Cost of one sequence: weights, multiply-adds of matrix products, activations."""
    cost = NetworkCost()
    d, h, gates = features, config.hidden, GATES[config.cell]
    if config.projection:
        cost.parameters += (d + 1) * config.projection
        cost.multiplications += d * config.projection * steps
        cost.activations += config.projection * steps
        d = config.projection
    cost.parameters += 2 * d * config.input_norm
    for _ in range(config.layers):
        weights = gates * h * (d + h) * config.directions
        cost.parameters += weights + 2 * gates * h * config.directions
        cost.multiplications += weights * steps
        cost.activations += (gates + 2) * h * config.directions * steps
        d = h * config.directions
    if config.pooling == "attention":
        half = max(1, d // 2)
        cost.parameters += d * half + half + half
        cost.multiplications += (d * half + half + d) * steps
        cost.activations += (half + 1) * steps
    cost.parameters += (d + 1) * n_outputs
    cost.multiplications += d * n_outputs
    cost.activations += n_outputs
    return cost
