"""Which names are those of image files. Loads no library."""

from __future__ import annotations

from pathlib import PurePath

SUFFIXES = frozenset(
    [".png", ".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm"]
)
"""Suffixes of the formats that are read."""
FOREIGN = frozenset([".heic", ".heif", ".avif", ".raw", ".cr2", ".nef", ".dng", ".svg", ".psd", ".dcm", ".jp2"])
"""Suffixes of images that are not read."""
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
"""What Pillow may take the files for: no format that runs a program or holds drawing commands."""
IMAGE, LABEL, FILE = "image", "label", "file"
"""The columns of the table that a folder of images becomes; ``file`` for predictions only."""
FORMAT = "images"
"""``ReadInfo.format`` of a folder of images."""


def is_image_name(name: str) -> bool:
    """Whether a file of this name should hold an image.

    >>> is_image_name("a/b.JPG"), is_image_name("b.txt"), is_image_name("jpg")
    (True, False, False)
    """
    return PurePath(name).suffix.lower() in SUFFIXES


def is_link(name: str) -> bool:
    """Whether it is an address in a network and no path.

    >>> is_link("https://a.b/c.png"), is_link("c:/d.png"), is_link("d.png")
    (True, False, False)
    """
    head, mark, _ = name.partition("://")
    return bool(mark) and head.isalnum() and len(head) > 1
