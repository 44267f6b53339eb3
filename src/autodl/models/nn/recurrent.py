"""A recurrent network over sequences of different lengths, from its configuration.

Notation: b sequences, t steps, d features, h hidden features of one direction, D directions. A mask (b, t) is True on
the steps of a sequence, which come first; what stands behind them never matters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from autodl.models.nn.layers import Dropout
from autodl.models.nn.pooling import make_pooling
from autodl.models.nn.recurrent_config import RecurrentConfig

_CELLS: dict[str, type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "simple": nn.RNN}


class RecurrentNet(nn.Module):
    """Layers of LSTM (Hochreiter and Schmidhuber 1997), GRU (Cho et al. 2014) or simple cells, pooling, linear head.

    Args:
        config: Architecture. features: d.
        n_outputs: Of the head; 0: there is none, and the ``width`` pooled features are given.

    Shape: (b, t, d), (b, t) bool or None -> (b, n_outputs or width).
    """

    def __init__(self, config: RecurrentConfig, features: int, n_outputs: int) -> None:
        super().__init__()
        d = config.projection or features
        self.project = nn.Linear(features, d) if config.projection else nn.Identity()
        self.norm = nn.LayerNorm(d) if config.input_norm else nn.Identity()
        self.input_dropout, self.dropout = Dropout(config.input_dropout), Dropout(config.dropout)
        self.recurrent = _CELLS[config.cell](
            d, config.hidden, config.layers, batch_first=True, bidirectional=config.bidirectional,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )  # fmt: skip
        initialize(self.recurrent)
        d = config.hidden * config.directions
        self.directions = config.directions
        self.pool = None if config.pooling == "last" else make_pooling(config.pooling, d)
        self.width = d
        self.head = nn.Linear(d, n_outputs) if n_outputs else None

    def features(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Outputs of all steps (b, t, D h), zeros behind the end, and of each direction's end (b, D h)."""
        if mask is not None:
            x = torch.where(mask[..., None], x, 0.0)
        x = self.input_dropout(self.norm(self.project(x)))
        if mask is None:
            out, state = self.recurrent(x)
        else:
            # An empty sequence is read as one step of zeros.
            lengths = mask.sum(1).clamp(min=1).cpu()
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            out, state = self.recurrent(packed)
            out, _ = pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])
        ends = state[0] if isinstance(state, tuple) else state
        last = ends.view(-1, self.directions, *ends.shape[1:])[-1]
        return out, last.transpose(0, 1).flatten(1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Raw outputs or pooled features."""
        out, last = self.features(x, mask)
        pooled = self.dropout(last if self.pool is None else self.pool(out, mask))
        return pooled if self.head is None else self.head(pooled)  # type: ignore[no-any-return]


def initialize(recurrent: nn.LSTM | nn.GRU | nn.RNN) -> None:
    """Orthogonal recurrent matrices, Glorot input matrices, biases 0; 1 for the forget gate of an LSTM.

    Sources: Saxe et al. 2014; Glorot and Bengio 2010; Jozefowicz et al. 2015.
    """
    h = recurrent.hidden_size
    with torch.no_grad():
        for name, weight in recurrent.named_parameters():
            if "weight" in name:
                for gate in weight.chunk(len(weight) // h):
                    (nn.init.orthogonal_ if "_hh_" in name else nn.init.xavier_uniform_)(gate)
            else:
                nn.init.zeros_(weight)
                if isinstance(recurrent, nn.LSTM) and "_ih_" in name:
                    weight[h : 2 * h] = 1.0  # gates are in the order input, forget, cell, output
