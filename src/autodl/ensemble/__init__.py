"""Combining the best models."""

from autodl.ensemble.greedy import combine, select

__all__ = ["combine", "select"]
