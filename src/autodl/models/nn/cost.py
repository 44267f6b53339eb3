"""How long networks train: a step's fixed overhead plus its arithmetic, measured on the reference machine."""

from __future__ import annotations

import math

from autodl.models.base import CostEstimate, Shape
from autodl.train.config import TrainConfig
from autodl.train.schedules import patience_ends

GIGAFLOPS = 30.0
"""Of one thread of the reference machine in small matrix products."""
THREAD_GAIN = 0.6
"""What a further thread adds, relative to the first."""
STEP_OVERHEAD = 1.8e-3
"""Seconds of one update besides its arithmetic."""
THREADED_WORK = 1e7
"""Multiplications of a forward pass of one batch below which waking other threads costs more than they give."""
LIBRARY_BYTES = 3e8
"""What torch takes when it is loaded, and its work space."""


def useful_threads(threads: int, multiplications: float) -> int:
    """Threads worth using for a batch of this many multiplications: a small network is quicker on one.

    Where other programs keep the cores busy, it is many times quicker: threads wait for each other at every step.
    """
    return threads if multiplications >= THREADED_WORK else 1


def speedup(threads: int) -> float:
    """How many times quicker so many threads are than one."""
    return 1 + THREAD_GAIN * (threads - 1)


def used_share(rows: int) -> float:
    """Share of the epochs that is run on average where patience stops some: half on hundreds of rows.

    Small tables are overfitted early; measured on four tables cut to 400 to 4,000 rows, with ``cosine``.
    """
    return min(0.8, max(0.5, 0.25 * math.log10(max(rows, 1)) - 0.1))


def training_cost(
    shape: Shape,
    config: TrainConfig,
    *,
    flops_per_row: float,
    parameters: float,
    floats_per_row: float,
    overhead: float = STEP_OVERHEAD,
) -> CostEstimate:
    """Cost of one fit.

    Args:
        shape: The problem. config: Training choices.
        flops_per_row: Multiply-adds times two of one forward pass of one row.
        parameters: Number of weights. floats_per_row: activations that one row leaves for the backward pass.
        overhead: Seconds of one step besides its arithmetic.
    """
    rows = max(1, shape.rows)
    batch = min(rows, config.n_batch(rows))
    epochs = config.n_epochs(rows)
    steps = epochs * math.ceil(rows / batch)
    threads = useful_threads(shape.threads, 0.5 * flops_per_row * batch)
    rate = GIGAFLOPS * 1e9 * speedup(threads)
    # Backward costs twice the forward pass; the optimizer touches each weight about 15 times.
    step = overhead + (3 * flops_per_row * batch + 15 * parameters) / rate
    used = 1.0
    if patience := config.patience / epochs or config.patience_share:
        best = max(0.0, used_share(rows) - patience)
        used = min(1.0, patience_ends(config.schedule, best, patience, 1.0))
    seconds = used * steps * step / max(shape.speed, 1e-3)
    memory = 4 * (5 * parameters + floats_per_row * batch + 4 * rows * (shape.columns + 1))
    return CostEstimate(seconds=seconds, bytes=memory + LIBRARY_BYTES)


def measured_cost(
    shape: Shape,
    config: TrainConfig,
    *,
    row_s: float,
    parameters: float,
    floats_per_row: float,
    step_s: float = STEP_OVERHEAD,
) -> CostEstimate:
    """Cost of one fit of a network whose time a row was measured, and which trains to the end.

    Args:
        shape: The problem. config: Training choices.
        row_s: Seconds that one row takes in one epoch on one core of the reference machine.
        parameters: Number of weights. floats_per_row: what one row leaves for the backward pass.
        step_s: Seconds of one step besides its rows.
    """
    rows = max(1, shape.rows)
    batch = min(rows, config.n_batch(rows))
    seconds = config.n_epochs(rows) * rows * (row_s / speedup(shape.threads) + step_s / batch)
    floats = 5.0 * parameters + floats_per_row * batch
    return CostEstimate(seconds=seconds / max(shape.speed, 1e-3), bytes=4 * floats + LIBRARY_BYTES)


def embedded_floats(columns: int, embedding: str, size: int, frequencies: int, bins: int) -> int:
    """Numbers that an embedding makes of the columns of a row at its widest.

    >>> embedded_floats(10, "piecewise", 8, 16, 48), embedded_floats(10, "plr", 8, 16, 48)
    (480, 320)
    >>> embedded_floats(10, "none", 8, 16, 48)
    10
    """
    terms = {"none": 1, "linear_relu": size, "plr": 2 * frequencies, "pbld": frequencies, "piecewise": bins}[
        embedding
    ]
    return columns * (1 if embedding == "none" else max(terms, size))


def embedded_inputs(shape: Shape, numeric_size: int, category_size: int, text_components: int = 44) -> int:
    """Inputs of the first layer: embedded numbers, categories and text components."""
    return max(1, (shape.numeric + text_components * shape.text) * numeric_size + shape.categorical * category_size)
