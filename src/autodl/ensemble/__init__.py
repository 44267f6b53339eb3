"""Combining the best models."""

from autodl.ensemble.greedy import combine, select
from autodl.ensemble.threshold import choose_threshold

__all__ = ["choose_threshold", "combine", "select"]
