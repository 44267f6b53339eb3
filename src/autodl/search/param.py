"""One parameter of a search space: its type, range, default and condition."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from autodl.records import JsonScalar
from autodl.search.conditions import Condition, comparison, contains, holds, is_comparison, is_number, same

ON_GRID = 1e-9
"""Distance from a multiple of the step, in steps, that is rounding."""
EXACT = 2.0**53
"""Up to here every whole number is a float."""


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
    when: dict[str, Condition] = {}

    @field_validator("low", "high", "step", mode="before")
    @classmethod
    def _is_a_number(cls, value: Any) -> Any:
        if value is None or is_number(number := as_number(value)):
            return None if value is None else number
        raise ValueError(f"must be a number, but got {value!r}")

    @field_validator("values", mode="before")
    @classmethod
    def _is_a_list(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValueError(f"must be a list such as [3, 5], but got {value!r}")
        if any(isinstance(v, float) and math.isnan(v) for v in value):
            raise ValueError("must not hold .nan, which equals nothing")
        if bad := [v for v in value if v is not None and not isinstance(v, bool | int | float | str)]:
            raise ValueError(f"must hold words, numbers, true or false, but got {bad[0]!r}")
        return value

    @field_validator("when", mode="before")
    @classmethod
    def _has_conditions(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"must be a mapping such as {{op: [conv]}} or {{depth: '>= 2'}}, but got {value!r}")
        return {str(k): v if isinstance(v, list | tuple) or is_comparison(v) else (v,) for k, v in value.items()}

    @model_validator(mode="before")
    @classmethod
    def _default_is_a_number(cls, body: Any) -> Any:
        if isinstance(body, dict) and body.get("type") in ("float", "int") and isinstance(body.get("default"), str):
            return {**body, "default": as_number(body["default"])}
        return body

    @model_validator(mode="after")
    def _consistent(self) -> Param:
        for condition in self.when.values():
            if isinstance(condition, str):
                comparison(condition)
        if self.type == "choice":
            self._check_choice()
        else:
            self._check_range()
        return self

    def _check_choice(self) -> None:
        if not self.values:
            raise ValueError("a choice needs at least one entry in `values`")
        if twice := [v for i, v in enumerate(self.values) if contains(self.values[:i], v)]:
            raise ValueError(f"`values` has {twice[0]!r} twice")
        if unused := [k for k in ("low", "high", "step") if getattr(self, k) is not None]:
            raise ValueError(f"a choice has `values`, not `{unused[0]}`")
        if self.default is not None and not contains(self.values, self.default):
            raise ValueError(f"`default` must be one of {list(self.values)}, but got {self.default!r}")

    def _check_range(self) -> None:
        if self.values:
            raise ValueError(f"`values` belongs to a choice, but the type is {self.type}")
        if self.low is None or self.high is None:
            raise ValueError(f"a {self.type} needs `low` and `high`")
        if not self.low <= self.high:
            raise ValueError(f"`low <= high` must hold, but got low={self.low:g}, high={self.high:g}")
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError(f"`low` and `high` must be finite, but got low={self.low:g}, high={self.high:g}")
        if not math.isfinite(self.high - self.low):
            raise ValueError(f"`high - low` must be finite, but got low={self.low:g}, high={self.high:g}")
        if self.type == "int" and max(abs(self.low), abs(self.high)) > EXACT:
            raise ValueError(f"an int must lie within +-2^53, but got low={self.low:g}, high={self.high:g}")
        if self.step is not None and self.step > 0 and (self.high - self.low) / self.step > EXACT:
            raise ValueError(f"`step` must leave at most 2^53 values, but got {self.step:g}")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"`step` must be above 0, but got {self.step:g}")
        if self.type == "int" and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError(f"an int needs whole `low` and `high`, but got low={self.low:g}, high={self.high:g}")
        if self.type == "int" and self.step is not None and not self.step.is_integer():
            raise ValueError(f"an int needs a whole `step`, but got {self.step:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log scale needs `low > 0`, but got low={self.low:g}")
        if self.default is not None:
            default = self.default
            if isinstance(default, bool | str) or not self.low <= default <= self.high:
                raise ValueError(f"`default` must lie in [{self.low:g}, {self.high:g}], but got {default!r}")
            if not self._on_grid(default):
                near = f"{self.nearest(default):g} is nearest"
                raise ValueError(f"`default` must be `low` plus whole steps ({near}), but got {default!r}")
            if self.type == "int" and not float(default).is_integer():
                raise ValueError(f"`default` must be a whole number, but got {default!r}")

    def start(self) -> JsonScalar:
        """The default, or the middle of the range."""
        if self.type == "choice":
            return self.entry(self.default) if self.default is not None else self.values[0]
        assert self.low is not None and self.high is not None
        if self.default is not None:
            assert not isinstance(self.default, str)
            return int(self.default) if self.type == "int" else float(self.default)
        middle = math.sqrt(self.low * self.high) if self.log else (self.low + self.high) / 2
        if self.step and not self.log:
            middle = min(self.low + self.step * math.floor((middle - self.low) / self.step + 0.5), self.high)
        return round(middle) if self.type == "int" else middle

    def entry(self, value: JsonScalar) -> JsonScalar:
        """An allowed value in the form that the space has: 1.0 is the entry 1, and a whole number is an int."""
        if self.type == "choice":
            return next((v for v in self.values if same(v, value)), value)
        return int(value) if self.type == "int" and isinstance(value, float) and value.is_integer() else value

    def allows(self, value: JsonScalar) -> bool:
        """Whether the value is an entry of the choice, or a number within the range."""
        if self.type == "choice":
            return contains(self.values, value)
        if isinstance(value, bool | str) or value is None:
            return False
        assert self.low is not None and self.high is not None
        whole = self.type == "float" or float(value).is_integer()
        return self.low <= value <= self.high and whole and self._on_grid(value)

    def nearest(self, value: float) -> float:
        """Of the steps of a number the nearest one within the range; the value itself where there are none."""
        assert self.low is not None and self.high is not None
        if not self.step or self.log:
            return value
        most = math.floor((self.high - self.low) / self.step + ON_GRID)
        steps = min(max(round((value - self.low) / self.step), 0), most)
        return min(self.low + self.step * steps, self.high)

    def _on_grid(self, value: float) -> bool:
        return math.isclose(value, self.nearest(value), rel_tol=1e-12, abs_tol=ON_GRID * (self.step or 1.0))

    def can_meet(self, condition: Condition) -> bool:
        """Whether some value of this parameter meets a condition on it.

        Raises:
            ValueError: If the condition compares the order of what are no numbers.
        """
        if not isinstance(condition, str):
            return any(self.allows(v) for v in condition)
        found = comparison(condition)
        if found.ordered and self.type == "choice" and not all(is_number(v) for v in self.values):
            raise ValueError(f"'{found.symbol}' compares numbers, but the values are {list(self.values)}")
        if self.type == "choice":
            return any(holds(condition, v) for v in self.values)
        if found.symbol == "==":
            return self.allows(found.bound)
        return holds(condition, self.low) or holds(condition, self.high)

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
            steps = int(rng.integers(int((self.high - self.low) / self.step + ON_GRID) + 1))
            return min(self.low + self.step * steps, self.high)
        return float(rng.uniform(self.low, self.high))


def as_number(value: Any) -> Any:
    """The number that a text spells (``"1e-4"``), which YAML reads as a word; anything else as it is."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value
