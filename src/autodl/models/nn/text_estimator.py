"""A network over texts as an estimator: tokens in, augmentation, any body."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.media_network import MediaNetwork
from autodl.models.nn.text_config import TextReading
from autodl.models.nn.text_inputs import TextPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from autodl.features import Features
    from autodl.models.nn.text_net import TextNet
    from autodl.train.data import TensorData


class TextNetwork(MediaNetwork[TextPlan]):
    """A network over the texts of a table, with its other columns beside them; subclasses say what reads the texts.

    Args:
        config: Architecture, augmentation and training. meta: Task, classes, seed, threads.
    """

    config: TextReading
    sample_rows: ClassVar[int] = 64

    @abstractmethod
    def make_body(self, length: int) -> tuple[nn.Module, int]:
        """What turns (b, t, d) vectors and a mask into (b, f) features, and f.

        Args:
            length: Tokens of a text at most.
        """

    @abstractmethod
    def body_cost(self, tokens: int) -> NetworkCost:
        """Of one text of so many tokens through the body."""

    def learn(self, X: Features) -> None:
        """See ``Network``."""
        self.plan = TextPlan.learn(X, self.config.tokens)

    def stored_module(self, n_outputs: int) -> TextNet:
        """See ``Network``."""
        from autodl.models.nn.text_net import TextNet

        plan, config = self._known(), self.config
        body, width = self.make_body(plan.length)
        return TextNet(
            plan.vocabulary,
            config.embed,
            config.embed_dropout,
            body,
            width,
            len(plan.columns),
            plan.beside,
            n_outputs,
        )

    def multiplications(self, module: nn.Module) -> float:
        """Those of the body, for each column of texts."""
        plan = self._known()
        return float(self.body_cost(max(1, round(plan.usual))).multiplications * len(plan.columns))

    def augmenter(self) -> Callable[[TensorData], TensorData]:
        """See ``Network``."""
        from autodl.models.nn.text_changes import TextAugmenter

        return TextAugmenter(self.config, len(self._known().columns))
