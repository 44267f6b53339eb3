"""From probabilities to answers. Notation: n rows, K classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

HALF = 0.5
"""The cut that gives the most probable class."""


def decide(proba: NDArray[Any], threshold: float = HALF, factors: tuple[float, ...] = ()) -> NDArray[Any]:
    """(n,) class codes: for two classes code 1 from ``threshold`` on, otherwise the most probable class.

    Args:
        proba: (n, K) probabilities.
        threshold: Cut on the probability of code 1; without meaning for more than two classes. At 0.5 an exact tie
            goes to the lower code, as it does for more classes.
        factors: K numbers that the probabilities of more than two classes are multiplied by before the largest wins;
            empty for none. For ordered classes K - 1 ascending cuts instead: the answer is the number of cuts that
            the expected code reaches.
    """
    if factors and proba.shape[1] == len(factors) + 1:
        import numpy as np

        levels: NDArray[Any] = np.searchsorted(factors, proba @ np.arange(proba.shape[1]), side="right")
        return levels
    if factors and proba.shape[1] == len(factors):
        favoured: NDArray[Any] = (proba * factors).argmax(axis=1)
        return favoured
    if threshold == HALF or proba.shape[1] != 2:
        codes: NDArray[Any] = proba.argmax(axis=1)
        return codes
    above: NDArray[Any] = (proba[:, 1] >= threshold).astype("int64")
    return above


def decided(proba: NDArray[Any], threshold: float = HALF, factors: tuple[float, ...] = ()) -> NDArray[Any]:
    """(n, K) the answers of ``decide`` as certain probabilities, for scores that take the most probable class."""
    import numpy as np

    certain: NDArray[Any] = np.eye(proba.shape[1])[decide(proba, threshold, factors)]
    return certain
