"""Copies of weights: the best so far, a moving average, and a form that survives pickling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class BestWeights:
    """Keeps the weights of the lowest validation error."""

    def __init__(self, module: nn.Module) -> None:
        self.error = math.inf
        self.epoch = 0
        self._state = _copy(module)

    @property
    def found(self) -> bool:
        """Whether any finite error has been seen."""
        return self.epoch > 0

    def offer(self, module: nn.Module, error: float, epoch: int) -> bool:
        """Keep these weights if ``error`` is lower than all before; says whether it was."""
        if not error < self.error:
            return False
        self.error, self.epoch, self._state = error, epoch, _copy(module)
        return True

    def restore(self, module: nn.Module) -> None:
        """Write the kept weights (at first the initial ones) back."""
        module.load_state_dict(self._state)


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def moving_average(module: nn.Module, decay: float) -> AveragedModel:
    """An exponential moving average of the weights; call ``update_parameters`` after each step.

    The decay rises to its value, so that the first weights do not weigh on it for long: ``(1 + t) / (10 + t)`` after
    t steps, where that is less. Buffers are copied: numbers may be whole there, and edges infinite.
    """

    def follow(averages: Any, weights: Any, steps: Any) -> None:
        t = int(steps)
        get_ema_multi_avg_fn(min(decay, (1 + t) / (10 + t)))(averages, weights, steps)  # type: ignore[no-untyped-call]

    return AveragedModel(module, multi_avg_fn=follow, use_buffers=False)


def to_arrays(module: nn.Module) -> dict[str, NDArray[Any]]:
    """The state dict as numpy arrays."""
    return {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()}


def from_arrays(module: nn.Module, arrays: dict[str, NDArray[Any]]) -> None:
    """Write arrays of ``to_arrays`` into a module of the same architecture."""
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
