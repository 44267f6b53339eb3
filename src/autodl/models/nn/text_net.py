"""A network over texts, with the other columns of the table beside them.

Notation: b rows, m columns of texts, t tokens, d numbers of a token, f features of a text.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autodl.media.tokens import PADDING, UNKNOWN
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.layers import Dropout
from autodl.models.nn.media_net import MediaNet

VECTOR_SPREAD = 0.1
"""Of fresh word vectors: much larger ones are learnt by too slowly (Kocmi & Bojar 2017, "An Exploration of Word
Embedding Initialization in Deep-Learning Tasks"), and rare words keep the noise that they began with."""


class TextNet(MediaNet):
    """All texts through the same vectors and body, what they and the other columns say through one head.

    A missing text gives zeros.

    Args:
        vocabulary: Numbers of tokens. embed: d. embed_dropout: of the vectors.
        body: (b, t, d), (b, t) bool -> (b, f). width: f. columns: m.
        table: The other columns, or None where there are none. n_outputs: of the head.

    Shape: m times (b, t) int64, then what ``InputPlan.tensors`` gives -> (b, n_outputs).
    """

    def __init__(
        self,
        vocabulary: int,
        embed: int,
        embed_dropout: float,
        body: nn.Module,
        width: int,
        columns: int,
        table: InputPlan | None,
        n_outputs: int,
    ) -> None:
        super().__init__()
        self.columns = columns
        self.vectors = nn.Embedding(vocabulary, embed, padding_idx=PADDING)
        nn.init.normal_(self.vectors.weight, std=VECTOR_SPREAD)
        with torch.no_grad():
            self.vectors.weight[[PADDING, UNKNOWN]] = 0.0
        self.drop = Dropout(embed_dropout)
        self.body = body
        self.add_head(columns * width, table, n_outputs)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Raw outputs."""
        parts = []
        for texts in inputs[: self.columns]:
            mask = texts != PADDING
            read = self.body(self.drop(self.vectors(texts)), mask)
            parts.append(read * mask.any(1, keepdim=True))
        return self.answer(torch.cat(parts, 1), *inputs[self.columns :])
