"""Search spaces of the user's own: read, checked against the families they are for.

A file holds the space of one family, or of several, each under the family's key::

    mlp:
      params: {depth: {type: int, low: 1, high: 3}, lr: {type: float, low: 1.0e-4, high: 0.01, log: true}}
    lightgbm:
      portfolio: [{learning_rate: 0.1}]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from autodl.errors import ConfigError, did_you_mean
from autodl.models.base import families, typed
from autodl.records import JsonScalar, Recipe
from autodl.search.nni_space import is_nni
from autodl.search.param import Param
from autodl.search.space import Config, SearchSpace, family_space, load_file, parse_mapping
from autodl.search.space_place import line_of

PREP = "prep."
"""Prefix of parameters that belong to the preparation of the columns."""
TRIED = 50
"""Configurations drawn at random to see whether the family takes them."""
_KEYS = ("params", "portfolio", "nas")


def read_spaces(path: str, asked: Sequence[str]) -> dict[str, SearchSpace]:
    """The spaces in a file, by family.

    Args:
        path: A YAML file, or one in NNI's JSON form.
        asked: The families that the user names; if it is one, the file may hold its space alone.

    Raises:
        ConfigError: Naming file, line and key of what is wrong.
    """
    source, text = load_file(Path(path))
    if not isinstance(source, Mapping) or not source:
        raise ConfigError(f"{path} holds no search space", "Write parameters as docs/search-space.md shows.")
    reader = _Reader(path, text)
    if not _holds_families(source, asked):
        if len(asked) != 1:
            raise ConfigError(
                f"{path} holds the search space of one model family, but it is not said of which",
                "Write the family's name above it, or name exactly one with --families.",
            )
        return {asked[0]: reader.space(asked[0], source, ())}
    found = {}
    for name, body in source.items():
        if name not in families:
            raise ConfigError(
                f"{reader.at((name,))}: unknown model family '{name}'", did_you_mean(str(name), families)
            )
        if not isinstance(body, Mapping) or not body:
            raise ConfigError(f"{reader.at((name,))}: '{name}' needs a mapping of parameters, but got {body!r}")
        found[str(name)] = reader.space(str(name), body, (name,))
    return found


def same_spaces(
    path: str, asked: Sequence[str], then: Mapping[str, Mapping[str, Any] | None], same_version: bool
) -> bool:
    """Whether a file says of the families what it said before.

    Args:
        path, asked: As for ``read_spaces``, with the same errors.
        then: The spaces of families as they were, as JSON; None of those of which the file said nothing.
        same_version: Whether this version read it then. Another one may have shipped other spaces: what the file
            takes over from them does not count.
    """
    now, (source, _) = read_spaces(path, asked), load_file(Path(path))
    bodies = source if _holds_families(source, asked) else {asked[0]: source}
    for key, was in then.items():
        if was is None or key not in now:
            if was is not None or key in now:
                return False
            continue
        named = [part for part in _KEYS if part in bodies[key]]
        if same_version or not named:  # without these words, the body is one of parameters
            named = [*_KEYS] if same_version else ["params"]
        stored = now[key].model_dump(mode="json")
        if any(stored[part] != was[part] for part in named):
            return False
    return True


def _holds_families(source: Mapping[Any, Any], asked: Sequence[str]) -> bool:
    """Whether the keys at the top are families, known or mistyped, and not parameters of one."""
    typed = any(isinstance(v, Mapping) and ("type" in v or "_type" in v) for v in source.values())
    if typed or is_nni(source) or any(key in source for key in _KEYS):
        return False
    return any(key in families for key in source) or len(asked) != 1


class _Reader:
    """Reads and checks the parts of one file."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text

    def at(self, place: Sequence[Any]) -> str:
        """File and line of a place."""
        line = line_of(self.text, place)
        return f"{self.path}, line {line}" if line else self.path

    def space(self, family: str, body: Mapping[Any, Any], at: tuple[Any, ...]) -> SearchSpace:
        """The space of a family: the shipped one where the file says nothing of ``params``."""
        shipped = family_space(family)
        if "params" not in body and any(key in body for key in _KEYS):
            params = {n: p.model_dump(mode="json", exclude_defaults=True) for n, p in shipped.params.items()}
            kept = {"params": params, "portfolio": list(shipped.portfolio), "nas": list(shipped.nas)}
            return parse_mapping({**kept, **body}, self.path, self.text, at)
        space = parse_mapping(body, self.path, self.text, at)
        if "nas" not in body:
            space = space.model_copy(update={"nas": tuple(n for n in shipped.nas if n in space.params)})
        inside = (*at, "params") if "params" in body else at
        for name, param in space.params.items():
            self._check_param(family, name, param, (*inside, name))
        self._check_together(family, space, inside)
        return space

    def _check_param(self, family: str, name: str, param: Param, place: tuple[Any, ...]) -> None:
        """Whether the family's configuration, or its recipe, has the field and takes the values."""
        if name.startswith(PREP):
            kind = typed(Recipe.model_fields.get(name.removeprefix(PREP)))
        else:
            kind = families[family].config.setting(name)
        if kind is None:
            known = [*families[family].config.model_fields, *(PREP + n for n in Recipe.model_fields)]
            raise ConfigError(
                f"{self.at(place)}: the model family '{family}' has no setting '{name}'", did_you_mean(name, known)
            )
        taken: TypeAdapter[Any] = TypeAdapter(kind)
        for value in _values(param):
            try:
                taken.validate_python(value)
            except ValidationError as error:
                rule = error.errors()[0]["msg"].removeprefix("Value error, ").replace("Input should", "it must", 1)
                whole = param.type == "float" and "integer" in rule
                raise ConfigError(
                    f"{self.at(place)}: '{name}' of '{family}' cannot be {value!r}: {rule}",
                    "Write `type: int`." if whole else "",
                ) from error

    def _check_together(self, family: str, space: SearchSpace, place: tuple[Any, ...]) -> None:
        """Whether listed and drawn configurations are valid as a whole."""
        rng = np.random.default_rng(0)
        base = families[family]
        for flat in [*space.starts(), *(space.sample(rng) for _ in range(TRIED))]:
            own, prep = _split(flat)
            try:
                base.config.model_validate(own)
                Recipe.model_validate({**base.recipe.model_dump(), **prep})
            except ValidationError as error:
                rule = error.errors()[0]["msg"].removeprefix("Value error, ")
                raise ConfigError(
                    f"{self.at(place)}: '{family}' cannot be trained with {flat}: {rule}",
                    "Rule the combination out with `when`, or take a value away.",
                ) from error


def _split(flat: Config) -> tuple[Config, Config]:
    own = {k: v for k, v in flat.items() if not k.startswith(PREP)}
    return own, {k.removeprefix(PREP): v for k, v in flat.items() if k.startswith(PREP)}


def _values(param: Param) -> Iterator[JsonScalar]:
    """All values of a choice; ends, start and one between of a range."""
    if param.type == "choice":
        yield from param.values
        return
    assert param.low is not None and param.high is not None
    whole = param.type == "int"
    yield from (int(v) if whole else v for v in (param.low, param.high))
    yield param.start()
    yield param.sample(np.random.default_rng(0))
