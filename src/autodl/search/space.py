"""Search spaces: what may vary, in which ranges, and which configurations are tried first.

A space is a YAML file or a mapping of the same form::

    params:
      lr: {type: float, low: 1e-4, high: 0.1, log: true, default: 0.01}
      units: {type: int, low: 16, high: 512, log: true, default: 128}
      op: {type: choice, values: [conv, pool], default: conv}
      kernel: {type: choice, values: [3, 5], default: 3, when: {op: [conv]}}
    portfolio:
      - {}                      # the defaults
      - {lr: 0.001, units: 512}
    nas: [op, kernel]           # what architecture search may change

A mapping without ``params`` is taken as the ``params`` themselves. ``space_form`` reads templates and nested choices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from autodl.errors import ConfigError, did_you_mean
from autodl.records import JsonScalar
from autodl.search.conditions import holds
from autodl.search.param import Param
from autodl.search.space_form import Flat, Path, SpaceError, expand_config, expand_list, flatten

__all__ = ["Config", "Param", "SearchSpace", "family_space", "load_file", "parse_mapping", "parse_space"]

Config = dict[str, JsonScalar]


class SearchSpace(BaseModel):
    """Named parameters, the portfolio tried first, and the names that architecture search may change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    params: dict[str, Param]
    portfolio: tuple[Config, ...] = ({},)
    nas: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> SearchSpace:
        for name, param in self.params.items():
            for parent, condition in param.when.items():
                place: Path = ("params", name, "when", parent)
                if parent not in self.params:
                    raise SpaceError(place, f"no parameter '{parent}'", did_you_mean(parent, self.params))
                owner = self.params[parent]
                try:
                    never = not owner.can_meet(condition)
                except ValueError as error:
                    raise SpaceError(place, str(error)) from error
                bad = [] if isinstance(condition, str) else [v for v in condition if not owner.allows(v)]
                if never or bad:
                    what = f"takes the value {bad[0]!r}" if bad else f"is {condition}"
                    raise SpaceError(place, f"'{parent}' never {what}")
        for name in self.nas:
            if name not in self.params:
                raise SpaceError(("nas",), f"no parameter '{name}'", did_you_mean(name, self.params))
        for i, entry in enumerate(self.portfolio):
            for name, value in entry.items():
                place = ("portfolio", i, name)
                if name not in self.params:
                    raise SpaceError(place, f"no parameter '{name}'", did_you_mean(name, self.params))
                if not self.params[name].allows(value):
                    raise SpaceError(place, f"'{name}' never takes the value {value!r}")
        self.order()  # raises for a cycle
        return self

    def order(self) -> tuple[str, ...]:
        """Parameter names, each after those that its condition names."""
        return self._order

    @cached_property
    def _order(self) -> tuple[str, ...]:
        done: dict[str, None] = {}
        while len(done) < len(self.params):
            ready = [n for n, p in self.params.items() if n not in done and all(k in done for k in p.when)]
            if not ready:
                rest = [n for n in self.params if n not in done]
                raise SpaceError(("params", rest[0]), f"the conditions (`when`) of {', '.join(rest)} form a cycle")
            done.update(dict.fromkeys(ready))
        return tuple(done)

    def active(self, name: str, config: Mapping[str, JsonScalar]) -> bool:
        """Whether the parameter exists under these values of the others."""
        return all(k in config and holds(c, config[k]) for k, c in self.params[name].when.items())

    def complete(self, partial: Mapping[str, JsonScalar]) -> Config:
        """A full configuration: the given values, defaults for the rest, inactive parameters left out."""
        full: Config = {}
        for name in self.order():
            if self.active(name, full):
                param = self.params[name]
                full[name] = param.entry(partial[name]) if name in partial else param.start()
        return full

    def without(self, *names: str, values: Mapping[str, JsonScalar] | None = None) -> SearchSpace:
        """The space with these parameters left out, where it has them.

        Args:
            names: What is left out.
            values: What these are instead: parameters that exist only under other values of theirs go as well.
        """
        fixed: Mapping[str, JsonScalar] = values or {}
        params: dict[str, Param] = {}
        for name in self.order():
            param = self.params[name]
            still = {k: c for k, c in param.when.items() if k not in names}
            met = all(k in still or (k in fixed and holds(c, fixed[k])) for k, c in param.when.items())
            if name not in names and met and all(k in params for k in still):
                params[name] = param.model_copy(update={"when": still})
        return SearchSpace(
            params={k: params[k] for k in self.params if k in params},
            portfolio=tuple({k: v for k, v in c.items() if k in params} for c in self.portfolio),
            nas=tuple(n for n in self.nas if n in params),
        )

    def restricted(self, name: str, values: Sequence[JsonScalar]) -> SearchSpace:
        """The space in which a choice has only these values, of those that it has.

        Entries of the portfolio that need another value are left out; if that is all of them, they take what is left.
        Conditions on the choice must not exist.

        Args:
            name: Of the choice.
            values: What it may be. The first is what holds without it, so that it need not stand there alone.
        """
        if name not in self.params:
            return self
        choice = self.params[name]
        kept = tuple(v for v in choice.values if v in values)
        start = choice.start() if choice.start() in kept else next(iter(kept), None)
        fitting = tuple(c for c in self.portfolio if c.get(name, choice.start()) in kept)
        starts = fitting or tuple({k: v for k, v in c.items() if k != name} for c in self.portfolio)
        if set(kept) <= {values[0]}:
            return SearchSpace(params=self.params, portfolio=starts, nas=self.nas).without(name)
        params = {**self.params, name: choice.model_copy(update={"values": kept, "default": start})}
        return SearchSpace(params=params, portfolio=starts, nas=self.nas)

    def with_constant(self, name: str, value: JsonScalar) -> SearchSpace:
        """The space in which this parameter has this value and no other."""
        params = {**self.params, name: Param(type="choice", values=(value,), default=value)}
        return SearchSpace(params=params, portfolio=self.portfolio, nas=self.nas)

    def with_defaults(self, values: Mapping[str, JsonScalar]) -> SearchSpace:
        """The space with these defaults where it has the parameter and the value lies in its range."""
        params = dict(self.params)
        for name, value in values.items():
            if name in params and params[name].allows(value):
                params[name] = params[name].model_copy(update={"default": value})
        return SearchSpace(params=params, portfolio=self.portfolio, nas=self.nas)

    def sample(self, rng: np.random.Generator) -> Config:
        """A configuration drawn at random."""
        config: Config = {}
        for name in self.order():
            if self.active(name, config):
                config[name] = self.params[name].sample(rng)
        return config

    def starts(self) -> list[Config]:
        """The portfolio as full configurations, in order, without repeats."""
        out: list[Config] = []
        for partial in self.portfolio:
            full = self.complete(partial)
            if full not in out:
                out.append(full)
        return out


