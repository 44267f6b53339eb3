"""Rare answers: problems in which the most probable class is seldom the best answer."""

from __future__ import annotations

import numpy as np


def rare_positives(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) true probabilities, those of code 1 below 0.5, and codes, of which one in ten is 1."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 9, size=n).clip(0, 0.49)
    return np.column_stack([1 - p, p]), (rng.random(n) < p).astype(int)


def rare_classes(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) probabilities that know something of classes with 80, 15 and 5 % of the rows, and codes."""
    rng = np.random.default_rng(seed)
    shares = np.array([0.8, 0.15, 0.05])
    y = rng.choice(3, size=n, p=shares)
    logits = np.log(shares) + 1.2 * (np.eye(3)[y] + 0.8 * rng.normal(size=(n, 3)))
    p = np.exp(logits)
    return p / p.sum(axis=1, keepdims=True), y
