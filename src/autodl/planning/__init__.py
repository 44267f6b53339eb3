"""A profile becomes a plan of decisions with reasons."""

from autodl.planning.names import check_names, own_spaces, own_spaces_are
from autodl.planning.planner import make_plan

__all__ = ["check_names", "make_plan", "own_spaces", "own_spaces_are"]
