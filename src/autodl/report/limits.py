"""Limits on what a model may take, in words; for the report and the terminal."""

from __future__ import annotations

from autodl.records import Footprint, Limits
from autodl.report import format as fmt


def row_time(seconds: float) -> str:
    """``8.3 ms``, ``0.42 ms``, ``1.2 s``, ``1 µs``."""
    if seconds < 1e-5:
        return f"{1e6 * seconds:.3g} µs"
    return f"{fmt.milliseconds(1000 * seconds)} ms" if seconds < 1 else fmt.seconds(seconds)


def takes(need: Footprint) -> str:
    """``8.3 ms for one row, 120 kB on disk and 280 MB of memory``; what was not measured is left out."""
    parts = [
        f"{row_time(need.row_s)} for one row" if need.row_s is not None else "",
        f"{fmt.size(need.size_bytes)} on disk" if need.size_bytes is not None else "",
        f"{fmt.size(need.memory_bytes)} of memory" if need.memory_bytes is not None else "",
    ]
    return fmt.words([p for p in parts if p])


def allows(limits: Limits) -> str:
    """``20 ms for one row and 300 kB on disk``."""
    return takes(Footprint(row_s=limits.row_s, size_bytes=limits.size_bytes, memory_bytes=limits.memory_bytes))


def verdict(limits: Limits, need: Footprint | None) -> str:
    """Whether the delivered model keeps the limits, in one or two sentences; empty without limits."""
    if not limits.any:
        return ""
    if need is None:
        return f"It was not measured whether the model keeps the limits ({allows(limits)})."
    unmeasured = limits.open(need)
    broken = limits.broken(need)
    if broken:
        asked = allows(limits.model_copy(update={k: None for k in limits.model_dump() if k not in broken}))
        got = takes(need.model_copy(update={k: None for k in need.model_dump() if k not in broken}))
        text = f"The model does not keep the limits: it takes {got}, where {asked} {_were(broken)} asked for."
        text += " It is the nearest to them of the models that have learnt enough to be of use."
    elif unmeasured.any:
        text = (
            f"What could be measured keeps the limits: the model takes {takes(need)}; allowed were {allows(limits)}."
        )
    else:
        text = f"The model keeps the limits: it takes {takes(need)}; allowed were {allows(limits)}."
    return text + (f" Not measured: the limit of {allows(unmeasured)}." if unmeasured.any else "")


def _were(broken: dict[str, float]) -> str:
    return "was" if len(broken) == 1 else "were"
