"""Whether more time would help, in words; for the report and the terminal."""

from __future__ import annotations

from autodl.duration import format_duration
from autodl.records import MoreTime
from autodl.report import format as fmt

NO, ENDED, YES = "More time would hardly help.", "More time would not help.", "More time may help."


def judged(more: MoreTime | None) -> tuple[str, str] | None:
    """A short sentence and its evidence; None where the run cannot tell."""
    if more is None or more.verdict == "unclear":
        return None
    places = fmt.decimals(-more.error, more.error)
    size = f"{fmt.fixed(more.gain, places)} ± {fmt.fixed(more.error, places)} in validation"
    span = f"in the last {fmt.plural(more.trials, 'try', 'tries')} / {format_duration(more.seconds)}"
    if more.verdict == "yes":
        return YES, f"It was still improving at the end: by {size} {span}."
    flat = f"The best score has not improved by more than noise ({size}) {span}"
    if more.ended:
        return ENDED, f"{flat}; the search ended before its time was up."
    return NO, f"{flat}."
