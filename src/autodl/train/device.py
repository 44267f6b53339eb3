"""Where training runs, with how many threads, and how randomness is kept apart from the caller's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


def pick_device() -> torch.device:
    """CUDA if there is one, else the CPU (Apple's MPS is slower than the CPU on small tables)."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def torch_threads(threads: int) -> Iterator[Callable[[int], None]]:
    """Torch uses this many CPU threads inside, and as many as before afterwards; gives a way to change it inside."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads))
    try:
        yield torch.set_num_threads
    finally:
        torch.set_num_threads(before)


@contextmanager
def isolated_seed(seed: int, device: torch.device) -> Iterator[None]:
    """Seeds torch inside; the caller's random state is the same afterwards."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
