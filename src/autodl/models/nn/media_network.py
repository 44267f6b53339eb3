"""What networks over images, texts and series share: objects are fetched batch by batch, columns stand beside."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, TypeVar

from autodl.models.nn.media_plan import MediaPlan
from autodl.models.nn.network import Network

if TYPE_CHECKING:
    from torch import Tensor

    from autodl.features import Features
    from autodl.models.nn.media_net import MediaNet
    from autodl.train.data import Fetch

M = TypeVar("M", bound=MediaPlan)


class MediaNetwork(Network[M]):
    """A network over objects of a table, with its other columns beside them; subclasses say what reads the objects.

    Args:
        config: Architecture, augmentation and training. meta: Task, classes, seed, threads.
    """

    predict_batch: ClassVar[int] = 256
    sample_rows: ClassVar[int] = 256

    def fetcher(self, X: Features) -> Fetch:
        """See ``Network``."""
        return self._known().fetcher(X)

    def new_module(self, inputs: tuple[Tensor, ...], n_outputs: int) -> MediaNet:
        """See ``Network``."""
        module = self.stored_module(n_outputs)
        module.fit_to(inputs)
        return module

    @abstractmethod
    def stored_module(self, n_outputs: int) -> MediaNet:
        """See ``Network``."""
