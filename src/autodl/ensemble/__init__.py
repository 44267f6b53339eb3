"""Combining the best models."""

from autodl.ensemble.choice import combine, select
from autodl.ensemble.class_factors import choose_factors
from autodl.ensemble.constraints import Allowed
from autodl.ensemble.known_rows import KnownRows
from autodl.ensemble.threshold import choose_threshold

__all__ = ["Allowed", "KnownRows", "choose_factors", "choose_threshold", "combine", "select"]
