"""What reads series window by window: a recurrent network or a transformer over the windows.

Convolutional networks are in ``convnet``. Notation: b series, c channels, t steps, n windows of s steps; a mask
(b, t) is True on the steps of a series, which come first; what stands behind them never matters.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from autodl.models.nn.conv_layers import masked, strided


def windows(x: Tensor, mask: Tensor | None, size: int, stride: int) -> tuple[Tensor, Tensor | None]:
    """The steps of each window side by side, zeros behind the end, and the windows that hold a step.

    Shape: (b, c, t), (b, t) bool or None -> (b, n, c s), (b, n) bool or None, with n = t / stride, rounded up.
    """
    n = -(-x.shape[2] // stride)
    x = functional.pad(masked(x, mask), (0, (n - 1) * stride + size - x.shape[2]))
    return x.unfold(2, size, stride).transpose(1, 2).flatten(2), strided(mask, stride)


class WindowNet(nn.Module):
    """A linear map of each window, where there is one, and a network over sequences.

    Args:
        size: s, at least ``stride``. stride: steps from window to window.
        inner: (b, n, d), (b, n) bool or None -> (b, f). width: f.
        embed: The numbers of a window, c s, and d; None: the network takes them as they are.

    Shape: (b, c, t), (b, t) bool or None -> (b, f).
    """

    def __init__(
        self, size: int, stride: int, inner: nn.Module, width: int, embed: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.size, self.stride, self.width = size, stride, width
        self.embed = nn.Identity() if embed is None else nn.Linear(*embed)
        self.inner = inner

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features."""
        seen, kept = windows(x, mask, self.size, self.stride)
        return self.inner(self.embed(seen), kept)  # type: ignore[no-any-return]
