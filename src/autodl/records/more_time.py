"""Whether more time would help, by what the later part of a search has brought."""

from __future__ import annotations

from typing import Literal

from autodl.records.base import Record


class MoreTime(Record):
    """What came of the later part of a search. Losses are lower-is-better forms of the plan's metric."""

    verdict: Literal["no", "yes", "unclear"]
    """``no``: nothing beyond noise was gained; ``yes``: it was still improving; ``unclear``: neither can be said."""
    gain: float
    """How far the validation loss of the best fell in that part; below 0 where it rose."""
    error: float
    """Standard error of the gain, by the differences on the same rows."""
    trials: int
    """Configurations tried in that part."""
    seconds: float
    """How long it took."""
    ended: bool = False
    """Whether the search was ended for it, before its time was up."""
