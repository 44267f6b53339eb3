"""Batteries that extensions must pass; usable by third parties in their own tests."""

from autodl.testing.families import FAMILY_CHECKS, check_family
from autodl.testing.preparers import check_preparer
from autodl.testing.problems import Problem, easy_problem, mixed_frame
from autodl.testing.strategies import STRATEGY_CHECKS, check_strategy

__all__ = [
    "FAMILY_CHECKS",
    "STRATEGY_CHECKS",
    "Problem",
    "check_family",
    "check_preparer",
    "check_strategy",
    "easy_problem",
    "mixed_frame",
]
