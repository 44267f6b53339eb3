"""From what people write to flat parameters: templates are written out, nested choices become conditions.

A template stands for numbered parameters; ``{i}`` in its body is the number (``{j}``, ``{k}``: of a second and third
range; ``{i-1}`` is one less)::

    width_{1..4}: {type: int, low: 8, high: 64, when: {stages: ">= {i}"}}

A choice may give each value parameters of its own, which exist while it is chosen::

    op: {type: choice, values: {conv: {kernel: {type: choice, values: [3, 5]}}, pool: {}}}
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodl.errors import did_you_mean
from autodl.records import JsonScalar
from autodl.search.conditions import same
from autodl.search.param import Param

Path = tuple[str | int | float | bool | None, ...]
"""Keys from the top of the source to a place in it."""

MOST = 1000
"""Parameters that one space may have."""
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_SPOT = re.compile(r"\{([ijk])([+-]\d+)?\}")
_LETTERS = "ijk"


Config = dict[str, JsonScalar]


class SpaceError(ValueError):
    """What is wrong at a place of a source."""

    def __init__(self, path: Path, message: str, remedy: str = "") -> None:
        self.path, self.message, self.remedy = path, message, remedy
        super().__init__(f"{self.place}{message}")

    @property
    def place(self) -> str:
        """The path as text, in front of the message."""
        return "".join(f".{part}" for part in self.path).removeprefix(".") + ": " if self.path else ""


@dataclass
class Flat:
    """Flat parameters, and where each stands in the source."""

    params: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, Path] = field(default_factory=dict)


def flatten(source: Mapping[Any, Any], at: Path) -> Flat:
    """Write out the parameters of a source.

    Args:
        source: Names and what is said about them. at: where the source stands.

    Raises:
        SpaceError: For what cannot be read.
    """
    out = Flat()
    _read(source, at, {}, out)
    return out


def expand_config(source: Any, at: Path) -> Config:
    """An entry of the portfolio, whose names may be templates, written out.

    Raises:
        SpaceError: If it is no mapping of names to single values.
    """
    if not isinstance(source, Mapping):
        raise SpaceError(at, f"a configuration is a mapping such as {{lr: 0.01}}, but got {source!r}")
    out: Config = {}
    for key, value in source.items():
        if value is not None and not isinstance(value, bool | int | float | str):
            raise SpaceError((*at, key), f"must be one value, but got {value!r}")
        for name, numbers in _names(str(key), (*at, key)):
            out[name] = _filled(value, numbers, (*at, key))
    return out


def expand_list(source: Sequence[Any], at: Path) -> list[str]:
    """A list of names that may be templates, written out."""
    return [name for i, entry in enumerate(source) for name, _ in _names(str(entry), (*at, i))]


def _read(source: Mapping[Any, Any], at: Path, when: dict[str, list[JsonScalar]], out: Flat) -> None:
    for key, body in source.items():
        place = (*at, key)
        if not isinstance(body, Mapping):
            raise SpaceError(
                place,
                f"a parameter is a mapping such as {{type: float, low: 0, high: 1}}, but got {body!r}",
                "Portfolio and nas stand beside `params:`." if key in ("portfolio", "nas") else "",
            )
        for name, numbers in _names(str(key), place):
            _add(name, _filled(dict(body), numbers, place), place, when, out)


def _add(name: str, body: dict[str, Any], place: Path, when: dict[str, list[JsonScalar]], out: Flat) -> None:
    if unknown := [k for k in body if k not in Param.model_fields]:
        known = did_you_mean(str(unknown[0]), Param.model_fields)
        raise SpaceError((*place, unknown[0]), f"unknown key '{unknown[0]}'", known)
    own = body.get("when", {})
    if when and not isinstance(own, Mapping):
        raise SpaceError((*place, "when"), f"must be a mapping such as {{op: [conv]}}, but got {own!r}")
    if both := [k for k in when if k in own]:
        raise SpaceError((*place, "when"), f"the parameter exists under a value of '{both[0]}' already: it is nested")
    values = body.get("values")
    flat = {**body, "when": {**own, **when}} if when else dict(body)
    if isinstance(values, Mapping):
        flat["values"] = list(values)
    elif isinstance(values, list) and any(isinstance(v, Mapping) for v in values):
        raise SpaceError(
            (*place, "values"),
            "values with parameters of their own are written as a mapping",
            "For example `values: {conv: {kernel: {...}}, pool: {}}`.",
        )
    if _joined(name, flat, place, when, out):
        return
    if len(out.params) >= MOST:
        raise SpaceError(place, f"more than {MOST} parameters")
    out.params[name], out.places[name] = flat, place
    if isinstance(values, Mapping):
        for value, inner in values.items():
            if inner is None or inner == {}:
                continue
            spot = (*place, "values", value)
            if not isinstance(inner, Mapping):
                raise SpaceError(spot, f"the parameters of a value are a mapping, but got {inner!r}")
            _read(inner, spot, {name: [value]}, out)


def _joined(name: str, flat: dict[str, Any], place: Path, when: Mapping[str, list[JsonScalar]], out: Flat) -> bool:
    """Whether the parameter stood under another value of the same choice and now exists under both."""
    if name not in out.params:
        return False
    before = out.params[name]
    if when:
        (parent,) = when
        known = before.get("when", {}).get(parent)
        rest = {k: v for k, v in before.get("when", {}).items() if k != parent}
        ours = {k: v for k, v in flat["when"].items() if k != parent}
        alike = {**before, "when": rest} == {**flat, "when": ours}
        if isinstance(known, list) and alike and not any(same(v, when[parent][0]) for v in known):
            before["when"][parent] = [*known, *when[parent]]
            return True
    raise SpaceError(
        place,
        f"the parameter '{name}' stands twice",
        "Names are those of the configuration and hold for the whole space: give one of them another name.",
    )


def _names(key: str, place: Path) -> list[tuple[str, dict[str, int]]]:
    """The names that a key stands for, each with the numbers in it."""
    ranges = [(int(a), int(b)) for a, b in _RANGE.findall(key)]
    rest = _RANGE.sub("", key)
    if "{" in rest or "}" in rest:
        raise SpaceError(place, f"'{key}' is no name", "Numbered parameters are written as NAME_{1..4}.")
    if not ranges:
        return [(key, {})]
    if len(ranges) > len(_LETTERS):
        raise SpaceError(place, f"'{key}' has more than {len(_LETTERS)} ranges")
    for low, high in ranges:
        if not low <= high:
            raise SpaceError(place, f"'{key}': a range rises, but got {low}..{high}")
        if high - low >= MOST:
            raise SpaceError(place, f"'{key}': a range has at most {MOST} numbers")
    first, *others = _RANGE.sub("\0", key).split("\0")
    out = []
    for numbers in itertools.islice(itertools.product(*(range(low, high + 1) for low, high in ranges)), MOST + 1):
        name = first + "".join(f"{n}{part}" for n, part in zip(numbers, others, strict=True))
        out.append((name, dict(zip(_LETTERS, numbers, strict=False))))
    return out


def _filled(value: Any, numbers: Mapping[str, int], place: Path) -> Any:
    """The value with ``{i}``, ``{j}``, ``{k}`` replaced, everywhere inside; unchanged outside of a template."""
    if not numbers:
        return value
    if isinstance(value, Mapping):
        return {_filled(k, numbers, place): _filled(v, numbers, (*place, k)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(v, numbers, place) for v in value]
    if not isinstance(value, str):
        return value

    def number(match: re.Match[str]) -> str:
        if match[1] not in numbers:
            raise SpaceError(place, f"'{match[0]}' has no range in the name", "A second range is {j}, a third {k}.")
        return str(numbers[match[1]] + int(match[2] or 0))

    if (whole := _SPOT.fullmatch(value)) is not None:
        return int(number(whole))
    return _SPOT.sub(number, value)
