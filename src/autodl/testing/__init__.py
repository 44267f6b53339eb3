"""Batteries that extensions must pass; usable by third parties in their own tests."""

from autodl.testing.families import FAMILY_CHECKS, check_family
from autodl.testing.preparers import check_preparer
from autodl.testing.problems import Problem, easy_problem, mixed_frame

__all__ = ["FAMILY_CHECKS", "Problem", "check_family", "check_preparer", "easy_problem", "mixed_frame"]
