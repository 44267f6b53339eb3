"""Transformers over patches of images, trained from scratch, with searched architectures and augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.cost import STEP_OVERHEAD, measured_cost
from autodl.models.nn.image_estimator import ImageNetwork
from autodl.models.nn.image_training import largest_side
from autodl.models.nn.recipes import IMAGE_RECIPE
from autodl.models.nn.vit_config import VitConfig, vit_cost
from autodl.records import Modality

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Vit", "VitConfig", "VitEstimator"]

MULTIPLICATION_S, ACTIVATION_S = 60e-12, 4e-9
"""Seconds of training for each multiplication of a forward pass and each number that layers leave, on one core.

Measured in processor time on four networks of 32 x 32 pixels (10 to 120 million multiplications), three of which they
miss by 3 %, and the one with patches of 2 pixels by 22 %.
"""
HALF_GAIN = 0.7
"""Share of that time in 16 bits, where that is quicker."""
LAYER_STEP_S = 5e-4
"""Seconds that a layer adds to each step whatever the batch."""


class VitEstimator(ImageNetwork):
    """A trained transformer over patches."""

    config: VitConfig

    def make_body(self, side: int) -> tuple[nn.Module, int]:
        """See ``ImageNetwork``."""
        from autodl.models.nn.vit_body import VitBody

        body = VitBody(self.config, side)
        return body, body.width

    def body_cost(self, side: int) -> NetworkCost:
        """See ``ImageNetwork``."""
        return vit_cost(self.config, side)


class Vit(Family):
    """Family of transformers over patches of images."""

    key = "vit"
    other_names = ("vision_transformer", "deit", "swin", "beit")
    name = "Neural network (transformer over patches)"
    summary = "A network that cuts images into patches, each of which looks at all others; it needs many images."
    paper = (
        'Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words"; Beyer et al. 2022, "Better plain ViT baselines '
        'for ImageNet-1k"; Xiao et al. 2021, "Early Convolutions Help Transformers See Better"'
    )
    modalities = frozenset({Modality.IMAGE})
    recipe = IMAGE_RECIPE
    config = VitConfig
    complexity = 9
    order = 85
    min_rows = 2_000
    first_share = 0.15
    deep = True
    further = True
    quantiles = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, VitConfig)
        columns, cost = max(1, shape.images), vit_cost(config, largest_side(shape, config))
        gain = HALF_GAIN if config.trains_in_half else 1.0
        return measured_cost(
            shape,
            config,
            row_s=gain * columns * (MULTIPLICATION_S * cost.multiplications + ACTIVATION_S * cost.activations),
            parameters=cost.parameters,
            floats_per_row=3.0 * columns * cost.activations,
            step_s=STEP_OVERHEAD + columns * config.layers * LAYER_STEP_S,
        )

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, VitConfig)
        return VitEstimator(config, meta)
