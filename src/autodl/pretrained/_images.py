"""Images through a network in a folder. Notation: n images, S pixels a side, w hidden width."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.pretrained._quiet import quiet
from autodl.pretrained.base import Encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HALF = (0.5, 0.5, 0.5)


class ImageEncode(Encode):
    """The pooled answer of the network, or the mean over its last layer where it was trained without one.

    Args:
        folder: As transformers writes it; ``preprocessor_config.json`` tells how pixels are scaled.
        side: Pixels a side to which images are brought.
    """

    def __init__(self, folder: Path, side: int) -> None:
        with quiet():
            from transformers import AutoModel

            network, told = AutoModel.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False, output_loading_info=True
            )
        self._network = network.eval()
        # transformers adds layers that the files lack, with random weights.
        self._pools = not any("pooler" in name for name in told["missing_keys"])
        said = json.loads((folder / "preprocessor_config.json").read_text())
        self._side = side
        self._mean = np.array(said.get("image_mean") or _HALF, np.float32)
        self._spread = np.array(said.get("image_std") or _HALF, np.float32)

    def __call__(self, objects: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, w)."""
        import torch
        from torch.nn.functional import interpolate

        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(objects)).permute(0, 3, 1, 2).float()
            if pixels.shape[2] != self._side:
                pixels = interpolate(pixels, (self._side, self._side), mode="bilinear", antialias=True)
            scaled = (pixels / 255.0 - _column(self._mean)) / _column(self._spread)
            told = self._network(pixel_values=scaled)
            pooled = getattr(told, "pooler_output", None) if self._pools else None
            if pooled is None:
                last = told.last_hidden_state
                pooled = last.mean(dim=1) if last.ndim == 3 else last.mean(dim=(2, 3))
        return np.asarray(pooled.flatten(1).float().numpy(), np.float32)


def image_side(folder: Path) -> int:
    """Pixels a side that the folder's network was trained on; 224 where it does not say."""
    said: Any = json.loads((folder / "preprocessor_config.json").read_text())
    size = said.get("crop_size") or said.get("size") or 224
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge") or 224
    return int(size)


def _column(values: NDArray[np.float32]) -> Any:
    import torch

    return torch.from_numpy(values).view(1, 3, 1, 1)
