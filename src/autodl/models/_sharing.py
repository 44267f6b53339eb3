"""What one network with shared weights can do: be trained once, then predict as any of the networks in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from autodl.clock import NEVER, Deadline
from autodl.records import JsonScalar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.features import Features


class SharedScorer(Protocol):
    """Predictions for some rows."""

    def predict(self, values: Mapping[str, JsonScalar]) -> NDArray[Any]:
        """(n, K) probabilities or (n,) values of the network with these values of the choices."""


class SharedNetwork(Protocol):
    """Many networks that share weights."""

    def train(
        self, X: Features, y: NDArray[Any], deadline: Deadline = NEVER, weight: NDArray[Any] | None = None
    ) -> None:
        """Train all of them together until the deadline at the latest."""

    def scorer(self, X: Features) -> SharedScorer:
        """Predictions for these rows, or the first of them if there are many."""
