"""Columns of images or texts as columns of numbers. Notation: n rows, w numbers of a vector, k columns made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.media.array import MediaArray
from autodl.media.batch import ABSENT
from autodl.preprocess.text_terms import cells_of
from autodl.preprocess.vector_makers import VectorMaker
from autodl.preprocess.vectors import vector_memory

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.preprocess.vector_making import Objects
    from autodl.records import Recipe


LENGTH = 3.0
"""Of a scaled vector, as a root mean square: hundreds of columns of unit spread would drown the others beside them,
and a penalty meant for a few columns would not hold them. That of the weights of terms."""


@dataclass
class VectorColumn:
    """What was learnt of one column.

    Attributes:
        centre: (w,) means of the training rows, in the place of objects that are missing.
        factor: (k,) by which what is left is multiplied; 0 for what never varies.
        components: (k, w) principal components, or (0, w) where the vectors stay as they are.
        indicator: Whether a column tells where the object is missing.
    """

    centre: NDArray[np.float32]
    factor: NDArray[np.float32]
    components: NDArray[np.float32]
    indicator: bool
    names: tuple[str, ...] = field(default=())


class VectorBlock:
    """Vectors of images, or sentence embeddings of texts; each object's vector depends on nothing but the object.

    Fitted on the training rows: means for missing objects, scales, and principal components where the recipe wants
    few columns. Vectors of encoders are scaled as one: their spread is a part of what they say. The columns of images
    that stand for colours and gradients are scaled one by one, then as one to ``LENGTH``; principal components to a
    mean spread of one.

    Args:
        columns: Names of columns of images, or of texts.
        maker: What turns an object into a vector.
        recipe: Uses ``vector_components`` and ``scale``.
        seed: For the principal components.
    """

    def __init__(self, columns: tuple[str, ...], maker: VectorMaker, recipe: Recipe, seed: int) -> None:
        self.columns, self.maker, self.seed = columns, maker, seed
        self.most, self.scaled = recipe.vector_components, recipe.scale != "none"
        self._learnt: list[VectorColumn] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns, e.g. ``photo:gradient 12``."""
        learnt = zip(self.columns, self._learnt, strict=True)
        return tuple(f"{column}:{name}" for column, one in learnt for name in one.names)

    def fit_transform(
        self,
        frame: pd.DataFrame,
        y: NDArray[Any],
        weight: NDArray[Any] | None = None,
        deadline: Deadline = NEVER,
    ) -> NDArray[np.float32]:
        """(n, k) training rows; ``y`` and ``weight`` are not looked at.

        Raises:
            TimeoutError: If the deadline passes while vectors are made.
        """
        parts = [vectors_of(self.maker, frame, column, deadline) for column in self.columns]
        self._learnt = [self._fit(vectors) for vectors in parts]
        return self._join([_apply(learnt, v) for learnt, v in zip(self._learnt, parts, strict=True)], len(frame))

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """(n, k) rows."""
        parts = [
            _apply(learnt, vectors_of(self.maker, frame, column))
            for column, learnt in zip(self.columns, self._learnt, strict=True)
        ]
        return self._join(parts, len(frame))

    def _fit(self, vectors: NDArray[np.float32]) -> VectorColumn:
        absent = _absent(vectors)
        present = vectors[~absent]
        width = vectors.shape[1]
        centre = present.mean(axis=0) if len(present) else np.zeros(width, np.float32)
        centred = present - centre
        components = np.empty((0, width), np.float32)
        if self.most and min(len(present) - 1, width) > self.most:
            from sklearn.decomposition import PCA

            found = PCA(self.most, svd_solver="randomized", random_state=self.seed).fit(centred)
            components = np.ascontiguousarray(found.components_, np.float32)
            centred = centred @ components.T
        spread = centred.std(axis=0) if len(centred) else np.zeros(centred.shape[1])
        varies = spread > 1e-6
        if not self.scaled:
            factor = np.ones_like(spread)
        elif len(components) or self.maker.how == "encoder":
            factor = np.full_like(spread, 1.0 / (np.sqrt(np.mean(spread[varies] ** 2)) if varies.any() else 1.0))
        else:
            factor = np.divide(1.0, spread, out=np.zeros_like(spread), where=varies)
        if self.scaled and not len(components):
            factor = factor * LENGTH / np.sqrt(max(1, varies.sum()))
        names = self.maker.names(width)
        if len(components):
            names = tuple(f"component {k + 1}" for k in range(len(components)))
        indicator = bool(absent.any())
        names = (*names, "missing") if indicator else names
        return VectorColumn(centre, factor.astype(np.float32), components, indicator, names)

    @staticmethod
    def _join(parts: Sequence[NDArray[np.float32]], n: int) -> NDArray[np.float32]:
        return np.hstack(parts) if parts else np.empty((n, 0), np.float32)


