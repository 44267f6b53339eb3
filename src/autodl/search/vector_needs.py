"""What models of a recipe take for the vectors of new images and texts, which no trial makes a second time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from autodl.records import Footprint, Recipe

if TYPE_CHECKING:
    from autodl.search.job import TrialData


def vector_needs(recipe: Recipe, data: TrialData) -> dict[str, Footprint] | None:
    """What making them takes, by what makes them and the column; None where that was not measured.

    Args:
        recipe: Of a trial. data: With the vectors that were made before the search.
    """
    known = dict(data.vectors)
    found = {f"{key} of {column}": known[key].takes.get(column) if key in known else None
             for key, column in _wanted(recipe, data)}  # fmt: skip
    measured = {kind: takes for kind, takes in found.items() if takes is not None}
    return measured if len(measured) == len(found) else None


def _wanted(recipe: Recipe, data: TrialData) -> Iterator[tuple[str, str]]:
    """Keys of what makes vectors, and the columns of which it makes them."""
    from autodl.preprocess.vector_block import maker_of
    from autodl.preprocess.vector_makers import makers_of

    for maker, columns in makers_of(recipe, data.schema).items():
        for column in columns:
            yield maker_of(maker, data.frame, column).key, column
