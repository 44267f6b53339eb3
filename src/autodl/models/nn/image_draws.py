"""What is done to each image of a batch, drawn at random.

Notation: b images. Lengths are shares of the side of an image, so that nothing depends on its size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from autodl.models.nn.augment_config import ImageAugmentConfig

OPERATIONS = (
    "rotate", "shear_x", "shear_y", "zoom", "shift_x", "shift_y",
    "brightness", "contrast", "saturation", "solarize", "posterize",
)  # fmt: skip
"""Of RandAugment, from two of which each image is changed (Cubuk et al. 2020; theirs has 14)."""
OPERATIONS_PER_IMAGE = 2
LARGEST = {"rotate": 30.0, "shear": 0.3, "zoom": 0.3, "shift": 0.3, "colour": 0.9, "bits": 4.0}
"""At strength 1: degrees, shares of the side, of the contrast and so on, and bits that are lost."""


@dataclass
class Draws:
    """What is done to each of b images; tensors (b,) on the CPU.

    Attributes:
        flip_x, flip_y: -1 where mirrored, else 1.
        angle: Radians. zoom: size over the size before.
        shear_x, shear_y: Tangents. shift_x, shift_y: shares of the side.
        brightness, contrast, saturation: Factors.
        solarize: Values from here on are inverted; above 255: none. levels: different values kept; 256: all.
    """

    flip_x: Tensor
    flip_y: Tensor
    angle: Tensor
    zoom: Tensor
    shear_x: Tensor
    shear_y: Tensor
    shift_x: Tensor
    shift_y: Tensor
    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    solarize: Tensor
    levels: Tensor


def draw(config: ImageAugmentConfig, b: int) -> Draws:
    """Draw for b images from torch's generator."""

    def around(largest: float, center: float = 0.0) -> Tensor:
        return center + largest * (2 * torch.rand(b) - 1) if largest else torch.full((b,), center)

    def mirrored(wanted: bool) -> Tensor:
        return 1.0 - 2.0 * torch.randint(2, (b,)) if wanted else torch.ones(b)

    drawn = Draws(
        flip_x=mirrored(config.flip != "none"),
        flip_y=mirrored(config.flip == "both"),
        angle=around(math.radians(config.rotate)),
        zoom=around(config.zoom, 1.0),
        shear_x=torch.zeros(b),
        shear_y=torch.zeros(b),
        shift_x=around(config.crop),
        shift_y=around(config.crop),
        brightness=around(config.colour, 1.0),
        contrast=around(config.colour, 1.0),
        saturation=around(config.colour, 1.0),
        solarize=torch.full((b,), 256.0),
        levels=torch.full((b,), 256.0),
    )
    if config.augment:
        _add_two(drawn, config.augment, b)
    return drawn


def _add_two(drawn: Draws, strength: float, b: int) -> None:
    """Two operations for each image on top; how much is drawn up to the strength (Mueller and Hutter 2021)."""
    picked = torch.rand(b, len(OPERATIONS)).argsort(1)[:, :OPERATIONS_PER_IMAGE]
    done = torch.zeros(b, len(OPERATIONS)).scatter_(1, picked, 1.0)
    amount = dict(zip(OPERATIONS, (done * strength * torch.rand(b, len(OPERATIONS))).T, strict=True))
    sign = dict(zip(OPERATIONS, 1.0 - 2.0 * torch.randint(2, (len(OPERATIONS), b)), strict=True))
    both = {name: amount[name] * sign[name] for name in OPERATIONS}
    drawn.angle += math.radians(LARGEST["rotate"]) * both["rotate"]
    drawn.shear_x += LARGEST["shear"] * both["shear_x"]
    drawn.shear_y += LARGEST["shear"] * both["shear_y"]
    drawn.zoom *= 1 + LARGEST["zoom"] * both["zoom"]
    drawn.shift_x += LARGEST["shift"] * both["shift_x"]
    drawn.shift_y += LARGEST["shift"] * both["shift_y"]
    for name in ("brightness", "contrast", "saturation"):
        getattr(drawn, name).mul_(1 + LARGEST["colour"] * both[name])
    drawn.solarize -= 256.0 * amount["solarize"]
    drawn.levels /= 2 ** (LARGEST["bits"] * amount["posterize"]).round()
