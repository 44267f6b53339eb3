"""Networks inside a network with shared weights, and the order in which they are trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

Choices = Mapping[str, Sequence[Any]]
"""Values that each choice may take."""


@dataclass(frozen=True)
class MlpPath:
    """One network of those that share weights; the names are those of its configuration.

    Attributes:
        depth: Number of blocks. width: of each. activation, gate, norm: names of ``layers``.
        residual: Blocks with a shortcut.
    """

    depth: int
    width: int
    activation: str
    gate: str
    norm: str
    residual: bool


class FairPaths:
    """Draws paths so that every value of every choice is trained equally often.

    Strict fairness (Chu et al. 2021, "FairNAS", section 3.2) for choices with different numbers of values: each
    choice deals its values from a shuffled deck of its own and shuffles again when the deck is empty. After any
    number of paths, two values of a choice have been dealt equally often but for one time.

    Args:
        choices: Values of each choice. generator: source of the order.
    """

    def __init__(self, choices: Choices, generator: torch.Generator) -> None:
        self._choices, self._generator = choices, generator
        self._decks: dict[str, list[int]] = {name: [] for name in choices}

    def draw(self) -> dict[str, Any]:
        """The next path: a value of each choice."""
        return {name: values[self._deal(name, len(values))] for name, values in self._choices.items()}

    def _deal(self, name: str, size: int) -> int:
        if not self._decks[name]:
            self._decks[name] = torch.randperm(size, generator=self._generator).tolist()
        return self._decks[name].pop()
