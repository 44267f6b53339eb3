"""Rows drawn from known populations, with two equally good models for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Draw = Callable[[np.random.Generator, int], tuple[Array, Array, Array]]


def binary(rng: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
    """Targets and two (n, 2) probabilities, about 36 % positive, AUC about 0.77."""
    z = rng.normal(size=n) * 1.5 - 0.8
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(np.int64)
    p, q = (1 / (1 + np.exp(-(z + 0.7 * rng.normal(size=n)))) for _ in range(2))
    return y, np.column_stack([1 - p, p]), np.column_stack([1 - q, q])


def three_classes(rng: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
    """Targets and two (n, 3) overconfident probabilities."""
    z = rng.normal(size=(n, 3)) * 1.2 + [0.8, 0.0, -0.7]
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    y = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    noisy = [np.exp(1.4 * z + 0.4 * rng.normal(size=z.shape)) for _ in range(2)]
    a, b = (q / q.sum(axis=1, keepdims=True) for q in noisy)
    return y, a, b


def numbers(error: str) -> Draw:
    """Targets and two predictions with half-shared errors of this kind: normal, laplace or t5."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
        def noise() -> Array:
            if error == "t5":
                return rng.standard_t(5, size=n)
            return rng.laplace(size=n) if error == "laplace" else rng.normal(size=n)

        y, shared = 3 * rng.normal(size=n) + 10, noise()
        return y, y + 0.7 * (shared + noise()), y + 0.7 * (shared + noise())

    return draw
