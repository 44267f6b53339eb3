"""The stages as functions from records and rows to a record; ``pipeline`` calls them in order."""

from autodl.stages.concluding import deliver_bag, deliver_refit, ensemble, evaluate
from autodl.stages.encoding import encode
from autodl.stages.explaining import explain
from autodl.stages.measuring import measure
from autodl.stages.mirroring import mirroring
from autodl.stages.preparing import plan, plan_again, problem, profile, read, read_test, rows
from autodl.stages.problem import Problem
from autodl.stages.searching import search
from autodl.stages.showing import show

__all__ = [
    "Problem", "deliver_bag", "deliver_refit", "encode", "ensemble", "evaluate", "explain", "measure", "mirroring",
    "plan", "plan_again", "problem", "profile", "read", "read_test", "rows", "search", "show",
]  # fmt: skip
