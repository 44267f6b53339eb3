"""Names that the options refer to, checked before the data are read."""

from __future__ import annotations

from autodl.errors import ConfigError, did_you_mean
from autodl.evaluate.choose import check_metric, resolve_metric
from autodl.models.base import families
from autodl.options import FitOptions
from autodl.search.architecture import MODES
from autodl.search.schedulers.base import schedulers
from autodl.search.strategies.base import strategies


def check_names(options: FitOptions) -> None:
    """Whether the families, the metric and the strategy asked for exist, as far as that shows without the data.

    Raises:
        ConfigError: Naming the unknown one and the nearest that is known.
    """
    for key in options.families:
        families[key.strip().lower()]
    strategies[options.search]
    if options.scheduler is not None:
        schedulers[options.scheduler]
    if options.nas not in MODES and options.nas not in strategies:
        raise ConfigError(
            f"unknown architecture search '{options.nas}'", did_you_mean(options.nas, [*MODES, *strategies])
        )
    if options.metric is not None:
        check_metric(options.metric)
        if options.task is not None:
            resolve_metric(options.metric, options.task)
