"""How long networks over series train; free of torch."""

from __future__ import annotations

from autodl.models.base import CostEstimate, Shape
from autodl.models.nn.conv_cost import NetworkCost
from autodl.models.nn.cost import training_cost
from autodl.models.nn.series_config import SeriesReading
from autodl.models.nn.series_inputs import SeriesInput, seen_steps

USUAL_STEPS = 150
"""Of series of which nothing is known."""


def longest_series(shape: Shape, config: SeriesReading) -> SeriesInput:
    """The longest and widest series of a table, as a network with this configuration sees it."""
    steps, factor = seen_steps(shape.series_steps or USUAL_STEPS, config.steps)
    return SeriesInput("", max(1, shape.series_channels), steps, factor)


def series_training_cost(shape: Shape, config: SeriesReading, body: NetworkCost, overhead: float) -> CostEstimate:
    """Cost of one fit, for bodies that are mostly products of matrices.

    Args:
        shape: The problem. config: How series are read.
        body: Of one series through what reads it. overhead: seconds of one step besides its arithmetic.
    """
    columns = max(1, shape.series)
    return training_cost(
        shape,
        config,
        flops_per_row=2.0 * columns * body.multiplications,
        parameters=columns * body.parameters,
        floats_per_row=columns * body.activations,
        overhead=overhead,
    )
