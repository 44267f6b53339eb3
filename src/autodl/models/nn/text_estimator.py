"""A network over texts as an estimator: tokens in, augmentation, any body."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from autodl.media.tokens import token_lengths
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.media_network import MediaNetwork
from autodl.models.nn.text_config import TextChanges, TextReading
from autodl.models.nn.text_inputs import TextPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import nn

    from autodl.features import Features
    from autodl.models.nn.text_net import TextNet
    from autodl.train.data import TensorData


class TextReader(MediaNetwork[TextPlan]):
    """A network over the texts of a table, with its other columns beside them; subclasses say what reads the texts.

    Args:
        config: Architecture, augmentation and training. meta: Task, classes, seed, threads.
    """

    config: TextChanges
    sample_rows: ClassVar[int] = 64
    marks: tuple[int, ...] = ()
    """Tokens that no change of training texts touches; of models that know nothing of them, none."""

    @abstractmethod
    def body_cost(self, tokens: int) -> NetworkCost:
        """Of one text of so many tokens through the body."""

    def learn(self, X: Features) -> None:
        """See ``Network``."""
        self.plan = TextPlan.learn(X, self.config.tokens)

    def row_sizes(self, X: Features) -> NDArray[np.int64]:
        """See ``Network``: a batch takes as long as its longest text."""
        plan = self._known()
        read = [np.minimum(token_lengths(X.media[c]), plan.length) for c in plan.columns]
        longest: NDArray[np.int64] = np.max(read, axis=0)
        return longest

    def multiplications(self, module: nn.Module) -> float:
        """Those of the body, for each column of texts."""
        plan = self._known()
        return float(self.body_cost(max(1, round(plan.usual))).multiplications * len(plan.columns))

    def augmenter(self) -> Callable[[TensorData], TensorData]:
        """See ``Network``."""
        from autodl.models.nn.text_changes import TextAugmenter

        return TextAugmenter(self.config, len(self._known().columns), self.marks)


class TextNetwork(TextReader):
    """One that is trained from scratch, on vectors of tokens of its own."""

    config: TextReading

    @abstractmethod
    def make_body(self, length: int) -> tuple[nn.Module, int]:
        """What turns (b, t, d) vectors and a mask into (b, f) features, and f.

        Args:
            length: Tokens of a text at most.
        """

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
