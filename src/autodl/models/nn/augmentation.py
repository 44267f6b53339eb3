"""Changes training batches of images as their configuration says; see ``augment_config`` for what is done."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from autodl.models.nn.augment_config import ImageAugmentConfig
from autodl.models.nn.image_changes import cut_out, moved, recoloured, warped
from autodl.models.nn.image_draws import draw
from autodl.train.data import Blend, TensorData


class ImageAugmenter:
    """Called with each training batch; all draws are from torch's generator.

    Args:
        config: What is done.
        columns: How many of the first inputs are images (b, h, w, 3).
        mixes: Whether images may be mixed with others; not where other columns stand beside them, as categories
            cannot be mixed.
    """

    def __init__(self, config: ImageAugmentConfig, columns: int, mixes: bool = True) -> None:
        self.config, self.columns = config, columns
        self.mixes = mixes and bool(config.mixup or config.cutmix)

    def __call__(self, batch: TensorData) -> TensorData:
        """The batch with other images, and the targets that they were mixed of."""
        images = tuple(self.changed(x) for x in batch.inputs[: self.columns])
        batch = replace(batch, inputs=(*images, *batch.inputs[self.columns :]))
        return self._mixed(batch) if self.mixes and len(batch) > 1 else batch

    def changed(self, images: Tensor) -> Tensor:
        """Each image on its own; (b, h, w, 3) -> the same, bytes where nothing but the places of pixels changes."""
        c = self.config
        if c.flip != "none" or c.crop or c.warps or c.recolours:
            drawn = draw(c, len(images))
            if c.warps:
                images = warped(images, drawn)
            elif c.flip != "none" or c.crop:
                images = moved(images, drawn)
            if c.recolours:
                images = recoloured(images, drawn)
        return cut_out(images, c.cutout) if c.cutout else images

    def _mixed(self, batch: TensorData) -> TensorData:
        c = self.config
        pasted = c.cutmix > 0 and (c.mixup == 0 or bool(torch.rand(()) < 0.5))
        alpha = torch.tensor(c.cutmix if pasted else c.mixup)
        share = float(torch.distributions.Beta(alpha, alpha).sample())
        other = torch.randperm(len(batch), device=batch.target.device)
        images = batch.inputs[: self.columns]
        if pasted:
            mixed, share = pasted_in(images, tuple(x[other] for x in images), share)
        else:
            mixed = tuple(torch.lerp(x[other].float(), x.float(), share) for x in images)
        weight = None if batch.weight is None else batch.weight[other]
        inputs = (*mixed, *batch.inputs[self.columns :])
        return replace(batch, inputs=inputs, blend=Blend(batch.target[other], weight, share))


def pasted_in(
    images: tuple[Tensor, ...], others: tuple[Tensor, ...], share: float
) -> tuple[tuple[Tensor, ...], float]:
    """A rectangle of each image is of the other one, at the same random place in all (Yun et al. 2019, "CutMix").

    Args:
        images: Each (b, h, w, 3). others: the same. share: of the area that stays.

    Returns:
        The mixed images, and the share that has stayed: rectangles end at the border.
    """
    side, x, y = (1 - share) ** 0.5, float(torch.rand(())), float(torch.rand(()))
    mixed, stays = [], share
    for image, other in zip(images, others, strict=True):
        h, w = image.shape[1:3]
        top, bottom = _ends(y, side, h)
        left, right = _ends(x, side, w)
        image = image.clone()
        image[:, top:bottom, left:right] = other[:, top:bottom, left:right].to(image.dtype)
        mixed.append(image)
        stays = 1 - (bottom - top) * (right - left) / (h * w)
    return tuple(mixed), stays


def _ends(center: float, side: float, n: int) -> tuple[int, int]:
    low, high = round((center - side / 2) * n), round((center + side / 2) * n)
    return max(0, low), min(n, high)
