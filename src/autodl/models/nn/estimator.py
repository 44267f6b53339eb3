"""What all tabular networks share: the columns of a table as tensors."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from autodl.models.base import Meta
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.network import Network
from autodl.train.config import TrainConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from autodl.features import Features


class TabularNetwork(Network[InputPlan]):
    """A network that reads columns; subclasses say how the module is made.

    Args:
        config: Training and architecture. meta: Task, classes, seed, threads.
    """

    def __init__(self, config: TrainConfig, meta: Meta) -> None:
        super().__init__(config, meta)
        self._sample: NDArray[np.float32] | None = None

    @abstractmethod
    def make_module(self, plan: InputPlan, sample: Tensor, n_outputs: int) -> nn.Module:
        """An untrained module that takes ``InputPlan.tensors``.

        Args:
            plan: Columns. sample: (s, p) training values of the smooth columns, for bins. n_outputs: c.
        """

    def learn(self, X: Features) -> None:
        """See ``Network``."""
        self.plan = InputPlan.learn(X)

    def new_module(self, inputs: tuple[Tensor, ...], n_outputs: int) -> nn.Module:
        """See ``Network``."""
        self._sample = inputs[1].numpy()
        return self.make_module(self._known(), inputs[1], n_outputs)

    def stored_module(self, n_outputs: int) -> nn.Module:
        """See ``Network``."""
        import torch

        assert self._sample is not None
        return self.make_module(self._known(), torch.from_numpy(self._sample.copy()), n_outputs)

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        # Bins are in the state dict, so that the sample only has to give the number of columns.
        if self._sample is not None:
            state["_sample"] = self._sample[:2]
        return state
