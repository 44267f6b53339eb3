"""How networks over images are trained, whatever they are made of; free of torch."""

from __future__ import annotations

from pydantic import Field

from autodl.machine import multiplies_bfloat16
from autodl.models.base import FamilyConfig, Shape
from autodl.models.nn.augment_config import ImageAugmentConfig
from autodl.models.nn.media_inputs import seen_side
from autodl.train.config import TrainConfig

USUAL_SIDE = 32
"""Side of images of which nothing is known."""


class ImageTraining(ImageAugmentConfig, TrainConfig, FamilyConfig):
    """Augmentation and length of the training; a family's config derives from it and from its architecture."""

    side: int = Field(0, ge=0, le=512)
    """Pixels a side that the network sees, at most; larger images are averaged down. 0: 64."""

    @property
    def trains_in_half(self) -> bool:
        """Whether this processor trains it in 16 bits where nothing is said."""
        return self.precision == "auto" and multiplies_bfloat16()

    def n_epochs(self, rows: int) -> int:
        """20 at 5,000 images, more of fewer with the root of their number, from 6 to 100; deadlines shorten that."""
        usual = min(100.0, max(6.0, 20 * (5_000 / max(rows, 1)) ** 0.5))
        return self.epochs or max(1, round(self.epoch_factor * usual))

    def n_batch(self, rows: int) -> int:
        """64: smaller than of tables, as there is more work in a row; 32 of fewer than 1,000, 128 from 50,000 on."""
        return self.batch_size or (32 if rows < 1_000 else 64 if rows < 50_000 else 128)


def largest_side(shape: Shape, config: ImageTraining) -> int:
    """Pixels a side that a network with this configuration sees of the images of a table."""
    return seen_side(shape.image_side or USUAL_SIDE, config.side)
