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

A mapping without ``params`` is taken as the ``params`` themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from autodl.errors import ConfigError, did_you_mean
from autodl.records import JsonScalar

Config = dict[str, JsonScalar]


class Param(BaseModel):
    """One dimension. ``when`` names the values of other parameters under which it exists."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: Literal["float", "int", "choice"]
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    values: tuple[JsonScalar, ...] = ()
    default: JsonScalar = None
    when: dict[str, tuple[JsonScalar, ...]] = {}

    @model_validator(mode="after")
    def _consistent(self) -> Param:
        if self.type == "choice":
            if not self.values:
                raise ValueError("a choice needs at least one entry in `values`")
            if self.default is not None and self.default not in self.values:
                raise ValueError(f"`default` must be one of {list(self.values)}, but got {self.default!r}")
            return self
        if self.low is None or self.high is None:
            raise ValueError(f"a {self.type} needs `low` and `high`")
        if not self.low <= self.high:
            raise ValueError(f"`low <= high` must hold, but got low={self.low:g}, high={self.high:g}")
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"`low` and `high` must be finite, but got low={self.low:g}, high={self.high:g}")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"`step` must be above 0, but got {self.step:g}")
        if self.type == "int" and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError(f"an int needs whole `low` and `high`, but got low={self.low:g}, high={self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log scale needs `low > 0`, but got low={self.low:g}")
        if self.default is not None:
            if isinstance(self.default, str) or not self.low <= float(self.default) <= self.high:
                raise ValueError(f"`default` must lie in [{self.low:g}, {self.high:g}], but got {self.default!r}")
        return self

    def start(self) -> JsonScalar:
        """The default, or the middle of the range."""
        if self.default is not None or self.type == "choice":
            return self.default if self.default is not None else self.values[0]
        assert self.low is not None and self.high is not None
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        return round(middle) if self.type == "int" else middle

    def allows(self, value: JsonScalar) -> bool:
        """Whether the value is an entry of the choice, or a number within the range."""
        if self.type == "choice":
            return value in self.values
        if isinstance(value, bool | str) or value is None:
            return False
        assert self.low is not None and self.high is not None
        return self.low <= value <= self.high and (self.type == "float" or float(value).is_integer())

    def sample(self, rng: np.random.Generator) -> JsonScalar:
        """A value drawn uniformly (log-uniformly with ``log``)."""
        if self.type == "choice":
            return self.values[int(rng.integers(len(self.values)))]
        assert self.low is not None and self.high is not None
        if self.type == "int":
            low, high = int(self.low), int(self.high)
            if self.log:
                raw = math.exp(rng.uniform(math.log(low - 0.5 if low > 0 else 0.5), math.log(high + 0.5)))
                return min(high, max(low, round(raw)))
            step = int(self.step or 1)
            return low + step * int(rng.integers((high - low) // step + 1))
        if self.log:
            return math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        if self.step:
            return self.low + self.step * int(rng.integers(int((self.high - self.low) / self.step + 1e-9) + 1))
        return float(rng.uniform(self.low, self.high))


class SearchSpace(BaseModel):
    """Named parameters, the portfolio tried first, and the names that architecture search may change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    params: dict[str, Param]
    portfolio: tuple[Config, ...] = ({},)
    nas: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> SearchSpace:
        for name, param in self.params.items():
            for parent, allowed in param.when.items():
                if parent not in self.params:
                    raise ValueError(f"{name}.when: no parameter '{parent}'. {did_you_mean(parent, self.params)}")
                owner = self.params[parent]
                if owner.type == "choice" and (bad := [v for v in allowed if v not in owner.values]):
                    raise ValueError(f"{name}.when: '{parent}' never takes the value {bad[0]!r}")
        for name in (*self.nas, *(k for c in self.portfolio for k in c)):
            if name not in self.params:
                raise ValueError(f"no parameter '{name}'. {did_you_mean(name, self.params)}")
        self.order()
        return self

    def order(self) -> tuple[str, ...]:
        """Parameter names, each after those that its condition names.

        Raises:
            ValueError: If conditions form a cycle.
        """
        done: list[str] = []
        while len(done) < len(self.params):
            ready = [n for n, p in self.params.items() if n not in done and all(k in done for k in p.when)]
            if not ready:
                rest = ", ".join(n for n in self.params if n not in done)
                raise ValueError(f"the conditions (`when`) of {rest} form a cycle")
            done.extend(ready)
        return tuple(done)

    def active(self, name: str, config: Mapping[str, JsonScalar]) -> bool:
        """Whether the parameter exists under these values of the others."""
        return all(k in config and config[k] in allowed for k, allowed in self.params[name].when.items())

    def complete(self, partial: Mapping[str, JsonScalar]) -> Config:
        """A full configuration: the given values, defaults for the rest, inactive parameters left out."""
        full: Config = {}
        for name in self.order():
            if self.active(name, full):
                full[name] = partial.get(name, self.params[name].start())
        return full

    def without(self, *names: str) -> SearchSpace:
        """The space with these parameters left out, where it has them; conditions on them must not exist."""
        gone = set(names)
        return SearchSpace(
            params={k: p for k, p in self.params.items() if k not in gone},
            portfolio=tuple({k: v for k, v in c.items() if k not in gone} for c in self.portfolio),
            nas=tuple(n for n in self.nas if n not in gone),
        )

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
    if isinstance(source, str | Path):
        return _from_file(Path(source))
    return _from_mapping(source, where, None)


def _from_file(path: Path) -> SearchSpace:
    import yaml

    from autodl.search.space_place import repeated_key

    try:
        text = path.read_text("utf-8")
        loaded = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"cannot read the search space {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a text file in UTF-8") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if (twice := repeated_key(text)) is not None:
        raise ConfigError(f"{path}, line {twice[1]}: the key '{twice[0]}' stands twice", "Keep one of them.")
    return _from_mapping(loaded or {}, str(path), text)


def _from_mapping(source: Any, where: str, text: str | None) -> SearchSpace:
    from autodl.search.nni_space import from_nni, is_nni
    from autodl.search.space_place import line_of

    if not isinstance(source, Mapping):
        raise ConfigError(f"{where}: a mapping of parameters is needed, but got {type(source).__name__}")
    if is_nni(source):
        body, wrapped = from_nni(source, where), False
    else:
        wrapped = "params" in source and not (isinstance(source["params"], Mapping) and "type" in source["params"])
        body = dict(source) if wrapped else {"params": dict(source)}
    try:
        return SearchSpace.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        path = list(first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        if not path and (named := [n for n in body["params"] if re.search(rf"\b{re.escape(n)}\b", message)]):
            path = ["params", named[0]]
            place = ""
        else:
            place = ".".join(str(p) for p in path)
        line = None if text is None else line_of(text, path if wrapped else path[1:])
        head = f"{where}, line {line}" if line else where
        raise ConfigError(f"{head}: {place + ': ' if place else ''}{message}") from error


@lru_cache(maxsize=64)
def family_space(key: str) -> SearchSpace:
    """The space shipped for a family (``autodl/search_spaces/KEY.yaml``); empty if it has none."""
    from importlib.resources import files

    resource = files("autodl") / "search_spaces" / f"{key}.yaml"
    if not resource.is_file():
        return SearchSpace(params={})
    return parse_space(Path(str(resource)))
