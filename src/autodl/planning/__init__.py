"""A profile becomes a plan of decisions with reasons."""

from autodl.planning.planner import make_plan

__all__ = ["make_plan"]
