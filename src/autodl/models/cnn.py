"""Convolutional networks over images, trained from scratch, with searched architectures and augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import HALF_GAIN, NetworkCost, convnet_cost, training_seconds_per_row
from autodl.models.nn.cost import measured_cost
from autodl.models.nn.image_config import ImageNetConfig
from autodl.models.nn.image_estimator import ImageNetwork
from autodl.models.nn.image_training import largest_side
from autodl.models.nn.recipes import IMAGE_RECIPE
from autodl.records import Modality

if TYPE_CHECKING:
    from torch import nn


class CnnConfig(ImageNetConfig):
    """See ``ImageNetConfig``."""


class CnnEstimator(ImageNetwork):
    """A trained convolutional network."""

    config: CnnConfig

    def make_body(self, side: int) -> tuple[nn.Module, int]:
        """See ``ImageNetwork``."""
        from autodl.models.nn.convnet import ConvNet

        body = ConvNet(self.config.for_side(side), 3, 0, dims=2)
        return body, body.width

    def body_cost(self, side: int) -> NetworkCost:
        """See ``ImageNetwork``."""
        return convnet_cost(self.config.for_side(side), 3, 0, (side, side))


class Cnn(Family):
    """Family of convolutional networks over images."""

    key = "cnn"
    other_names = ("convnet", "resnet", "efficientnet", "mobilenet", "inception", "conv")
    name = "Neural network (convolutions)"
    summary = "A network that finds edges, textures and shapes in images, learnt from these images alone."
    paper = (
        'He et al. 2016, "Deep Residual Learning"; Tan and Le 2019, "EfficientNet"; Howard et al. 2017, '
        '"MobileNets"; Szegedy et al. 2017, "Inception-v4"'
    )
    modalities = frozenset({Modality.IMAGE})
    recipe = IMAGE_RECIPE
    config = CnnConfig
    complexity = 8
    order = 4
    leads = True
    deep = True
    further = True
    quantiles = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, CnnConfig)
        columns, side = max(1, shape.images), largest_side(shape, config)
        fitted = config.for_side(side)
        cost = convnet_cost(fitted, 3, max(1, shape.classes), (side, side))
        gain = HALF_GAIN if config.trains_in_half else 1.0
        return measured_cost(
            shape,
            config,
            row_s=gain * columns * training_seconds_per_row(fitted, 3, (side, side)),
            parameters=cost.parameters,
            floats_per_row=3.0 * columns * cost.activations,
        )

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, CnnConfig)
        return CnnEstimator(config, meta)
