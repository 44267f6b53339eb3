"""Changes of whole batches of images as tensors. Notation: b images of h x w pixels, values 0 to 255.

Images are (b, h, w, 3), as stores keep them; that is torch's memory format "channels last", the quicker one for
convolutions, under another name.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autodl.models.nn.image_draws import Draws

GREY = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the brightness that people see (ITU-R BT.601)."""


def moved(images: Tensor, drawn: Draws) -> Tensor:
    """Mirrored and shifted by whole pixels, the border filled with the mirrored inside.

    One look-up of pixels: it costs next to nothing and keeps bytes bytes.

    Shape: (b, h, w, 3) of any dtype -> the same.
    """
    _, h, w, _ = images.shape
    rows = _positions(h, drawn.shift_y, drawn.flip_y).to(images.device)
    columns = _positions(w, drawn.shift_x, drawn.flip_x).to(images.device)
    of = torch.arange(len(images), device=images.device)
    return images[of[:, None, None], rows[:, :, None], columns[:, None, :]]


def _positions(n: int, shift: Tensor, flip: Tensor) -> Tensor:
    """(b, n) which of n pixels stands at each place."""
    places = torch.arange(n) - (shift * n).round().long().clamp(1 - n, n - 1)[:, None]
    places = (n - 1) - ((n - 1) - places.abs()).abs()
    return torch.where(flip[:, None] < 0, n - 1 - places, places)


def warped(images: Tensor, drawn: Draws) -> Tensor:
    """Mirrored, shifted, turned, sheared and scaled at once, with bilinear interpolation.

    Shape: (b, h, w, 3) of any dtype -> the same, float32.
    """
    x = images.permute(0, 3, 1, 2).float()
    grid = functional.affine_grid(where_from(drawn).to(x.device), list(x.shape), align_corners=False)
    y = functional.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return y.permute(0, 2, 3, 1).contiguous()


def where_from(drawn: Draws) -> Tensor:
    """(b, 2, 3) affine maps of places in the new image to those in the old one; places are from -1 to 1.

    An object that is turned, sheared, enlarged, mirrored, and then shifted by s is found with the inverse of
    ``p -> A p + 2 s``: at ``A^-1 (q - 2 s)``.
    """
    cos, sin = drawn.angle.cos(), drawn.angle.sin()
    turn = torch.stack([cos, -sin, sin, cos], 1).view(-1, 2, 2)
    one = torch.ones_like(cos)
    shear = torch.stack([one, drawn.shear_x, drawn.shear_y, one], 1).view(-1, 2, 2)
    size = torch.diag_embed(torch.stack([drawn.flip_x, drawn.flip_y], 1) * drawn.zoom.clamp(min=0.1)[:, None])
    inverse = torch.linalg.inv(turn @ shear @ size)
    shift = 2 * torch.stack([drawn.shift_x, drawn.shift_y], 1)
    return torch.cat([inverse, -inverse @ shift[:, :, None]], 2)


def recoloured(images: Tensor, drawn: Draws) -> Tensor:
    """Saturation, contrast, brightness, then inverted highlights and fewer levels, within 0 to 255.

    Shape: (b, h, w, 3) of any dtype -> the same, float32.
    """
    x = images.float()

    def each(values: Tensor) -> Tensor:
        return values.to(x.device)[:, None, None, None]

    grey = (x * torch.tensor(GREY, device=x.device)).sum(3, keepdim=True)
    x = torch.lerp(grey, x, each(drawn.saturation))
    x = torch.lerp(grey.mean((1, 2), keepdim=True), x, each(drawn.contrast))
    x = (x * each(drawn.brightness)).clamp(0, 255)
    x = torch.where(x >= each(drawn.solarize), 255 - x, x)
    levels = each(drawn.levels)
    if bool((levels < 256).any()):
        step = 256 / levels
        x = torch.where(levels < 256, (x / step).floor() * step, x)
    return x


def cut_out(images: Tensor, share: float) -> Tensor:
    """A square at a random place of each image becomes the mean colour of the batch (DeVries and Taylor 2017).

    Shape: (b, h, w, 3) of any dtype -> the same, float32. Squares may reach over the border.
    """
    x = images.float()
    b, h, w, _ = x.shape
    hidden = _inside(h, torch.rand(b), share)[:, :, None] & _inside(w, torch.rand(b), share)[:, None, :]
    return torch.where(hidden.to(x.device)[..., None], x.mean((0, 1, 2)), x)


def _inside(n: int, center: Tensor, share: float) -> Tensor:
    """(b, n) which of n pixels lie within half the share of the center, given as a share as well."""
    return ((torch.arange(n) + 0.5) / n - center[:, None]).abs() <= share / 2
