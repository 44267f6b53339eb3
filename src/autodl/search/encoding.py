"""Configurations as rows of numbers, for strategies that measure distances.

Notation: d parameters in the order of ``SearchSpace.order()``; X is (n, d). A number stands at its place in [0, 1] on
its own scale, a choice at the index of its value, and a parameter that does not exist under the others' values at
``ABSENT`` (choices) or in the middle of its range (numbers: no distance among those that lack it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autodl.records import JsonScalar
from autodl.search.conditions import Condition, holds
from autodl.search.space import Config, Param, SearchSpace

Matrix = NDArray[np.float64]

ABSENT = -1.0
"""The code of a choice that does not exist in a configuration."""
MIDDLE = 0.5
MOST_CODES = 64
"""Values of a number up to which those that meet a comparison are listed once."""


def is_ordered(param: Param) -> bool:
    """Whether a choice lists three or more rising or falling numbers, such as widths: near ones are then alike."""
    values = param.values
    if param.type != "choice" or len(values) < 3 or any(isinstance(v, bool | str) or v is None for v in values):
        return False
    steps = np.diff(np.array(values, dtype=float))
    return bool((steps > 0).all() or (steps < 0).all())


class Encoding:
    """Translates between configurations of one space and rows.

    Attributes:
        names: The parameters, one a column.
        categorical: (d,) whether a column holds codes rather than places.
        levels: (d,) distinct values of a column, 0 where there are infinitely many.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.names = space.order()
        self.params = [space.params[n] for n in self.names]
        self.categorical = np.array([p.type == "choice" and not is_ordered(p) for p in self.params], dtype=bool)
        self.levels = np.array([_levels(p) for p in self.params], dtype=int)
        self._index = [_index(p) for p in self.params]
        column = {n: j for j, n in enumerate(self.names)}
        self._conditions = [
            [(column[parent], self._met_at(column[parent], condition)) for parent, condition in p.when.items()]
            for p in self.params
        ]
        self._conditional = [j for j, conditions in enumerate(self._conditions) if conditions]
        self._gridded = [j for j in range(self.width) if self.levels[j] and not self.categorical[j]]
        self._top = np.where(self.categorical, self.levels - 1.0, 1.0)

    @property
    def width(self) -> int:
        """Number of parameters."""
        return len(self.names)

    @property
    def size(self) -> float:
        """Number of configurations at most (conditions aside); infinite with a continuous parameter."""
        return math.inf if (self.levels == 0).any() else math.prod(int(k) for k in self.levels)

    def encode(self, configs: Sequence[Config]) -> Matrix:
        """(n, d) rows of configurations."""
        X = np.empty((len(configs), self.width))
        for j, (name, p, known) in enumerate(zip(self.names, self.params, self._index, strict=True)):
            nothing = self._nothing(j)
            if p.type == "choice":
                X[:, j] = [known[type(c[name]), c[name]] if name in c else nothing for c in configs]
            else:
                X[:, j] = _on_axis(p, [c.get(name) for c in configs], nothing)
        return X

    def decode(self, row: Matrix) -> Config:
        """The configuration of one row that ``snap`` has made valid."""
        config: Config = {}
        for j, name in enumerate(self.names):
            if self.space.active(name, config):
                config[name] = _value(self.params[j], float(row[j]))
        return config

    def snap(self, X: Matrix) -> Matrix:
        """The nearest valid rows: whole numbers on their places, absent parameters marked; (n, d)."""
        X = np.clip(X, 0.0, self._top)
        X[:, self.categorical] = np.rint(X[:, self.categorical])
        for j in self._gridded:
            X[:, j] = _on_grid(self.params[j], X[:, j])
        there = np.ones(X.shape, dtype=bool)
        for j in self._conditional:
            there[:, j] = self._met(X, j, there)
            X[~there[:, j], j] = self._nothing(j)
        return X

    def exists(self, X: Matrix) -> NDArray[np.bool_]:
        """(n, d) which parameters exist in valid rows."""
        there = np.ones(X.shape, dtype=bool)
        for j in self._conditional:
            there[:, j] = self._met(X, j, there)
        return there

    def _met(self, X: Matrix, j: int, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(n,) whether the conditions of column j hold, its parents being known in ``there``, (n, d)."""
        met = np.ones(len(X), dtype=bool)
        for parent, codes in self._conditions[j]:
            column = X[:, parent]
            if isinstance(codes, str):  # a comparison with a number of many values
                met &= np.array([holds(codes, _value(self.params[parent], float(at))) for at in column], dtype=bool)
            else:
                met &= np.isclose(column[:, None], codes[None, :], rtol=0, atol=1e-9).any(axis=1)
            met &= there[:, parent]
        return met

    def random(self, n: int, rng: np.random.Generator) -> Matrix:
        """(n, d) rows drawn uniformly."""
        X = rng.random((n, self.width))
        for j in np.flatnonzero(self.categorical):
            X[:, j] = np.floor(X[:, j] * len(self.params[j].values))
        return self.snap(X)

    def from_unit(self, U: Matrix) -> Matrix:
        """(n, d) rows of points of the unit cube, in which each choice takes an equal share of its axis."""
        X = U.copy()
        for j in np.flatnonzero(self.categorical):
            X[:, j] = np.floor(np.clip(U[:, j], 0, 1 - 1e-12) * len(self.params[j].values))
        return self.snap(X)

    def mutate(self, X: Matrix, rng: np.random.Generator, scale: float = 0.2, extra: float = 0.0) -> Matrix:
        """Local changes: one existing parameter of each row takes another value.

        Args:
            X: (n, d) valid rows.
            rng: Randomness.
            scale: Standard deviation of a number's move, as a share of its range.
            extra: Probability of each further parameter to change too.

        Returns:
            (n, d) valid rows.
        """
        n, d = X.shape
        there = self.exists(X)
        movable = there & (self.levels != 1)
        draw = np.where(movable, rng.random((n, d)), -1.0)
        chosen = (rng.random((n, d)) < extra) & movable
        chosen[np.arange(n), draw.argmax(axis=1)] = True
        rows, columns = np.nonzero(chosen & movable)
        at, codes = X[rows, columns], self.categorical[columns]
        moved = np.abs(at + rng.normal(0.0, scale, size=len(at)))  # reflected at both ends
        moved = np.clip(1.0 - np.abs(1.0 - moved), 0.0, 1.0)
        places = self.levels[columns[codes]]
        moved[codes] = (at[codes] + rng.integers(1, places)) % places
        for j in self._gridded:
            mine = np.flatnonzero(columns == j)
            here, there_j = at[mine], _on_grid(self.params[j], moved[mine])
            stuck = np.isclose(here, there_j, rtol=0, atol=1e-12)
            if stuck.any():  # on to a neighbouring place of the grid
                there_j[stuck] = self._beside(j, here[stuck], rng.choice((-1.0, 1.0), size=int(stuck.sum())))
            moved[mine] = there_j
        Y = X.copy()
        Y[rows, columns] = moved
        return self.snap(self._wake(~there, Y, rng))

    def _beside(self, j: int, column: Matrix, way: Matrix) -> Matrix:
        """The neighbouring places on the grid of a number; at an end, the one on the other side."""
        here = _rank(self.params[j], column)
        there = here + way
        return _at_rank(self.params[j], np.where((there < 0) | (there >= self.levels[j]), here - way, there))

    def _wake(self, asleep: NDArray[np.bool_], after: Matrix, rng: np.random.Generator) -> Matrix:
        """Parameters that did not exist take random values rather than their marks, should they exist now."""
        for j in self._conditional:
            fresh = rng.random(int(asleep[:, j].sum()))
            after[asleep[:, j], j] = np.floor(fresh * len(self.params[j].values)) if self.categorical[j] else fresh
        return after

    def _nothing(self, j: int) -> float:
        return ABSENT if self.categorical[j] else MIDDLE

    def _met_at(self, parent: int, condition: Condition) -> Matrix | str:
        """The codes of a parent's values that meet a condition; the comparison itself where they are too many."""
        p = self.params[parent]
        if isinstance(condition, str):
            if p.type != "choice" and not 0 < self.levels[parent] <= MOST_CODES:
                return condition
            condition = tuple(v for v in listed(p) if holds(condition, v))
        met = [v for v in p.values if holds(condition, v)] if p.type == "choice" else condition
        return np.array([_place(p, v) for v in met if p.allows(v)], dtype=float)


def listed(p: Param) -> list[JsonScalar]:
    """All values of a parameter that has finitely many, in order."""
    if p.type == "choice":
        return list(p.values)
    assert p.low is not None and p.high is not None
    if p.type == "int":
        return list(range(int(p.low), int(p.high) + 1, 1 if p.log else int(p.step or 1)))
    if p.low == p.high:
        return [p.low]
    assert p.step is not None
    return [min(p.low + k * p.step, p.high) for k in range(int((p.high - p.low) / p.step + 1e-9) + 1)]


def _levels(p: Param) -> int:
    if p.type == "choice":
        return len(p.values)
    assert p.low is not None and p.high is not None
    if p.low == p.high:
        return 1
    if p.type == "int":
        return (int(p.high) - int(p.low)) // _step(p) + 1
    return int((p.high - p.low) / p.step + 1e-9) + 1 if p.step and not p.log else 0


def _step(p: Param) -> int:
    return 1 if p.log else int(p.step or 1)


def _edges(p: Param) -> tuple[float, float]:
    """The ends of the axis; half a step beyond the range for whole numbers, so that all take an equal share."""
    assert p.low is not None and p.high is not None
    low, high = p.low, p.high
    if p.type == "int":
        half = _step(p) / 2
        high = low + (_levels(p) - 1) * _step(p)
        low, high = low - half, high + half
    return (math.log(low), math.log(high)) if p.log else (low, high)


def _index(p: Param) -> dict[tuple[type, JsonScalar], float]:
    """The place of each value of a choice; by type too, as True and 1 are one key otherwise."""
    ordered, last = is_ordered(p), max(1, len(p.values) - 1)
    out: dict[tuple[type, JsonScalar], float] = {}
    for i, v in enumerate(p.values):
        at = i / last if ordered else float(i)
        out[type(v), v] = at
        if ordered:  # 16 and 16.0 are the same width
            out.setdefault((float, float(v or 0)), at)
            if float(v or 0).is_integer():
                out.setdefault((int, int(v or 0)), at)
    return out


def _on_axis(p: Param, values: Sequence[JsonScalar], nothing: float) -> Matrix:
    """Places of numbers on their axis; (n,)."""
    low, high = _edges(p)
    if high <= low:
        return np.full(len(values), MIDDLE)
    raw = np.array([np.nan if v is None else v for v in values], dtype=float)
    places = ((np.log(raw) if p.log else raw) - low) / (high - low)
    return np.where(np.isnan(raw), nothing, places)


def _place(p: Param, value: JsonScalar) -> float:
    if p.type == "choice":
        value = p.entry(value)
        return _index(p)[type(value), value]
    return float(_on_axis(p, [value], MIDDLE)[0])


def _value(p: Param, at: float) -> JsonScalar:
    if p.type == "choice":
        index = round(at * (len(p.values) - 1)) if is_ordered(p) else round(at)
        return p.values[min(max(index, 0), len(p.values) - 1)]
    low, high = _edges(p)
    raw = low + at * (high - low)
    number = math.exp(raw) if p.log else raw
    assert p.low is not None and p.high is not None
    if p.type == "int":
        step = _step(p)
        whole = int(p.low) + step * round((number - p.low) / step)
        return min(max(whole, int(p.low)), int(p.low) + (_levels(p) - 1) * step)
    return min(max(p.nearest(number), p.low), p.high)


def _on_grid(p: Param, at: Matrix) -> Matrix:
    """Places of the nearest values, vectorised ``_place(_value(at))``."""
    at = np.clip(at, 0.0, 1.0)
    return at if _levels(p) == 0 else _at_rank(p, _rank(p, at))


def _rank(p: Param, at: Matrix) -> Matrix:
    """Which value of a grid is nearest, counted from 0."""
    levels = _levels(p)
    if p.type == "choice":
        return np.rint(at * (levels - 1))
    low, high = _edges(p)
    if high <= low:
        return np.zeros_like(at)
    assert p.low is not None
    raw = low + at * (high - low)
    number = np.exp(raw) if p.log else raw
    return np.clip(np.rint((number - p.low) / _spacing(p)), 0, levels - 1)


def _at_rank(p: Param, rank: Matrix) -> Matrix:
    """The place of a value of a grid."""
    if p.type == "choice":
        return rank / max(1, _levels(p) - 1)
    low, high = _edges(p)
    if high <= low:
        return np.full_like(rank, MIDDLE)
    assert p.low is not None
    number = p.low + _spacing(p) * rank
    return ((np.log(number) if p.log else number) - low) / (high - low)


def _spacing(p: Param) -> float:
    return _step(p) if p.type == "int" else float(p.step or 1.0)
