"""From ``Features`` to the tensors that networks over texts read.

Notation: n rows, m columns of texts, b rows of a batch, t tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl.media.tokens import FIRST, padded_tokens, token_lengths, token_stores
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.media_plan import MediaPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor

    from autodl.features import Features
    from autodl.media.batch import MediaBatch

ENOUGH = 0.98
"""Share of the training texts that are read whole, where the configuration allows it."""


@dataclass(frozen=True)
class TextPlan(MediaPlan):
    """What was learnt from the training rows.

    Attributes:
        columns: The m columns of texts.
        vocabulary: Numbers of tokens, 0 to ``vocabulary - 1``.
        length: Tokens of a text that are read, at most. usual: of a text in the mean.
        table: The other columns.
    """

    columns: tuple[str, ...]
    vocabulary: int
    length: int
    usual: float
    table: InputPlan

    @classmethod
    def learn(cls, X: Features, tokens: int) -> TextPlan:
        """Look at the training rows.

        Args:
            X: Rows with at least one column of texts in tokens. tokens: of a text that are read, at most.

        Raises:
            ValueError: If there are no texts.
        """
        columns = tuple(name for name, batch in X.media.items() if batch.store.kind == "tokens")
        if not columns:
            raise ValueError("a network over texts needs a column of texts in tokens, but the rows have none")
        lengths = np.concatenate([token_lengths(X.media[c]) for c in columns])
        some = lengths[lengths > 0] if (lengths > 0).any() else np.ones(1)
        sizes = [store.size for c in columns for store in token_stores(X.media[c])[0]]
        length = max(1, min(tokens, int(np.ceil(np.quantile(some, ENOUGH)))))
        usual = float(np.minimum(some, length).mean())
        return cls(columns, max(FIRST, *sizes), length, usual, InputPlan.learn(X))

    @property
    def names(self) -> tuple[str, ...]:
        """See ``MediaPlan``."""
        return self.columns

    def read(self, batches: Sequence[MediaBatch], device: torch.device) -> tuple[Tensor, ...]:
        """m tensors (b, t) int64, each as long as its longest text; padding only where a text is missing."""
        import torch

        return tuple(torch.from_numpy(padded_tokens(b, b.rows, self.length)).to(device) for b in batches)
