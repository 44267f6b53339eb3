"""Files to tables: reading, column kinds, canonical values, splits, writing.

The names below are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodl.data.kinds import infer_schema, learn_table
    from autodl.data.reading import Batches, read_rows, read_table
    from autodl.data.schema import apply_schema, labels
    from autodl.data.splits import make_folds, make_splits, split_test
    from autodl.data.unusable import count_misfits, merge_misfits, misfits
    from autodl.data.weights import mean_one, read_weights
    from autodl.data.writing import check_output, write_table

_HOMES = {
    "Batches": "reading",
    "apply_schema": "schema",
    "infer_schema": "kinds",
    "labels": "schema",
    "learn_table": "kinds",
    "make_folds": "splits",
    "make_splits": "splits",
    "check_output": "writing",
    "count_misfits": "unusable",
    "merge_misfits": "unusable",
    "mean_one": "weights",
    "read_weights": "weights",
    "misfits": "unusable",
    "read_rows": "reading",
    "read_table": "reading",
    "split_test": "splits",
    "write_table": "writing",
}

__all__ = [
    "Batches",
    "apply_schema",
    "infer_schema",
    "labels",
    "learn_table",
    "make_folds",
    "make_splits",
    "check_output",
    "count_misfits",
    "mean_one",
    "merge_misfits",
    "read_weights",
    "misfits",
    "read_rows",
    "read_table",
    "split_test",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
