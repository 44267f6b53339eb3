"""Reads NNI's search-space JSON (``_type``, ``_value``) as a space of ours.

The format: https://nni.readthedocs.io/en/stable/hpo/search_space.html. A choice whose values are mappings with a
``_name`` is a nested one: its parameters exist while that value is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autodl.errors import ConfigError

_KNOWN = (
    "choice",
    "randint",
    "uniform",
    "quniform",
    "loguniform",
    "qloguniform",
    "normal",
    "qnormal",
    "lognormal",
    "qlognormal",
)
SIGMAS = 3.0
"""A normal distribution becomes a range of so many standard deviations to either side."""
MOST_LISTED = 256
"""Rounded numbers that no step describes become a list of their values up to this many, and stay unrounded beyond."""


def is_nni(source: Mapping[str, Any]) -> bool:
    """Whether a mapping is in NNI's format."""
    return any(isinstance(v, Mapping) and "_type" in v for v in source.values())


def from_nni(source: Mapping[str, Any], where: str = "search space") -> dict[str, Any]:
    """The same space in our form.

    Raises:
        ConfigError: Naming the key and what is wrong with it.
    """
    params: dict[str, Any] = {}
    _read(source, where, "", {}, params)
    return {"params": params}


def _read(
    source: Mapping[str, Any], where: str, prefix: str, when: Mapping[str, list[Any]], out: dict[str, Any]
) -> None:
    for key, body in source.items():
        if key == "_name":
            continue
        name = f"{prefix}{key}"
        place = f"{where}: {name}"
        if not isinstance(body, Mapping) or "_type" not in body or "_value" not in body:
            raise ConfigError(f"{place}: NNI's format needs `_type` and `_value`")
        values = body["_value"]
        if not isinstance(values, list | tuple) or not values:
            raise ConfigError(f"{place}: `_value` must be a list with at least one entry, but got {values!r}")
        param = _param(place, str(body["_type"]), list(values))
        out[name] = {**param, "when": dict(when)} if when else param
        for value in values if body["_type"] == "choice" else ():
            if isinstance(value, Mapping):
                label = str(value["_name"])
                _read(value, where, f"{name}.{label}.", {**when, name: [label]}, out)


def _param(place: str, kind: str, values: list[Any]) -> dict[str, Any]:
    if kind == "choice":
        if any(isinstance(v, Mapping) and "_name" not in v for v in values):
            raise ConfigError(f"{place}: a nested choice needs `_name`")
        return {"type": "choice", "values": [str(v["_name"]) if isinstance(v, Mapping) else v for v in values]}
    wanted = 3 if kind.startswith("q") else 2
    if kind not in _KNOWN:
        raise ConfigError(f"{place}: unknown `_type` '{kind}'", f"Known: {', '.join(_KNOWN)}.")
    if len(values) != wanted or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise ConfigError(f"{place}: `_value` of {kind} must be {wanted} numbers, but got {values!r}")
    low, high = float(values[0]), float(values[1])
    if "normal" in kind:
        low, high = low - SIGMAS * high, low + SIGMAS * high
        if "log" in kind:
            low, high = math.exp(low), math.exp(high)
    if kind == "randint":
        if high <= low:
            raise ConfigError(f"{place}: randint needs lower < upper, but got {values!r}")
        return {"type": "int", "low": low, "high": high - 1}
    if kind.startswith("q"):
        return _rounded(place, low, high, float(values[2]), "log" in kind)
    return {"type": "float", "low": low, "high": high, "log": "log" in kind}


def _rounded(place: str, low: float, high: float, q: float, log: bool) -> dict[str, Any]:
    """Multiples of ``q``, and the ends of the range where those are none, as NNI rounds first and clips then."""
    if not q > 0:
        raise ConfigError(f"{place}: the last number of `_value`, the step, must be above 0, but got {q:g}")
    if not low <= high or (log and low <= 0):  # the space says what is wrong
        return {"type": "float", "low": low, "high": high, "log": log}
    ends = (low / q, high / q)
    on_grid = all(math.isclose(end, round(end), rel_tol=1e-9) for end in ends)
    first, last = math.floor(ends[0] + 0.5), math.ceil(ends[1] - 0.5)  # what is rounded to from within
    if log and q == 1 and on_grid:
        return {"type": "int", "low": low, "high": high, "log": True}
    if not log and on_grid:
        return {"type": "float", "low": low, "high": high, "step": q}
    if last - first >= MOST_LISTED:
        return {"type": "float", "low": low, "high": high, "log": log}
    values = sorted({min(max(k * q, low), high) for k in range(first, last + 1)})
    return {"type": "choice", "values": values}
