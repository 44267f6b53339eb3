"""Our spaces as NNI's, and configurations as its samples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from autodl.search.encoding import Encoding, Matrix, listed
from autodl.search.space import Config, SearchSpace

Sample = dict[str, Any]
"""A value for every column: the index of a listed value, or a place in [0, 1]."""


class Translation:
    """A space in flat columns that NNI's algorithms all understand.

    Numbers become places in [0, 1] on their own scale (logarithms, whole numbers and steps are ours to keep),
    choices become the indices of their values. Parameters with one value only are left out. Conditions have no form
    there that covers ours: every parameter has a value in a sample, and those that do not exist are dropped on the
    way back.

    Args:
        space: The space.
        list_up_to: Numbers with at most so many values are given as a list of them, too.
    """

    def __init__(self, space: SearchSpace, list_up_to: int = 0) -> None:
        self.space, self.encoding = space, Encoding(space)
        levels = self.encoding.levels
        self.columns = {f"p{j}": j for j in np.flatnonzero(levels != 1)}
        as_list = self.encoding.categorical | ((levels > 0) & (levels <= list_up_to))
        self.places = {name: self._places(j) for name, j in self.columns.items() if as_list[j]}

    def _places(self, j: int) -> Matrix:
        """(k,) the code of each value of a column in rows of the encoding."""
        name = self.encoding.names[j]
        return self.encoding.encode([{name: v} for v in listed(self.space.params[name])])[:, j]

    @cached_property
    def json(self) -> dict[str, dict[str, Any]]:
        """NNI's form of the space."""
        return {
            name: {"_type": "choice", "_value": list(range(len(self.places[name])))}
            if name in self.places
            else {"_type": "uniform", "_value": [0.0, 1.0]}
            for name in self.columns
        }

    def sample(self, config: Config) -> Sample:
        """The sample of a configuration; what does not exist in it gets the first value or the middle."""
        row = self.encoding.encode([config])[0]
        return {
            name: int(np.abs(self.places[name] - row[j]).argmin()) if name in self.places else float(row[j])
            for name, j in self.columns.items()
        }

    def existing(self, config: Config) -> Sample:
        """The sample of a configuration without what does not exist in it."""
        names = self.encoding.names
        return {k: v for k, v in self.sample(config).items() if names[self.columns[k]] in config}

    def config(self, sample: Mapping[str, Any]) -> Config:
        """The configuration of a sample."""
        row = np.zeros((1, self.encoding.width))
        for name, j in self.columns.items():
            value = sample[name]
            row[0, j] = self.places[name][int(value)] if name in self.places else float(value)
        return self.encoding.decode(self.encoding.snap(row)[0])
