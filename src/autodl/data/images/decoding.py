"""One image file to a square of RGB pixels, whatever the file is.

Notation: S side of the square, h and w height and width of the picture as a person sees it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodl.data.compression import magic
from autodl.data.images.brightness import bounds, eight_bits
from autodl.data.images.names import FORMATS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

MAX_PIXELS = 150_000_000
"""Larger pictures are not opened: one of so many pixels takes 450 MB of memory."""
UNEQUAL = 1.25
"""From this ratio of the longer to the shorter side on a picture is cut to its middle, where pictures are cut."""
SOLID = 255
"""Alpha of a pixel that hides what is behind it."""
WHITE = (255, 255, 255)
"""What shines through transparent pixels."""
DEEP = "IF"
"""First letters of Pillow's modes of more than 8 bits and of fractions."""
_HEIC = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"])
"""Brands of the files that phones write, whatever their names end with (ISO/IEC 23008-12)."""
_ORIENTATION = 0x0112
"""The EXIF tag that says how the camera was held; from 5 on, height and width are exchanged."""


class Lost(StrEnum):
    """Why a file gives no image; read as the end of "3 of 20 values ..."."""

    ABSENT = "are files that are not there and count as missing"
    EMPTY = "are empty files and count as missing"
    FOREIGN = "are files that hold no image and count as missing"
    DAMAGED = "are damaged or cut-off images and count as missing"
    HUGE = "are images of too many pixels and count as missing"
    PHONE = "are photos in the HEIC format, which is not read (save them as JPEG), and count as missing"
    REFUSED = "are files that may not be read and count as missing"


class LostImageError(Exception):
    """A file that gives no image."""

    def __init__(self, why: Lost) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True)
class Decoded:
    """One image.

    Attributes:
        pixels: (S, S, 3) uint8 RGB.
        size: (h, w).
        grey: Whether it has no colour.
        spread: Standard deviation of its brightness, 0 to 128.
        moving: Whether the file has further pictures, which are not looked at.
        clear: Whether some of it is transparent.
    """

    pixels: NDArray[np.uint8]
    size: tuple[int, int]
    grey: bool
    spread: float
    moving: bool = False
    clear: bool = False


def look(path: str) -> tuple[int, int]:
    """(h, w) of a picture, from the head of its file.

    Raises:
        LostImageError: If it is no image.
    """
    with _opened(path) as image:
        return _seen_size(image)


def opened_pixels(path: str, side: int) -> int:
    """Pixels of a picture once it is read for a square of ``side``: large JPEGs are never held as a whole.

    Raises:
        LostImageError: If it is no image.
    """
    with _opened(path) as image:
        _shrink(image, side)
        return image.width * image.height


def _shrink(image: Image, side: int) -> None:
    """JPEG can be read at 1/2, 1/4 or 1/8 of its size at a fraction of the time."""
    image.draft(None, (2 * side, 2 * side))


def extremes(path: str) -> tuple[float, float, bool] | None:
    """Darkest and brightest value of a picture of more than 8 bits but for rare ones, and whether they are fractions.

    See ``brightness.bounds``; None of any other picture, and where no value is known.

    Raises:
        LostImageError: If it gives no image.
    """
    with _opened(path) as image:
        if image.mode[0] not in DEEP:
            return None
        try:
            values = np.asarray(image)
        except MemoryError:
            raise
        except Exception as error:  # a damaged file may break its reader anywhere
            raise LostImageError(Lost.DAMAGED) from error
    return bounds(values)


