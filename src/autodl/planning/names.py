"""Names that the options refer to, checked before the data are read."""

from __future__ import annotations

from autodl.evaluate.choose import check_metric, resolve_metric
from autodl.models.base import families
from autodl.options import FitOptions
from autodl.search.strategies.base import strategies


def check_names(options: FitOptions) -> None:
    """Whether the families, the metric and the strategy asked for exist, as far as that shows without the data.

    Raises:
        ConfigError: Naming the unknown one and the nearest that is known.
    """
    for key in options.families:
        families[key.strip().lower()]
    strategies[options.strategy]
    if options.metric is not None:
        check_metric(options.metric)
        if options.task is not None:
            resolve_metric(options.metric, options.task)
