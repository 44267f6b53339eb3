"""Encoders that take no time, beside those that are installed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from autodl.pretrained import finding
from autodl.pretrained.base import Encode, Encoder
from autodl.records import Modality


class Letters(Encode):
    """How often a text has each of the letters a to h."""

    by_length = True

    def __call__(self, objects: Sequence[str]) -> np.ndarray:
        return np.array([[text.count(letter) for letter in "abcdefgh"] for text in objects], np.float32)


class TinyTexts(Encoder):
    """An encoder of texts whose weights are a file that tests write."""

    key = "tiny_texts"
    name = "Tiny"
    modality = Modality.TEXT
    width = 8
    sizes = (16, 8)
    seconds = 1e-4
    place = Path()

    def files(self) -> tuple[Path, ...]:
        return (self.place,)

    def load(self, size: int) -> Encode:
        return Letters()


def forget() -> None:
    """What was found and loaded in this process."""
    finding.by_key.cache_clear()
    finding._loaded.cache_clear()
