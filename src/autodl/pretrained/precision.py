"""In how many bits encoders calculate."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def precision(half: bool) -> Iterator[None]:
    """Networks calculate in 16 bits inside (bfloat16), where asked; on other machines the same numbers, but slower.

    EfficientNet-Lite0 then takes a third of the time where the processor is made for it, and its answers differ by
    some percent from those in 32 bits: a model must be given the ones that it was trained on.
    """
    if not half:
        yield
        return
    import torch

    with torch.autocast("cpu", torch.bfloat16):
        yield
