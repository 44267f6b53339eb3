"""How long pretrained networks and histograms of gradients take for a new image or text: the search meets none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.records import Footprint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.preprocess.vector_makers import VectorMaker
    from autodl.preprocess.vector_making import Objects

SEEN = 16
"""Objects that are looked at, from all over the table."""
MEASURED_S = 0.2
"""Seconds after which single ones have been measured often enough."""


def making_takes(maker: VectorMaker, digests: NDArray[np.uint64], objects: Objects) -> Footprint:
    """Seconds for one object alone and milliseconds for a thousand of several at once, on one thread.

    Args:
        maker: Makes the vectors.
        digests: (n,) of the objects; 0 where there is none.
        objects: Those at given positions.

    Returns:
        Nothing known if there is no object.
    """
    import pandas as pd

    from autodl.evaluate.latency import call_seconds, one_thread, row_seconds

    there = np.flatnonzero(digests)
    some = there[np.linspace(0, len(there) - 1, min(SEEN, len(there))).astype(np.intp)]
    if not len(some):
        return Footprint()

    def made(rows: pd.DataFrame) -> Any:
        return maker(objects(rows["place"].to_numpy()))

    places = pd.DataFrame({"place": some})
    row_s = row_seconds(made, places, most_s=MEASURED_S)
    with one_thread():
        together = call_seconds(made, places)
    return Footprint(row_s=row_s, ms_per_1000=1e6 * together / len(some))
