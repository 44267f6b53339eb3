"""What an encoder is. Notation: n objects, w numbers for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from autodl.records import Modality
from autodl.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.pretrained.text_trunk import TextTrunk
    from autodl.pretrained.trunk import Trunk


class Encoder(ABC):
    """A trained network that turns an image or a text into w numbers, the same for the same object.

    Attributes:
        key: How options, plans and model files call it.
        name: Name for people.
        modality: IMAGE or TEXT.
        paper: Source.
        requires: Packages that it is made of; ``extra`` is the extra of autodl that installs them.
        width: w.
        sizes: What it may be asked to look at, best first: pixels a side of an image, tokens of a text.
        seconds: Of one object at the first of the sizes, on one core of the reference machine.
        loading: Seconds that its libraries and weights take to be loaded there.
        language: The only language of texts that it knows, one in Latin letters; empty if it knows several.
    """

    key: str
    name: str
    modality: Modality
    paper: ClassVar[str] = ""
    requires: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None
    width: int
    sizes: tuple[int, ...]
    seconds: float
    loading: float = 6.0
    language: str = ""

    @classmethod
    def missing(cls) -> tuple[str, ...]:
        """Names of required packages that are not installed."""
        return tuple(p for p in cls.requires if find_spec(p) is None)

    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """The files whose content decides what it answers; their digest goes into models."""

    @abstractmethod
    def load(self, size: int) -> Encode:
        """Read the weights.

        Args:
            size: One of ``sizes``.
        """

    @property
    def tunable(self) -> bool:
        """Whether training can go on from it."""
        return self.trunk() is not None or self.text_trunk() is not None

    def trunk(self) -> Trunk | None:
        """What a network for images is made of; None if it can only be used as it is."""
        return None

    def text_trunk(self) -> TextTrunk | None:
        """What a network for texts is made of; None if it can only be used as it is."""
        return None

    def trunk_weights(self) -> dict[str, NDArray[Any]]:
        """The weights of the trunk, by their names in ``MobileBody``.

        Raises:
            TypeError: If there is no trunk.
        """
        raise TypeError(f"{self.name} can only be used as it is")


class Encode(ABC):
    """A loaded encoder."""

    batch: int = 32
    """Objects that are best looked at together."""
    by_length: bool = False
    """Whether they are best of like length."""

    @abstractmethod
    def __call__(self, objects: Any) -> NDArray[Any]:
        """(n, w) float32.

        Args:
            objects: (n, S, S, 3) uint8 images of any side, or n texts.
        """


encoders: Registry[type[Encoder]] = Registry(
    "autodl.pretrained", Encoder, group="autodl.pretrained", noun="pretrained network"
)
"""All encoders that come in packages, by key."""
