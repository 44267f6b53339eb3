"""A transformer over the patches of an image.

Source: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words".
Notation: b images, S pixels a side, g = S / P patches a side (rounded up), t = g * g patches, d numbers of a patch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from autodl.models.nn.conv_config import ConvNetConfig
from autodl.models.nn.conv_layers import ConvUnit, DropPath
from autodl.models.nn.convnet import PatchStem
from autodl.models.nn.ft_transformer import TransformerBlock, TransformerShape
from autodl.models.nn.layers import Dropout, make_norm
from autodl.models.nn.pooling import make_pooling
from autodl.models.nn.text_bodies import waves
from autodl.models.nn.vit_config import VitConfig
from autodl.train.optimizers import HyperFactor


class ConvStem(nn.Module):
    """Convolutions of stride 2 and a linear map (Xiao et al. 2021, "Early Convolutions Help Transformers See
    Better").

    Args:
        widths: Channels after each of them. size: pixels that images are padded to a multiple of. d: at the end.

    Shape: (b, 3, S, S) -> (b, d, g, g).
    """

    def __init__(self, widths: tuple[int, ...], size: int, d: int) -> None:
        super().__init__()
        self.size = size
        channels = (3, *widths)
        self.units = nn.Sequential(
            *(
                ConvUnit(2, a, b, 3, stride=2, norm="batch", activation="relu")
                for a, b in zip(channels[:-1], widths, strict=True)
            )
        )
        self.project = nn.Conv2d(channels[-1], d, 1)
        assert self.project.bias is not None
        # As loud as the patches of the other stem; 2, as what comes in has passed a ReLU (He et al. 2015).
        nn.init.normal_(self.project.weight, 0.0, (2.0 / channels[-1]) ** 0.5)
        nn.init.zeros_(self.project.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Patches."""
        gap = -x.shape[-1] % self.size
        return self.project(self.units(functional.pad(x, (0, gap, 0, gap))))  # type: ignore[no-any-return]


class ClassPooling(nn.Module):
    """A learnt token that asks all patches in a layer of its own (Touvron et al. 2021, "Going Deeper with Image
    Transformers", section 3): it costs less than a token that goes through all layers. Its answer is normalized, as
    theirs is.

    Args:
        shape: Of the layer.

    Shape: (b, t, d) -> (b, d).
    """

    def __init__(self, shape: TransformerShape) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.empty(shape.token_size))
        nn.init.trunc_normal_(self.token, std=0.02)
        self.block = TransformerBlock(shape, first=False)
        self.norm = make_norm(shape.norm, shape.token_size)

    def forward(self, x: Tensor) -> Tensor:
        """What the token has found."""
        token = self.token.expand(len(x), 1, -1)
        return self.norm(self.block(torch.cat([token, x], 1), first_only=True)[:, 0])  # type: ignore[no-any-return]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # Networks of older versions have no such norm.
        if f"{prefix}norm.weight" not in state_dict:
            self.norm = nn.Identity()
        super()._load_from_state_dict(state_dict, prefix, *args)


class VitBody(nn.Module):
    """Stem, places, layers with norms in front of each part, pooling.

    Images of another side, as those of another column may be, are brought to S: there are places for one grid.

    Args:
        config: Architecture. side: S.

    Shape: (b, 3, S, S) -> (b, d).
    """

    places: Tensor

    def __init__(self, config: VitConfig, side: int) -> None:
        super().__init__()
        d, patch = config.token_size, config.patch_side(side)
        self.side, self.width, self.grid = side, d, config.grid(side)
        self.stem: nn.Module
        if config.stem == "conv":
            self.stem = ConvStem(config.stem_widths(side), patch, d)
        else:
            self.stem = PatchStem(2, 3, ConvNetConfig(stem="patch", stem_kernel=patch, stem_width=d, norm="none"))
        start = plane_waves(self.grid, d)
        if config.positions == "learned":
            self.register_parameter("places", nn.Parameter(start))
        else:
            self.register_buffer("places", start, persistent=False)
        shape = TransformerShape(
            layers=config.layers, heads=config.heads, token_size=d, hidden_factor=config.hidden_factor,
            feed_forward="gelu", norm=config.norm, norm_place="pre", attention_dropout=config.attention_dropout,
            dropout=config.dropout, residual_dropout=config.dropout,
        )  # fmt: skip
        self.drop = Dropout(config.dropout)
        self.layers = nn.ModuleList(
            TransformerBlock(
                shape,
                first=False,
                drop=nn.Sequential(
                    Dropout(config.dropout), DropPath(config.drop_path * i / max(1, config.layers - 1))
                ),
            )
            for i in range(config.layers)
        )
        self.norm = make_norm(config.norm, d)
        self.pool = ClassPooling(shape) if config.pooling == "class" else make_pooling(config.pooling, d)

    def hyper_factors(self) -> Mapping[str, HyperFactor]:
        """Learnt places are not decayed."""
        return {"places": HyperFactor(1.0, 0.0)}

    def tokens(self, x: Tensor) -> Tensor:
        """(b, t, d) what the layers make of the patches."""
        if x.shape[-1] != self.side:
            size = (self.side, self.side)
            x = functional.interpolate(x, size, mode="bilinear", antialias=x.shape[-1] > self.side)
        x = self.stem(x).flatten(2).transpose(1, 2)
        x = self.drop(x + self.places)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Features of the image."""
        return self.pool(self.tokens(x))  # type: ignore[no-any-return]


def plane_waves(grid: int, d: int) -> Tensor:
    """(grid * grid, d) sines and cosines: the row in the first half, the column in the second, as in MoCo v3.

    >>> plane_waves(8, 64).shape
    torch.Size([64, 64])
    """
    line = waves(grid, d // 2)
    rows, columns = line[:, None].expand(-1, grid, -1), line[None].expand(grid, -1, -1)
    return torch.cat([rows, columns], 2).flatten(0, 1)
