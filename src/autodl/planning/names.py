"""Names that the options refer to, checked before the data are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autodl.errors import ConfigError, did_you_mean
from autodl.evaluate.choose import check_metric, resolve_metric
from autodl.models.base import families
from autodl.options import FitOptions
from autodl.pretrained.finding import check_wish
from autodl.search.architecture import MODES
from autodl.search.runners.ray_address import split_address
from autodl.search.schedulers.base import schedulers
from autodl.search.space import SearchSpace
from autodl.search.strategies.base import strategies


def own_spaces(options: FitOptions) -> dict[str, SearchSpace]:
    """The search spaces of the user's file, by family; none without a file.

    Raises:
        ConfigError: Naming file, line and key of what is wrong.
    """
    from autodl.search.user_space import read_spaces

    return {} if options.space is None else read_spaces(options.space, options.named_families)


def own_spaces_are(options: FitOptions, then: Mapping[str, Mapping[str, Any] | None], *, same_version: bool) -> bool:
    """Whether the user's file of search spaces, which exists, still says what it said; see ``same_spaces``."""
    from autodl.search.user_space import same_spaces

    return options.space is None or same_spaces(options.space, options.named_families, then, same_version)


def check_names(options: FitOptions, *, resumed: bool = False) -> None:
    """Whether what is asked for by name exists and the user's search spaces are sound, before the data are read.

    Args:
        options: What is asked.
        resumed: The run has its spaces already; the file may be gone.

    Raises:
        ConfigError: Naming the unknown one and the nearest that is known.
    """
    for key in options.named_families:
        families[key]
    strategies[options.search]
    if options.scheduler is not None:
        schedulers[options.scheduler]
    if options.nas not in MODES and options.nas not in strategies:
        raise ConfigError(
            f"unknown architecture search '{options.nas}'", did_you_mean(options.nas, [*MODES, *strategies])
        )
    if options.address not in (None, "auto"):
        split_address(options.address)
    if not resumed:
        own_spaces(options)
        check_wish(options.pretrained)
    if options.metric is not None:
        check_metric(options.metric)
        if options.task is not None:
            resolve_metric(options.metric, options.task)
