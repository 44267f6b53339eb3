"""The FT-Transformer: a transformer whose tokens are the columns of a row.

Source: Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", section 3.3.
Notation: b rows, p numeric columns, q categorical columns, t = p + q + 1 tokens, d token size, c outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl.models.nn.embeddings import ColumnLinear
from autodl.models.nn.layers import Activation, Dropout, Gate, make_norm
from autodl.models.nn.names import NormPlace, Pooling, TransformerNormName
from autodl.models.nn.pooling import make_pooling
from autodl.train.optimizers import HyperFactor


@dataclass(frozen=True)
class TransformerShape:
    """Architecture.

    Attributes:
        layers, heads: Numbers. token_size: d, a multiple of ``heads``.
        hidden_factor: Width of the feed-forward part over d.
        feed_forward: ``relu``, ``gelu``, ``reglu``, ``geglu`` or ``swiglu``.
        norm: ``layer`` or ``rms`` (Zhang and Sennrich 2019).
        norm_place: Norm before (``pre``) or after (``post``) attention and feed-forward.
        pooling: The CLS token, or the mean, maximum or learned average (``attention``) of all tokens.
        attention_dropout, dropout, residual_dropout: Shares dropped.
    """

    layers: int
    heads: int
    token_size: int
    hidden_factor: float = 4 / 3
    feed_forward: str = "reglu"
    norm: TransformerNormName = "layer"
    norm_place: NormPlace = "pre"
    pooling: Pooling = "cls"
    attention_dropout: float = 0.2
    dropout: float = 0.1
    residual_dropout: float = 0.0


class FeatureTokenizer(nn.Module):
    """One token a column after a CLS token: ``x_j w_j + b_j`` or an embedding, ``table[code] + b_j``.

    Args:
        n_flat: Numeric columns (two-valued ones) that always get linear tokens.
        n_numeric: p other numeric columns. embedding: theirs, with a ``size``; None for linear tokens.
        cardinalities: q sizes. size: d.

    Shape: (b, n_flat), (b, p), (b, q) int64 -> (b, 1 + n_flat + p + q, d); the CLS token is the first.

    Raises:
        ValueError: If there is no column at all.
    """

    offset: Tensor

    def __init__(
        self, n_flat: int, n_numeric: int, embedding: nn.Module | None, cardinalities: tuple[int, ...], size: int
    ) -> None:
        super().__init__()
        n = n_flat + n_numeric + len(cardinalities)
        if n == 0:
            raise ValueError("a network needs at least one input column, but got 0")
        bound = size**-0.5
        self.cls = nn.Parameter(torch.empty(size).uniform_(-bound, bound))
        self.embedding = embedding
        n_linear = n_flat + (n_numeric if embedding is None else 0)
        self.weight = nn.Parameter(torch.empty(n_linear, size).uniform_(-bound, bound))
        self.project = (
            None if embedding is None else ColumnLinear(n_numeric, int(getattr(embedding, "size", size)), size)
        )
        self.bias = nn.Parameter(torch.empty(n, size).uniform_(-bound, bound))
        starts = [sum(cardinalities[:j]) for j in range(len(cardinalities))]
        self.register_buffer("offset", torch.tensor(starts, dtype=torch.long), persistent=False)
        self.table = nn.Embedding(sum(cardinalities), size) if cardinalities else None
        if self.table is not None:
            nn.init.uniform_(self.table.weight, -bound, bound)
            with torch.no_grad():
                self.table.weight[self.offset] = 0.0  # never seen: only the column's bias

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """The tokenizer is not decayed (as in the paper)."""
        return {name: HyperFactor(1.0, 0.0) for name in ("weight", "bias")}

    def forward(self, flat: Tensor, numeric: Tensor, codes: Tensor) -> Tensor:
        """Tokens."""
        linear = flat if self.embedding is not None else torch.cat([flat, numeric], 1)
        tokens = [linear[..., None] * self.weight]
        if self.embedding is not None and self.project is not None:
            tokens.append(self.project(self.embedding(numeric)))
        if self.table is not None:
            tokens.append(self.table(codes + self.offset))
        cls = self.cls.expand(len(codes), 1, -1)
        return torch.cat([cls, torch.cat(tokens, 1) + self.bias], 1)


class Attention(nn.Module):
    """Multi-head self-attention (Vaswani et al. 2017).

    Args:
        size: d. heads: number, a divisor of d. dropout: of the attention weights.

    Shape: (b, t, d) -> (b, t, d), or (b, 1, d) if only the first token asks (``first_only``).

    Raises:
        ValueError: If d is no multiple of the heads.
    """

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        if size % heads:
            raise ValueError(f"`token_size` must be a multiple of `heads`, but got {size} and {heads}")
        self.heads, self.dropout = heads, dropout
        self.query, self.key_value = nn.Linear(size, size), nn.Linear(size, 2 * size)
        self.out = nn.Linear(size, size)

    def forward(self, x: Tensor, first_only: bool = False) -> Tensor:
        """Tokens."""
        b, _, d = x.shape
        asking = x[:, :1] if first_only else x
        q = self.query(asking).view(b, -1, self.heads, d // self.heads).transpose(1, 2)
        k, v = (s.view(b, -1, self.heads, d // self.heads).transpose(1, 2) for s in self.key_value(x).chunk(2, -1))
        y = functional.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0)
        return self.out(y.transpose(1, 2).reshape(b, -1, d))  # type: ignore[no-any-return]


class TransformerBlock(nn.Module):
    """Attention and feed-forward, each with norm, dropout and a shortcut.

    Args:
        shape: Architecture. first: the first block of a pre-norm network has no norm before its attention.
        drop: What is done to both branches while training; None: dropout of ``residual_dropout``.

    Shape: (b, t, d) -> (b, t, d), or (b, 1, d) with ``first_only``.
    """

    def __init__(self, shape: TransformerShape, first: bool, drop: nn.Module | None = None) -> None:
        super().__init__()
        d = shape.token_size
        hidden = max(1, round(d * shape.hidden_factor))
        gated = shape.feed_forward.endswith("glu")
        self.pre = shape.norm_place == "pre"
        self.attention = Attention(d, shape.heads, shape.attention_dropout)
        self.feed_forward = nn.Sequential(
            nn.Linear(d, 2 * hidden if gated else hidden),
            Gate(shape.feed_forward) if gated else Activation(shape.feed_forward),
            Dropout(shape.dropout),
            nn.Linear(hidden, d),
        )
        self.attention_norm = nn.Identity() if self.pre and first else make_norm(shape.norm, d)
        self.feed_forward_norm = make_norm(shape.norm, d)
        self.drop = Dropout(shape.residual_dropout) if drop is None else drop

    def forward(self, x: Tensor, first_only: bool = False) -> Tensor:
        """Tokens."""
        rest = x[:, :1] if first_only else x
        if self.pre:
            y = rest + self.drop(self.attention(self.attention_norm(x), first_only))
            return y + self.drop(self.feed_forward(self.feed_forward_norm(y)))  # type: ignore[no-any-return]
        y = self.attention_norm(rest + self.drop(self.attention(x, first_only)))
        return self.feed_forward_norm(y + self.drop(self.feed_forward(y)))  # type: ignore[no-any-return]


class FTTransformer(nn.Module):
    """Tokens of all columns, transformer blocks, and a head on the pooled token.

    Args:
        tokenizer: Makes the tokens. shape: architecture. n_outputs: c.

    Shape: the tokenizer's inputs -> (b, c).
    """

    def __init__(self, tokenizer: FeatureTokenizer, shape: TransformerShape, n_outputs: int) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.blocks = nn.ModuleList(TransformerBlock(shape, i == 0) for i in range(shape.layers))
        self.cls_pooling = shape.pooling == "cls"
        d = shape.token_size
        self.pool = nn.Identity() if self.cls_pooling else make_pooling(shape.pooling, d)
        self.head = nn.Sequential(
            make_norm(shape.norm, d) if shape.norm_place == "pre" else nn.Identity(),
            nn.ReLU(),
            nn.Linear(d, n_outputs),
        )

    def forward(self, flat: Tensor, numeric: Tensor, codes: Tensor) -> Tensor:
        """Raw outputs."""
        x = self.tokenizer(flat, numeric, codes)
        last = len(self.blocks) - 1
        for i, block in enumerate(self.blocks):
            # The last block's other tokens would not be read: with CLS pooling only the first one asks.
            x = block(x, first_only=self.cls_pooling and i == last)
        return self.head(x[:, 0] if self.cls_pooling else self.pool(x))  # type: ignore[no-any-return]
