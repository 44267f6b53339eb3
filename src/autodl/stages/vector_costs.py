"""How long pretrained networks and histograms of gradients take for a new image or text: the search meets none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.records import Footprint

if TYPE_CHECKING:
    import pandas as pd

    from autodl.preprocess.vector_makers import VectorMaker

SEEN, FEW = 16, 4
"""Objects that are looked at, from all over the column; of those that take long so many together."""
MEASURED_S = 0.2
"""Seconds after which single ones have been measured often enough, and that a batch takes about."""


def column_takes(maker: VectorMaker, frame: pd.DataFrame, column: str) -> Footprint:
    """Seconds for one object of a column alone, milliseconds for a thousand of several at once, on one thread.

    Args:
        maker: Makes the vectors.
        frame: (n,) rows.
        column: Of images or texts.

    Returns:
        Nothing known if there is no object.
    """
    import pandas as pd

    from autodl.evaluate.latency import SLOW_S, call_seconds, one_thread, row_seconds
    from autodl.preprocess.vector_block import digests_of, objects_of

    there, objects = np.flatnonzero(digests_of(frame, column)), objects_of(frame, column)
    some = np.random.default_rng(0).permutation(there)[:SEEN]
    if not len(some):
        return Footprint()

    def made(rows: pd.DataFrame) -> Any:
        return maker(objects(rows["place"].to_numpy()))

    places = pd.DataFrame({"place": some})
    row_s = row_seconds(made, places, most_s=MEASURED_S)
    if row_s > SLOW_S:  # alone or together is little difference then
        return Footprint(row_s=row_s, ms_per_1000=1e6 * row_s)
    together = places[: max(FEW, int(MEASURED_S / max(row_s, 1e-9)))]
    with one_thread():
        seconds = call_seconds(made, together)
    return Footprint(row_s=row_s, ms_per_1000=1e6 * seconds / len(together))
