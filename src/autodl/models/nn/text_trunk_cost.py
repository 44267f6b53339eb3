"""What pretrained transformers over texts cost, read off their architecture without torch.

Notation: w hidden width, t tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodl.machine import multiplies_bfloat16
from autodl.models.nn.conv_cost import NetworkCost

MULTIPLICATION_S = 80e-12
"""Seconds of training, on one core and in 32 bits, for each multiplication of a forward pass."""
HALF_GAIN = 0.45
"""Share of that time in 16 bits, where the processor is made for that."""
ACTIVATIONS = 20
"""Numbers that a layer leaves for each token, in widths."""
ATTENTION = 3
"""Numbers that each head leaves for each pair of tokens: weights, which of them dropout spares, and what is left."""


def n_layers(layers: Mapping[str, Any]) -> int:
    """Of the architecture."""
    return _first(layers, ("num_hidden_layers", "n_layers", "num_layers"), 1)


def hidden_width(layers: Mapping[str, Any]) -> int:
    """w."""
    return _first(layers, ("hidden_size", "dim", "d_model"), 1)


def n_heads(layers: Mapping[str, Any]) -> int:
    """Of each layer."""
    return _first(layers, ("num_attention_heads", "n_heads", "num_heads", "n_head"), 1)


def most_tokens(layers: Mapping[str, Any]) -> int:
    """Tokens of a text that it can read; some networks keep two places for themselves."""
    return max(4, _first(layers, ("max_position_embeddings", "n_positions"), 514) - 2)


def looked_up(layers: Mapping[str, Any]) -> int:
    """Weights that are looked up and not multiplied: one vector a token."""
    return _first(layers, ("vocab_size",), 0) * hidden_width(layers)


def layers_cost(layers: Mapping[str, Any], tokens: int, last: int | None = None) -> NetworkCost:
    """Of one text of t tokens through the last layers, or all of them: projections, attention, two linear layers."""
    w, n = hidden_width(layers), n_layers(layers)
    n = n if last is None else min(n, last)
    inner = _first(layers, ("intermediate_size", "hidden_dim", "d_ff"), 4 * w)
    weights = 4 * w * w + 2 * w * inner
    left = ACTIVATIONS * w * tokens + ATTENTION * n_heads(layers) * tokens * tokens
    return NetworkCost(n * weights, n * (weights * tokens + 2 * tokens * tokens * w), n * left)


def training_seconds(layers: Mapping[str, Any], tokens: int, tuned: int) -> float:
    """Of one text in one epoch on one core: all layers look at it, and the last ones are trained."""
    whole, trained = layers_cost(layers, tokens).multiplications, layers_cost(layers, tokens, tuned).multiplications
    # A forward pass is a third of a training step.
    work = trained + (whole - trained) / 3
    return MULTIPLICATION_S * work * (HALF_GAIN if multiplies_bfloat16() else 1.0)


def _first(layers: Mapping[str, Any], names: tuple[str, ...], otherwise: int) -> int:
    return next((int(layers[name]) for name in names if isinstance(layers.get(name), int)), otherwise)
