"""The tabular MLP: embeddings, learned scaling, plain or residual blocks, one head or an ensemble of k.

With the right options it is RealMLP (Holzmueller et al. 2024), TabM or TabM-mini (Gorishniy et al. 2024), or the
MLP and the ResNet of Gorishniy et al. 2021. Notation: b rows, p numeric columns, q categorical columns, k members,
h width, c outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from autodl.models.nn.embeddings import CategoryEncoder, make_numeric_embedding
from autodl.models.nn.ensembling import BatchEnsembleLinear, MemberLinear, MemberScale
from autodl.models.nn.layers import Activation, Dropout, Gate, Scale, TangentLinear, make_norm
from autodl.models.nn.mlp_config import MAX_ONEHOT, MlpConfig
from autodl.models.nn.names import EnsembleName

if TYPE_CHECKING:
    from autodl.models.nn.inputs import InputPlan


@dataclass(frozen=True)
class MlpShape:
    """Architecture of the blocks.

    Attributes:
        depth: Number of blocks. width: h, of each block unless ``widths`` says otherwise.
        activation, gate, norm: Names of ``layers``. parametric: learned strength of activations.
        residual: Blocks with a shortcut. dropout: Share of features dropped in each block.
        ensemble: Kind of ensembling inside the network. members: k.
        tangent: Neural tangent parametrization of the linear layers (RealMLP); not with ``tabm``.
        widths: h of each block; empty: all the same.

    Raises:
        ValueError: If there are widths, but not one for each block.
    """

    depth: int
    width: int
    activation: str = "relu"
    gate: str = "none"
    norm: str = "none"
    parametric: bool = False
    residual: bool = False
    dropout: float = 0.0
    ensemble: EnsembleName = "none"
    members: int = 1
    tangent: bool = False
    widths: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.widths and len(self.widths) != self.depth:
            raise ValueError(f"`widths` must have {self.depth} entries, one a block, but got {self.widths}")

    @property
    def block_widths(self) -> tuple[int, ...]:
        """h of each block."""
        return self.widths or (self.width,) * self.depth

    def linear(self, d_in: int, d_out: int, first: bool = False) -> nn.Module:
        """A linear layer of this architecture."""
        if self.ensemble == "tabm":
            return BatchEnsembleLinear(d_in, d_out, self.members, signs=first)
        return TangentLinear(d_in, d_out) if self.tangent else nn.Linear(d_in, d_out)

    def activate(self, d_in: int, d_out: int, first: bool = False, norm: bool = True) -> list[nn.Module]:
        """Linear, norm, activation or gate, dropout: from d_in to d_out features."""
        wide = d_out if self.gate == "none" else 2 * d_out
        return [
            self.linear(d_in, wide, first),
            make_norm(self.norm, wide) if norm else nn.Identity(),
            Activation(self.activation, d_out, self.parametric) if self.gate == "none" else Gate(self.gate),
            Dropout(self.dropout),
        ]


class ResidualBlock(nn.Module):
    """``x + Linear(Dropout(Act(Linear(Norm(x)))))`` (Gorishniy et al. 2021, "Revisiting Deep Learning Models").

    Where the width changes, the shortcut is a linear layer (He et al. 2016, equation 2).

    Args:
        shape: Architecture. d_in: features; h if left out. d_out: h of this block; that of the shape if left out.

    Shape: (b, *, d_in) -> (b, *, d_out).
    """

    def __init__(self, shape: MlpShape, d_in: int | None = None, d_out: int | None = None) -> None:
        super().__init__()
        d_in, h = d_in or shape.width, d_out or shape.width
        self.body = nn.Sequential(
            make_norm(shape.norm, d_in),
            *shape.activate(d_in, h, norm=False),
            shape.linear(h, h),
            Dropout(shape.dropout / 2),
        )
        self.shortcut = nn.Identity() if d_in == h else shape.linear(d_in, h)

    def forward(self, x: Tensor) -> Tensor:
        """The block's output."""
        return self.shortcut(x) + self.body(x)  # type: ignore[no-any-return]


