"""What turns images and texts into vectors: summaries, histograms of gradients, pretrained encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autodl.preprocess.image_hog import hog_width, oriented_gradients
from autodl.preprocess.image_summary import SUMMARY_NAMES, colour_summary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.pretrained.base import Encode
    from autodl.records import Modality, Recipe, TableSchema

USUAL_SIDE = 64
"""Of images whose size is not known when columns are counted."""


@dataclass(frozen=True)
class VectorMaker:
    """How objects become vectors; see ``autodl.preprocess.vectors.Maker``.

    Attributes:
        how: ``hog`` has the colours of ``summary`` besides.
        encoder: Key of a pretrained encoder. digest: Of its files. size: Pixels or tokens that it looks at; without
            one, pixels a side of the images, which decide how many numbers there are.
        half: Whether it calculates in 16 bits.
    """

    how: Literal["summary", "hog", "encoder"]
    encoder: str = ""
    digest: str = ""
    size: int = 0
    half: bool = False

    @classmethod
    def of_encoder(cls, encoder: str, size: int, half: bool = False) -> VectorMaker:
        """By the encoder that is installed now.

        Raises:
            ConfigError, MissingDependencyError: If it is not there.
        """
        from autodl.pretrained.finding import by_key, weights_digest

        return cls("encoder", encoder, weights_digest(by_key(encoder)), size, half)

    @property
    def key(self) -> str:
        """Equal for makers that make the same."""
        if not self.encoder:
            return f"{self.how}-{self.size}"
        return "-".join([self.how, self.encoder, self.digest, str(self.size), "half" if self.half else "full"])

    @property
    def batch(self) -> int:
        """Objects that are best taken together."""
        return self._encode.batch if self.encoder else 256

    @property
    def by_length(self) -> bool:
        """Whether objects of like length are best taken together."""
        return bool(self.encoder) and self._encode.by_length

    @property
    def _encode(self) -> Encode:
        from autodl.pretrained.finding import loaded

        return loaded(self.encoder, self.digest, self.size)

    def __call__(self, objects: Any) -> NDArray[Any]:
        """(n, w).

        Args:
            objects: (n, S, S, 3) images, n images of several sides, or n texts.
        """
        if isinstance(objects, list) and objects and not isinstance(objects[0], str):
            return self._of_several(objects)
        if self.how == "encoder":
            from autodl.pretrained.precision import precision

            with precision(self.half):
                return self._encode(objects)
        colours = colour_summary(objects)
        return colours if self.how == "summary" else np.hstack([colours, oriented_gradients(objects)])

    def _of_several(self, images: list[NDArray[np.uint8]]) -> NDArray[Any]:
        """(n, w) of images of several sides."""
        sides = np.array([len(image) for image in images])
        out: NDArray[Any] | None = None
        for side in np.unique(sides):
            of_side = np.flatnonzero(sides == side)
            made = self(np.stack([images[k] for k in of_side]))
            out = np.empty((len(images), made.shape[1]), made.dtype) if out is None else out
            out[of_side] = made
        assert out is not None, "there is an image"
        return out

    def names(self, width: int) -> tuple[str, ...]:
        """Of the columns."""
        if self.how == "encoder":
            return tuple(f"feature {k + 1}" for k in range(width))
        return (*SUMMARY_NAMES, *(f"gradient {k + 1}" for k in range(width - len(SUMMARY_NAMES))))[:width]


def image_maker(recipe: Recipe) -> VectorMaker | None:
    """What a recipe makes of images, if anything."""
    if recipe.images == "none":
        return None
    if recipe.images == "pretrained":
        return VectorMaker.of_encoder(recipe.image_encoder, recipe.image_side, recipe.encoder_half)
    return VectorMaker(recipe.images)


def text_maker(recipe: Recipe) -> VectorMaker | None:
    """What a recipe makes of texts besides their terms, if anything."""
    if not (recipe.embedding and recipe.text_encoder):
        return None
    return VectorMaker.of_encoder(recipe.text_encoder, recipe.text_tokens, recipe.encoder_half)


def makers_of(recipe: Recipe, schema: TableSchema) -> dict[VectorMaker, tuple[str, ...]]:
    """What a recipe makes of which columns of images and texts."""
    from autodl.records import ColumnKind

    wanted: dict[VectorMaker, tuple[str, ...]] = {}
    for kind, make in ((ColumnKind.IMAGE, image_maker), (ColumnKind.TEXT, text_maker)):
        columns = schema.of_kind(kind) if recipe.columns == "all" else ()
        if columns and (maker := make(recipe)) is not None:
            wanted[maker] = columns
    return wanted


def vector_width(recipe: Recipe, modality: Modality) -> int:
    """Numeric columns that one column of images or texts becomes, about: nothing is looked at."""
    from autodl.records import Modality

    if modality is Modality.TEXT:
        width = _encoder_width(recipe.text_encoder) if recipe.embedding else 0
    elif recipe.images == "pretrained":
        width = _encoder_width(recipe.image_encoder)
    else:
        colours = len(SUMMARY_NAMES) if recipe.images != "none" else 0
        width = colours + hog_width(USUAL_SIDE) * (recipe.images == "hog")
    return min(width, recipe.vector_components) if recipe.vector_components else width


def _encoder_width(key: str) -> int:
    from autodl.pretrained.finding import by_key

    return by_key(key).width if key else 0
