"""How training images are changed: names, types and valid values. Knows no torch, so that families import quickly."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

FlipName = Literal["none", "horizontal", "both"]


class ImageAugmentConfig(BaseModel):
    """Changes of training images, drawn anew for each image each time; a family's config derives from it.

    Nothing is changed in validation and prediction, but for ``mirror``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip: FlipName = "horizontal"
    """Mirrored with probability 1/2, left to right or in both directions; ``none`` where the side says the class, as
    in digits and letters."""
    mirror: bool = True
    """Predict the mean of each image and its mirror image, where training mirrors images."""
    crop: float = Field(0.125, ge=0, le=0.5)
    """Shifted by up to this share of the side in both directions; the border is the mirrored inside."""
    rotate: float = Field(0.0, ge=0, le=180)
    """Turned by up to so many degrees."""
    zoom: float = Field(0.0, ge=0, le=0.9)
    """Enlarged or made smaller by up to this share."""
    colour: float = Field(0.0, ge=0, le=1)
    """Brightness, contrast and saturation changed by up to this share."""
    cutout: float = Field(0.0, ge=0, le=1)
    """Side of a square of the image that is blanked, as a share of its side."""
    augment: float = Field(0.0, ge=0, le=1)
    """Strength of two changes of each image, drawn from eleven; 0: none of them (RandAugment)."""
    mixup: float = Field(0.0, ge=0, le=2)
    """Each image is the mean of two, in shares from a beta distribution with this parameter; 0: not."""
    cutmix: float = Field(0.0, ge=0, le=2)
    """A rectangle of each image is of another one; its area is drawn as the shares of ``mixup``, and where both are
    given either is done for half of the batches."""

    @property
    def warps(self) -> bool:
        """Whether images are turned, scaled or sheared, and not only moved by whole pixels."""
        return bool(self.rotate or self.zoom or self.augment)

    @property
    def recolours(self) -> bool:
        """Whether the values of pixels are changed."""
        return bool(self.colour or self.augment)
