"""What models of a recipe take for the vectors of new images and texts, which no trial makes a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autodl.records import Footprint, Recipe

if TYPE_CHECKING:
    from autodl.search.job import TrialData


def vector_needs(recipe: Recipe, data: TrialData) -> dict[str, Footprint]:
    """What making them takes, by what makes them and the column; empty where it was not measured.

    Args:
        recipe: Of a trial. data: With the vectors that were made before the search.
    """
    from autodl.preprocess.vector_block import maker_of
    from autodl.preprocess.vector_makers import makers_of

    known, found = dict(data.vectors), dict[str, Footprint]()
    for maker, columns in makers_of(recipe, data.schema).items() if known else ():
        for column in columns:
            key = maker_of(maker, data.frame, column).key
            if key in known and known[key].takes.row_s is not None:
                found[f"{key} of {column}"] = known[key].takes
    return found
