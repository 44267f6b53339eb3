"""What reads the vectors of a text: convolutions of several widths, or a transformer.

The recurrent network is in ``recurrent``. Notation: b texts, t tokens, d numbers of a token, a mask (b, t) that is
True on the tokens of a text, which come first; what stands behind them never matters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl.models.nn.layers import Dropout
from autodl.models.nn.pooling import MaxPooling, make_pooling
from autodl.models.nn.transformer_config import TokenTransformerConfig


class WideConvolutions(nn.Module):
    """Convolutions of several widths side by side, of each filter its maximum over the text.

    Source: Kim 2014, "Convolutional Neural Networks for Sentence Classification".

    Args:
        d: Numbers of a token. widths: tokens that a filter sees. filters: of each width. dropout: of the features.

    Shape: (b, t, d), (b, t) bool -> (b, ``width``).
    """

    def __init__(self, d: int, widths: tuple[int, ...], filters: int, dropout: float) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv1d(d, filters, w) for w in widths)
        self.widths, self.width = widths, filters * len(widths)
        self.pool, self.drop = MaxPooling(), Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Features."""
        x = torch.where(mask[..., None], x, 0.0).transpose(1, 2)
        parts = []
        for width, convolution in zip(self.widths, self.convolutions, strict=True):
            # Each filter ends at each token once, so that texts that are shorter than it are seen too.
            seen = convolution(functional.pad(x, (width - 1, 0))).relu()
            parts.append(self.pool(seen.transpose(1, 2), mask))
        return self.drop(torch.cat(parts, 1))  # type: ignore[no-any-return]


class TokenTransformer(nn.Module):
    """A small transformer with norms in front of each part (Vaswani et al. 2017; Xiong et al. 2020) and pooling.

    Args:
        config: d and the rest of the architecture.
        length: Tokens of a text at most; training may have put in more, which share the last place.
        spread: Of fresh vectors of tokens, which places should not drown.

    Shape: (b, t, d), (b, t) bool or None -> (b, d).
    """

    def __init__(self, config: TokenTransformerConfig, length: int, spread: float = 1.0) -> None:
        super().__init__()
        c, d = config, config.embed
        self.width = d
        self.places = nn.Parameter(spread * waves(length, d))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                d, c.heads, max(1, round(c.hidden_factor * d)), c.dropout, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(c.layers)
        )
        self.norm, self.pool, self.drop = nn.LayerNorm(d), make_pooling(c.pooling, d), Dropout(c.dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features."""
        place = torch.arange(x.shape[1], device=x.device).clamp(max=len(self.places) - 1)
        x, hidden = x + self.places[place], None
        if mask is not None:
            x, hidden = torch.where(mask[..., None], x, 0.0), ~mask
            hidden[:, 0] = False  # attention over nothing is not defined
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=hidden)
        return self.drop(self.pool(self.norm(x), mask))  # type: ignore[no-any-return]


def waves(length: int, d: int) -> Tensor:
    """(length, d) sines and cosines that say the place, where training starts (Vaswani et al. 2017, section 3.5)."""
    rate = 10_000.0 ** (-torch.arange(0, d, 2) / d)
    angle = torch.arange(length)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1)[:, :d]
