"""A pretrained transformer over texts, the last layers of which are trained further, with a fresh head.

Notation: b rows, m columns of texts, t tokens, w hidden width.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from autodl.media.tokens import FIRST, PADDING
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.media_net import MediaNet
from autodl.pretrained.text_network import text_network
from autodl.train.optimizers import HyperFactor


class TunedTextBody(nn.Module):
    """Tokens to what the pretrained network says of a text: the mean over its tokens, or the first token's.

    Args:
        layers: Architecture, as transformers writes it. first: Whether the first token stands for the text.
        hidden: Number of the token that stands for one that training hides.
        tuned: Layers at the end that are trained. rate: of the last of them over that of the head.
        layer_decay: Rate of a layer over that of the one behind it (Howard and Ruder 2018, "ULMFiT", section 3.2).

    Shape: (b, t) int64 -> (b, w).
    """

    def __init__(
        self, layers: Mapping[str, Any], first: bool, hidden: int, tuned: int, rate: float, layer_decay: float
    ) -> None:
        super().__init__()
        self.first, self.hidden, self.padding = first, hidden, int(layers.get("pad_token_id") or 0)
        self.network = text_network(layers).requires_grad_(False)
        stack = layer_stack(self.network)
        self.trained = list(stack)[len(stack) - min(tuned, len(stack)) :]
        self.rates: dict[int, float] = {}
        for depth, layer in enumerate(reversed(self.trained)):
            layer.requires_grad_(True)
            self.rates |= {id(p): rate * layer_decay**depth for p in layer.parameters()}

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Slower where it lies deeper; what was learnt from many more texts does not decay."""
        return {n: HyperFactor(self.rates[id(p)], 0.0) for n, p in self.named_parameters() if id(p) in self.rates}

    def train(self, mode: bool = True) -> TunedTextBody:
        """What is only looked through hides nothing."""
        super().train(False)
        self.training = mode
        for layer in self.trained:
            layer.train(mode)
        return self

    def forward(self, tokens: Tensor) -> Tensor:
        """Features of the texts."""
        told = tokens != PADDING
        numbers = torch.where(tokens >= FIRST, tokens - FIRST, torch.where(told, self.hidden, self.padding))
        # A row without any token would leave nothing to look at.
        seen = torch.cat([torch.ones_like(told[:, :1]), told[:, 1:]], 1)
        last = self.network(input_ids=numbers, attention_mask=seen.long()).last_hidden_state
        if self.first:
            return last[:, 0].float()  # type: ignore[no-any-return]
        weight = seen[..., None].float()
        return (last.float() * weight).sum(1) / weight.sum(1)  # type: ignore[no-any-return]


def layer_stack(network: nn.Module) -> nn.ModuleList:
    """The layers of a transformer, in order: its longest list of modules.

    Raises:
        ValueError: If it has none.
    """
    found = [m for m in network.modules() if isinstance(m, nn.ModuleList) and len(m)]
    if not found:
        raise ValueError(f"a network of layers is needed, but {type(network).__name__} has none")
    return max(found, key=len)


class TunedTextNet(MediaNet):
    """All texts through the same body, what they and the other columns say through one head.

    A missing text gives zeros.

    Args:
        body: (b, t) -> (b, w). width: w. columns: m. dropout: Of what the texts say.
        table: The other columns, or None where there are none. n_outputs: of the head.

    Shape: m times (b, t) int64, then what ``InputPlan.tensors`` gives -> (b, n_outputs).
    """

    def __init__(
        self,
        body: TunedTextBody,
        width: int,
        columns: int,
        dropout: float,
        table: InputPlan | None,
        n_outputs: int,
    ) -> None:
        super().__init__()
        self.columns, self.body, self.drop = columns, body, nn.Dropout(dropout)
        self.add_head(columns * width, table, n_outputs)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Raw outputs."""
        texts = inputs[: self.columns]
        read = [self.body(x) * (x != PADDING).any(1, keepdim=True) for x in texts]
        return self.answer(self.drop(torch.cat(read, 1)), *inputs[self.columns :])
