"""What a transformer over a sequence takes, counted without building it (or torch)."""

from __future__ import annotations

from autodl.models.nn.conv_cost import NetworkCost


def transformer_cost(size: int, layers: int, heads: int, factor: float, tokens: int) -> NetworkCost:
    """Of one sequence through the blocks; embeddings and places are left out.

    Args:
        size: Numbers of a token. layers, heads: of the transformer. factor: width of its feed-forward part over
            ``size``. tokens: of the sequence.
    """
    weights = layers * (4 + 2 * factor) * size * size
    attention = 2.0 * layers * tokens * size
    activations = layers * (10 + 2 * factor) * size + layers * heads * tokens
    return NetworkCost(round(weights), round((weights + attention) * tokens), round(activations * tokens))