def parse_space(source: Any, where: str = "search space") -> SearchSpace:
    """Build a space from a path, a mapping or a ``SearchSpace``; NNI's form is read too.

    Raises:
        ConfigError: Naming the place (file, line, key) and the broken rule.
    """
    if isinstance(source, SearchSpace):
        return source
    if isinstance(source, str | FilePath):
        return _from_file(FilePath(source))
    return parse_mapping(source, where)


def _from_file(path: FilePath) -> SearchSpace:
    loaded, text = load_file(path)
    return parse_mapping(loaded if loaded is not None else {}, str(path), text)


def _plain(problem: str) -> str:
    return " ".join(problem.split()).replace("'<stream end>'", "the end of the file")


_PIPES: dict[tuple[str, int], str] = {}
"""What was read from pipes, such as ``<(command)`` of a shell: they give their text once."""


def _text(path: FilePath) -> str:
    if path.is_file() or not path.exists():
        return path.read_text("utf-8")
    key = (str(path), path.stat().st_ino)
    if key not in _PIPES:
        _PIPES[key] = path.read_text("utf-8")
    return _PIPES[key]


def load_file(path: FilePath) -> tuple[Any, str]:
    """What a YAML or JSON file says, and its text.

    Raises:
        ConfigError: If it cannot be read, is no YAML, or has a key twice.
    """
    import yaml

    from autodl.search.space_place import load_text, repeated_key

    try:
        text = _text(path)
        loaded = load_text(text)
    except OSError as error:
        raise ConfigError(f"cannot read the search space {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text file in UTF-8") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark is not None else str(path)
        what = getattr(error, "problem", None) or "it cannot be read"
        raise ConfigError(
            f"{where}: not valid YAML: {_plain(str(what))}",
            "Put names with {..}, : or # in quotes, and look for a bracket that is not closed.",
        ) from error
    if (twice := repeated_key(text)) is not None:
        raise ConfigError(f"{path}, line {twice[1]}: the key '{twice[0]}' stands twice", "Keep one of them.")
    return loaded, text


