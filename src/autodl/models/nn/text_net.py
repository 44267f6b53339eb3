"""A network over texts, with the other columns of the table beside them.

Notation: b rows, m columns of texts, t tokens, d numbers of a token, f features of a text.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autodl.media.tokens import PADDING
from autodl.models.nn.image_net import JOINT_WIDTH, SIDE_WIDTH, TableSide
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.layers import Dropout


class TextNet(nn.Module):
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
        self.drop = Dropout(embed_dropout)
        self.body = body
        self.side = None if table is None else TableSide(table)
        inputs = columns * width + (0 if table is None else SIDE_WIDTH)
        # What a text means may depend on the other columns, which a sum of both could not say.
        self.joint = None if table is None else nn.Linear(inputs, JOINT_WIDTH)
        self.head = nn.Linear(inputs if table is None else JOINT_WIDTH, n_outputs)
        nn.init.normal_(self.head.weight, 0.0, 0.01)
        nn.init.zeros_(self.head.bias)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Raw outputs."""
        parts = []
        for texts in inputs[: self.columns]:
            mask = texts != PADDING
            read = self.body(self.drop(self.vectors(texts)), mask)
            parts.append(read * mask.any(1, keepdim=True))
        if self.side is not None:
            parts.append(self.side(*inputs[self.columns :]))
        features = torch.cat(parts, 1)
        if self.joint is not None:
            features = self.joint(features).relu()
        return self.head(features)  # type: ignore[no-any-return]
