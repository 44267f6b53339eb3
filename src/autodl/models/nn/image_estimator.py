"""A network over images as an estimator: stored images in, augmentation, any body, mirrored predictions."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.image_training import ImageTraining
from autodl.models.nn.media_inputs import ImagePlan
from autodl.models.nn.media_network import MediaNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from autodl.features import Features
    from autodl.models.nn.image_net import ImageNet
    from autodl.train.data import TensorData
    from autodl.train.losses import Objective


class ImageNetwork(MediaNetwork[ImagePlan]):
    """A network over the images of a table, with its other columns beside them; subclasses say what reads the images.

    Args:
        config: Architecture, augmentation and training. meta: Task, classes, seed, threads.
    """

    config: ImageTraining

    @abstractmethod
    def make_body(self, side: int) -> tuple[nn.Module, int]:
        """What turns (b, 3, S, S) images into (b, d) features, and d.

        Args:
            side: S.
        """

    @abstractmethod
    def body_cost(self, side: int) -> NetworkCost:
        """Of one image of this side through the body."""

    def learn(self, X: Features) -> None:
        """See ``Network``."""
        self.plan = ImagePlan.learn(X, self.config.side)

    def stored_module(self, n_outputs: int) -> ImageNet:
        """See ``Network``."""
        from autodl.models.nn.image_net import ImageNet

        plan = self._known()
        body, width = self.make_body(plan.side)
        return ImageNet(body, width, len(plan.columns), plan.beside, n_outputs)

    def multiplications(self, module: nn.Module) -> float:
        """Those of the body, for each column of images."""
        plan = self._known()
        return float(self.body_cost(plan.side).multiplications * len(plan.columns))

    def augmenter(self) -> Callable[[TensorData], TensorData]:
        """See ``Network``."""
        from autodl.models.nn.augmentation import ImageAugmenter

        plan = self._known()
        return ImageAugmenter(self.config, len(plan.columns), mixes=plan.beside is None)

    def training_config(self) -> ImageTraining:
        """In 16 bits where that is quicker."""
        config = self.config
        return config.model_copy(update={"precision": "mixed"}) if config.trains_in_half else config

    def outputs(self, module: nn.Module, inputs: tuple[Tensor, ...], objective: Objective) -> Tensor:
        """The mean over each image and its mirror image, where training mirrors images."""
        plain = super().outputs(module, inputs, objective)
        if self.config.flip == "none" or not self.config.mirror:
            return plain
        m = len(self._known().columns)
        mirrored = (*(x.flip(2) for x in inputs[:m]), *inputs[m:])
        return (plain + super().outputs(module, mirrored, objective)) / 2
