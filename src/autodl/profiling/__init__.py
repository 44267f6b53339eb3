"""Facts about a table and its target, and coded findings (AD001 ...)."""

from autodl.profiling.encoding import encode_target
from autodl.profiling.table import profile_table
from autodl.profiling.target import choose_target
from autodl.profiling.task import choose_task

__all__ = ["choose_target", "choose_task", "encode_target", "profile_table"]