def decode(path: str, side: int, *, crop: bool, shades: tuple[float, float] | None = None) -> Decoded:
    """Read one file: its first frame, held upright, on white, as S x S RGB.

    Args:
        path: The file.
        side: S.
        crop: Whether pictures that are far from square are cut to their middle; squeezed otherwise.
        shades: Values of black and white of pictures of more than 8 bits; None: each has its own.

    Raises:
        LostImageError: If it gives no image.
    """
    from PIL import Image

    with _opened(path) as image:
        size = _seen_size(image)
        try:
            _shrink(image, side)
            image.load()
            # Phones put a map of brightness or a second view behind the picture (MPO): nothing moves.
            moving = image.format != "MPO" and getattr(image, "n_frames", 1) > 1
            clear = _is_clear(image)
            upright = _upright(image)
            picture = _rgb(upright, shades)
            if crop and max(size) > UNEQUAL * min(size):
                edge = min(picture.size)
                left, top = (picture.width - edge) // 2, (picture.height - edge) // 2
                box = (left, top, left + edge, top + edge)
            else:
                box = (0, 0, *picture.size)
            if picture.size != (side, side):
                picture = picture.resize((side, side), Image.Resampling.BICUBIC, box=box, reducing_gap=3.0)
            pixels: NDArray[np.uint8] = np.asarray(picture, dtype=np.uint8)
        except MemoryError:
            raise
        except Exception as error:  # a damaged file may break its reader anywhere
            raise LostImageError(Lost.DAMAGED) from error
    return Decoded(pixels, size, *_traits(pixels), moving, clear)


def _is_clear(image: Image) -> bool:
    """Whether any pixel lets through what is behind it; a layer of alpha that is solid all over is none."""
    if not image.has_transparency_data:
        return False
    return bool(np.asarray(image.convert("RGBA").getchannel("A")).min() < SOLID)


def _opened(path: str) -> Image:
    """The picture, its head read.

    Raises:
        LostImageError: If there is none, or it has too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError as error:
        raise LostImageError(Lost.REFUSED if isinstance(error, PermissionError) else Lost.ABSENT) from error
    except ValueError as error:  # no name that a file can have
        raise LostImageError(Lost.ABSENT) from error
    if not stat.S_ISREG(found.st_mode):  # reading from a pipe would wait for ever
        raise LostImageError(Lost.ABSENT)
    if not found.st_size:
        raise LostImageError(Lost.EMPTY)
    try:
        image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise LostImageError(_unread(path)) from error
    except Image.DecompressionBombError as error:
        raise LostImageError(Lost.HUGE) from error
    except PermissionError as error:
        raise LostImageError(Lost.REFUSED) from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file may break its reader anywhere
        raise LostImageError(Lost.DAMAGED) from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise LostImageError(Lost.HUGE)
    return image


def _unread(path: str) -> Lost:
    """Why a file that is there is no image for Pillow, by its first bytes."""
    with Path(path).open("rb") as file:
        head = file.read(16)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        return Lost.PHONE
    return Lost.DAMAGED if (magic(head) or "").endswith("image") else Lost.FOREIGN


def _seen_size(image: Image) -> tuple[int, int]:
    turned = _orientation(image) >= 5
    return (image.width, image.height) if turned else (image.height, image.width)


def _orientation(image: Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged notes beside a sound picture: it is taken as it lies
        return 1
    return value if isinstance(value, int) else 1


def _upright(image: Image) -> Image:
    """The picture as it was seen through the camera."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }  # fmt: skip
    turn = turns.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _rgb(image: Image, shades: tuple[float, float] | None) -> Image:
    """Any mode of pixels as RGB."""
    from PIL import Image as Pillow

    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode[0] in DEEP:
        return Pillow.fromarray(eight_bits(np.asarray(image), shades)).convert("RGB")
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        behind = Pillow.new("RGBA", picture.size, (*WHITE, 255))
        return Pillow.alpha_composite(behind, picture).convert("RGB")
    return image.convert("RGB")


def _traits(pixels: NDArray[np.uint8]) -> tuple[bool, float]:
    """Whether there is no colour, and the standard deviation of the brightness."""
    wide = pixels.astype(np.int16)
    grey = bool((np.ptp(wide, axis=2) <= GREY_GAP).all())
    return grey, float(wide.mean(axis=2).std())


GREY_GAP = 6
"""Channels no further apart than this are grey: JPEG does not keep them equal."""


def short_name(path: str) -> str:
    """The last two parts of a path, which are enough for a person to find it."""
    return "/".join(Path(path).parts[-2:])