def parse_mapping(source: Any, where: str, text: str | None = None, at: Path = ()) -> SearchSpace:
    """Build a space from a mapping.

    Args:
        source: The mapping.
        where: What errors call it, such as the path of its file.
        text: The file, for line numbers.
        at: Keys from the top of the file to the mapping.

    Raises:
        ConfigError: Naming the place (file, line, key) and the broken rule.
    """
    from autodl.search.nni_space import is_nni
    from autodl.search.space_place import line_of

    if not isinstance(source, Mapping):
        raise ConfigError(f"{where}: a mapping of parameters is needed, but got {type(source).__name__}")
    try:
        return _read(source, where, at, nni=is_nni(source))
    except RecursionError as error:
        raise ConfigError(f"{where}: the space contains itself") from error
    except SpaceError as fault:
        line = None if text is None else line_of(text, fault.path)
        head = f"{where}, line {line}" if line else where
        raise ConfigError(f"{head}: {fault.place}{fault.message}", fault.remedy) from fault


def _read(source: Mapping[Any, Any], where: str, at: Path, nni: bool) -> SearchSpace:
    from autodl.search.nni_space import from_nni

    if nni:
        return _checked(Flat(from_nni(source, where)["params"]), ({},), (), at)
    if "params" not in source or (isinstance(source["params"], Mapping) and "type" in source["params"]):
        return _checked(flatten(source, at), ({},), (), at)
    known = ("params", "portfolio", "nas")
    if unknown := [k for k in source if k not in known]:
        raise SpaceError((*at, unknown[0]), f"unknown key '{unknown[0]}'", did_you_mean(str(unknown[0]), known))
    params, portfolio, nas = source["params"], source.get("portfolio"), source.get("nas")
    if params is not None and not isinstance(params, Mapping):
        raise SpaceError((*at, "params"), f"must be a mapping of names to parameters, but got {params!r}")
    for key, value, what in (("portfolio", portfolio, "a list of configurations"), ("nas", nas, "a list of names")):
        if value is not None and not isinstance(value, list | tuple):
            raise SpaceError((*at, key), f"must be {what}, but got {value!r}")
    starts = [expand_config(entry, (*at, "portfolio", i)) for i, entry in enumerate(portfolio or ({},))]
    return _checked(flatten(params or {}, (*at, "params")), tuple(starts), expand_list(nas or (), (*at, "nas")), at)


def _checked(flat: Flat, portfolio: tuple[Config, ...], nas: Sequence[str], at: Path) -> SearchSpace:
    params: dict[str, Param] = {}
    for name, body in flat.params.items():
        place = flat.places.get(name, (*at, name))
        try:
            params[name] = Param.model_validate(body)
        except ValidationError as error:
            raise _fault(error, place) from error
    try:
        return SearchSpace(params=params, portfolio=portfolio, nas=tuple(nas))
    except ValidationError as error:
        fault = _fault(error, at)
        if fault.path[len(at) : len(at) + 1] == ("params",):  # where the parameter was written
            owner, *rest = fault.path[len(at) + 1 :]
            fault.path = (*flat.places.get(str(owner), (*at, owner)), *rest)
        raise fault from error


def _fault(error: ValidationError, at: Path) -> SpaceError:
    """The first error of a record, as one of ours."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, SpaceError):
        return SpaceError((*at, *cause.path), cause.message, cause.remedy)
    path = (*at, *first["loc"])
    if first["type"] == "literal_error":
        types = ("float", "int", "choice")
        return SpaceError(path, f"unknown type {first['input']!r}", did_you_mean(str(first["input"]), types))
    if first["type"] == "missing":
        return SpaceError(at, f"`{first['loc'][-1]}` is missing", "Write `type: float`, `int` or `choice`.")
    return SpaceError(path, first["msg"].removeprefix("Value error, "))


@lru_cache(maxsize=64)
def family_space(key: str) -> SearchSpace:
    """The space shipped for a family (``autodl/search_spaces/KEY.yaml``); empty if it has none."""
    from importlib.resources import files

    resource = files("autodl") / "search_spaces" / f"{key}.yaml"
    if not resource.is_file():
        return SearchSpace(params={})
    return parse_space(FilePath(str(resource)))