def input_parts(config: MlpConfig, plan: InputPlan, sample: Tensor) -> tuple[nn.Module | None, CategoryEncoder]:
    """What turns columns into the inputs of the first layer: an embedding of numbers, if any, and one of categories.

    Args:
        config: Kind and size of the embedding. plan: Columns. sample: (s, p) training values, for bins.
    """
    embedding = make_numeric_embedding(
        config.embedding if config.embeds(sample.shape[1]) else "none",
        sample,
        size=config.embedding_size,
        frequencies=config.frequencies,
        sigma=config.sigma,
        bins=config.bins,
    )
    return embedding, CategoryEncoder(plan.cardinalities, MAX_ONEHOT, config.category_size)


class TabularMLP(nn.Module):
    """An MLP over flat, embedded and categorical columns.

    Args:
        n_flat: Columns passed on as they are. embedding: of the p other numeric columns, or None if p = 0 or they
            are to be passed on as they are. n_embedded: p.
        encoder: Of the q categorical columns.
        shape: The blocks.
        front_scale: A learned factor for each input of the blocks.
        n_outputs: c.

    Shape: (b, n_flat), (b, p), (b, q) int64 -> (b, c), or (b, k, c) with an ensemble.

    Raises:
        ValueError: If there is no input column at all, or fewer than two members in an ensemble.
    """

    def __init__(
        self,
        n_flat: int,
        n_embedded: int,
        embedding: nn.Module | None,
        encoder: CategoryEncoder,
        shape: MlpShape,
        front_scale: bool,
        n_outputs: int,
    ) -> None:
        super().__init__()
        if shape.ensemble != "none" and shape.members < 2:
            raise ValueError(f"an ensemble needs `members >= 2`, but got {shape.members}")
        per_column = int(getattr(embedding, "size", 1)) if embedding is not None else 1
        d = n_flat + n_embedded * per_column + encoder.size_out
        if d == 0:
            raise ValueError("a network needs at least one input column, but got 0")
        self.embedding, self.encoder, self.members = embedding, encoder, shape.members
        self.ensemble = shape.ensemble
        self.scale = Scale(d) if front_scale else nn.Identity()
        self.split = MemberScale(shape.members, d, signs=True) if shape.ensemble == "tabm_mini" else nn.Identity()
        layers: list[nn.Module] = []
        widths = shape.block_widths
        h = widths[-1]
        if shape.residual:
            layers.append(shape.linear(d, widths[0], first=True))
            inputs = (widths[0], *widths[:-1])
            layers.extend(ResidualBlock(shape, a, b) for a, b in zip(inputs, widths, strict=True))
            layers.extend([make_norm(shape.norm, h), Activation(shape.activation, h, shape.parametric)])
        else:
            for i, (a, b) in enumerate(zip((d, *widths[:-1]), widths, strict=True)):
                layers.extend(shape.activate(a, b, first=i == 0))
        self.blocks = nn.Sequential(*(layer for layer in layers if not isinstance(layer, nn.Identity)))
        self.head: nn.Module
        if shape.ensemble != "none":
            self.head = MemberLinear(h, n_outputs, shape.members)
        else:
            self.head = TangentLinear(h, n_outputs) if shape.tangent else nn.Linear(h, n_outputs)

    def forward(self, flat: Tensor, numeric: Tensor, codes: Tensor) -> Tensor:
        """Raw outputs."""
        return self.outputs(self.embed(flat, numeric, codes))

    def embed(self, flat: Tensor, numeric: Tensor, codes: Tensor) -> Tensor:
        """(b, d) inputs of the blocks."""
        columns = numeric if self.embedding is None else self.embedding(numeric).flatten(1)
        return self.scale(torch.cat([flat, columns, self.encoder(codes)], 1))  # type: ignore[no-any-return]

    def outputs(self, x: Tensor) -> Tensor:
        """Raw outputs for (b, d) embedded rows."""
        if self.ensemble != "none":
            x = self.split(x[:, None])
        return self.head(self.blocks(x))  # type: ignore[no-any-return]
