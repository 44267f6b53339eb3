"""Objectives and spaces that ``optimize`` is tested on."""

from __future__ import annotations

import math

import numpy as np

from autodl.search import optimize

SPACE = {
    "x": {"type": "float", "low": -5, "high": 10},
    "y": {"type": "float", "low": 0, "high": 15},
}
SMALL = {"a": {"type": "choice", "values": ["u", "v"]}, "b": {"type": "int", "low": 1, "high": 3}}


def branin(config, fidelity=None):
    """Global minimum 0.397887 (Surjanovic and Bingham, Virtual Library of Simulation Experiments)."""
    x, y = config["x"], config["y"]
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def curve(config, epochs):
    """A loss that falls with the epochs to a level and at a pace that depend on the configuration."""
    return branin(config) / 100 + 2.0 / epochs


def median_best(strategy, n=30, seeds=5, objective=branin, **more):
    return float(
        np.median(
            [
                optimize(objective, SPACE, strategy=strategy, max_evals=n, seed=s, **more).best_loss
                for s in range(seeds)
            ]
        )
    )
