"""Convolutional networks over series, trained from scratch, with searched architectures and augmentation."""

from __future__ import annotations

from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.models.nn.conv_cost import convnet_cost, training_seconds_per_row
from autodl.models.nn.cost import LIBRARY_BYTES, STEP_OVERHEAD, THREAD_GAIN
from autodl.models.nn.series_config import SeriesNetConfig
from autodl.models.nn.series_estimator import SeriesNetwork
from autodl.models.nn.series_inputs import seen_steps
from autodl.records import Modality, Recipe

USUAL_STEPS = 150
"""Of series of which nothing is known."""
BLOCK_STEP_S = 0.004
"""Seconds that a block adds to each step whatever the batch: some fifteen layers, forward and back."""


class InceptionTimeConfig(SeriesNetConfig):
    """See ``SeriesNetConfig``."""


class InceptionTimeEstimator(SeriesNetwork):
    """A trained convolutional network."""

    config: InceptionTimeConfig


class InceptionTime(Family):
    """Family of convolutional networks over series."""

    key = "inception_time"
    other_names = ("inceptiontime", "series_cnn", "fcn", "timeseries", "tsc")
    name = "Neural network (series)"
    summary = "A network that finds shapes of many lengths in series, wherever in time they occur."
    paper = (
        'Ismail Fawaz et al. 2020, "InceptionTime"; Wang et al. 2017, "Time Series Classification from Scratch with '
        'Deep Neural Networks"'
    )
    modalities = frozenset({Modality.SERIES})
    recipe = Recipe(
        impute="median", indicator=True, scale="robust", categories="codes", text="svd", series="none", media="pass"
    )
    config = InceptionTimeConfig
    complexity = 8
    order = 4
    deep = True
    quantiles = True

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """See ``Family.estimate_cost``."""
        assert isinstance(config, InceptionTimeConfig)
        rows, columns, channels = max(1, shape.rows), max(1, shape.series), max(1, shape.series_channels)
        steps, _ = seen_steps(shape.series_steps or USUAL_STEPS, config.steps)
        fitted = config.for_steps(steps)
        cost = convnet_cost(fitted, channels, max(1, shape.classes), (steps,))
        row_s = columns * training_seconds_per_row(fitted, channels, (steps,))
        row_s /= 1 + THREAD_GAIN * (shape.threads - 1)
        layers = sum(len(stage) for stage in config.specs()) * columns
        batch = min(rows, config.n_batch(rows))
        step_s = STEP_OVERHEAD + layers * BLOCK_STEP_S
        seconds = config.n_epochs(rows) * rows * (row_s + step_s / batch) / max(shape.speed, 1e-3)
        floats = columns * (5.0 * cost.parameters + 3.0 * cost.activations * batch)
        return CostEstimate(seconds=seconds, bytes=4 * floats + LIBRARY_BYTES)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """See ``Family.build``."""
        assert isinstance(config, InceptionTimeConfig)
        return InceptionTimeEstimator(config, meta)
