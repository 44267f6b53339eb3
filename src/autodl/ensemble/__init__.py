"""Combining the best models."""

from autodl.ensemble.constraints import Allowed
from autodl.ensemble.greedy import combine, select
from autodl.ensemble.threshold import choose_threshold

__all__ = ["Allowed", "choose_threshold", "combine", "select"]
