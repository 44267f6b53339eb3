"""From ``Features`` to the tensors that networks over images read.

Notation: n rows, m columns of images, b rows of a batch, S side of an image in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.media_plan import MediaPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from numpy.typing import NDArray
    from torch import Tensor

    from autodl.features import Features
    from autodl.media.batch import MediaBatch

LARGEST_SIDE = 64
"""Larger images are averaged down to this many pixels a side where no other side is asked for: a network of the same
size costs 12 times as much on 224 pixels, and few images are not enough to learn what small details say."""


@dataclass(frozen=True)
class ImagePlan(MediaPlan):
    """What was learnt from the training rows.

    Attributes:
        columns: The m columns of images.
        side: S, pixels a side that the network sees.
        table: The other columns.
    """

    columns: tuple[str, ...]
    side: int
    table: InputPlan

    @classmethod
    def learn(cls, X: Features, side: int = 0) -> ImagePlan:
        """Look at the training rows.

        Args:
            X: Rows with at least one column of images.
            side: S at most; 0: ``LARGEST_SIDE``.

        Raises:
            ValueError: If there are no images.
        """
        columns = tuple(name for name, batch in X.media.items() if batch.store.kind == "image")
        if not columns:
            raise ValueError("a network over images needs a column of images, but the rows have none")
        return cls(columns, seen_side(max(stored_side(X.media[c]) for c in columns), side), InputPlan.learn(X))

    @property
    def names(self) -> tuple[str, ...]:
        """See ``MediaPlan``."""
        return self.columns

    def read(self, batches: Sequence[MediaBatch], device: torch.device) -> tuple[Tensor, ...]:
        """m tensors (b, S, S, 3) uint8, and the (b, m) float32 places where there is an image."""
        import torch

        images = [sized(torch.from_numpy(pixels_of(b, b.rows)).to(device), self.side) for b in batches]
        present = np.stack([b.present for b in batches], axis=1)
        return (*images, torch.from_numpy(present).float().to(device))


def seen_side(stored: int, asked: int) -> int:
    """S for images that are stored with a side: images are never enlarged.

    >>> seen_side(32, 0), seen_side(224, 0), seen_side(224, 128)
    (32, 64, 128)
    """
    return max(1, min(stored, asked or LARGEST_SIDE))


def stored_side(batch: MediaBatch) -> int:
    """Side of the images of a column as they are stored."""
    from autodl.media.stores import ImageStore, JoinedStore

    parts = batch.store.stores if isinstance(batch.store, JoinedStore) else (batch.store,)
    return max(part.side for part in parts if isinstance(part, ImageStore))


def pixels_of(batch: MediaBatch, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(b, side, side, 3) uint8 pixels of rows of the store of a column; grey where there is none.

    Raises:
        TypeError: If the store holds no images.
        ValueError: If its parts hold images of different sizes.
    """
    from autodl.media.stores import ImageStore, JoinedStore

    store = batch.store
    if isinstance(store, ImageStore):
        return store.pixels(rows)
    if not isinstance(store, JoinedStore) or store.kind != "image":
        raise TypeError(f"images are needed, but got {store.kind}")
    if len({part.side for part in store.stores if isinstance(part, ImageStore)}) > 1:
        raise ValueError("images of one size are needed, but those of joined tables differ")
    of = np.searchsorted(store.offsets, rows, side="right") - 1
    found = np.full((len(rows), stored_side(batch), stored_side(batch), 3), 128, np.uint8)
    for k, part in enumerate(store.stores):
        here = (of == k) & (rows >= 0)
        assert isinstance(part, ImageStore)
        found[here] = part.pixels(rows[here] - store.offsets[k])
    return found


def sized(images: Tensor, side: int) -> Tensor:
    """Averaged down to (b, side, side, 3) where they are larger; enlarged never. Bytes stay bytes."""
    from torch.nn import functional

    if images.shape[1] <= side:
        return images
    small = functional.interpolate(
        images.permute(0, 3, 1, 2).float(), (side, side), mode="bilinear", antialias=True, align_corners=False
    )
    return small.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).contiguous()