def vectors_of(
    maker: VectorMaker, frame: pd.DataFrame, column: str, deadline: Deadline = NEVER
) -> NDArray[np.float32]:
    """(n, w) vectors of the objects of a column, NaN where there is none; w = 0 if there is none at all.

    Raises:
        TimeoutError: If the deadline passes while they are made.
    """
    own = maker_of(maker, frame, column)
    return vector_memory.get(own, digests_of(frame, column), objects_of(frame, column), deadline)


def maker_of(maker: VectorMaker, frame: pd.DataFrame, column: str) -> VectorMaker:
    """The maker for one column: how many numbers histograms of gradients have depends on the size of its images."""
    cells = frame[column].array
    if maker.encoder or not isinstance(cells, MediaArray):
        return maker
    rows = cells.batch.rows
    present = rows[rows != ABSENT]
    return replace(maker, size=len(cells.batch.store.get(int(present[0]))) if len(present) else 0)


def objects_of(frame: pd.DataFrame, column: str) -> Objects:
    """The images (n, S, S, 3), or the texts, at given positions of a column."""
    cells = frame[column].array
    if isinstance(cells, MediaArray):
        batch = cells.batch

        def images(places: NDArray[np.intp]) -> NDArray[np.uint8]:
            return np.stack([batch.store.get(int(row)) for row in batch.rows[places]])

        return images
    texts = cells_of(frame, column)

    def some(places: NDArray[np.intp]) -> list[str]:
        return [texts[k] for k in places]

    return some


def digests_of(frame: pd.DataFrame, column: str) -> NDArray[np.uint64]:
    """(n,) numbers that are equal for equal objects of a column; 0 where there is none."""
    cells = frame[column].array
    return cells.batch.digests() if isinstance(cells, MediaArray) else text_digests(cells_of(frame, column))


def text_digests(texts: Sequence[str]) -> NDArray[np.uint64]:
    """(n,) numbers that are equal for equal texts; 0 for texts without a letter."""
    return np.array([_digest(text) if text.strip() else 0 for text in texts], np.uint64)


def _digest(text: str) -> int:
    told = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(told, "little") or 1


def _apply(learnt: VectorColumn, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    absent = _absent(vectors)
    if vectors.shape[1] != len(learnt.centre):  # there is no object at all, here or among the training rows
        vectors = np.zeros((len(vectors), len(learnt.centre)), np.float32)
    # Missing objects lie at the mean, which is zero here, whatever follows.
    centred = np.where(absent[:, None], np.float32(0.0), vectors - learnt.centre)
    if len(learnt.components):
        centred = centred @ learnt.components.T
    told = centred * learnt.factor
    return np.hstack([told, absent[:, None].astype(np.float32)]) if learnt.indicator else told


def _absent(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    if vectors.shape[1] == 0:
        return np.ones(len(vectors), dtype=np.bool_)
    return np.asarray(np.isnan(vectors).any(axis=1), dtype=np.bool_)
