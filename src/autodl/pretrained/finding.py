"""Which encoder takes part: what the user asked for, or the first that is installed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autodl.errors import AutodlError, ConfigError, MissingDependencyError, RunError
from autodl.machine import out_of_memory
from autodl.pretrained.base import Encode, Encoder, encoders
from autodl.pretrained.digest import digest_of
from autodl.pretrained.folder import HUB, PLACE, FolderEncoder, hub_encoder
from autodl.pretrained.text_trunk import TextTrunk
from autodl.records import Modality

AUTO, NONE = "auto", "none"
REMEDY = "Install it again, or go without it: --pretrained none."


@dataclass(frozen=True)
class Found:
    """An encoder, or why there is none.

    Attributes:
        encoder: The one to use, or None.
        why: In a sentence.
    """

    encoder: Encoder | None
    why: str


def find(wish: str, modality: Modality) -> Found:
    """The encoder for images or for texts.

    Args:
        wish: ``auto``, ``none``, the key of an encoder, a folder, or a name on the Hugging Face hub.
        modality: IMAGE or TEXT.

    Raises:
        ConfigError: If what is asked for does not exist.
        MissingDependencyError: If it needs a package that is not installed.
    """
    if wish == NONE:
        return Found(None, "You asked for no pretrained network.")
    if wish != AUTO:
        asked = by_key(key_of(wish), fetch=True)
        if asked.modality is modality:
            return Found(asked, "You asked for it.")
    return _installed(modality)


def key_of(wish: str) -> str:
    """How a wish is called in plans and models: an installed encoder's own key, ``folder:PATH`` or ``hub:NAME``."""
    folded = wish.strip().lower().replace("-", "_")
    if folded in encoders:
        return folded
    path = Path(wish).expanduser()
    if path.is_dir() or path.is_absolute() or wish.startswith((".", "~")) or os.sep not in wish:
        return f"{PLACE}{path.absolute()}"
    return f"{HUB}{wish}"


@lru_cache(maxsize=8)
def by_key(key: str, fetch: bool = False) -> Encoder:
    """The encoder that a plan or a model names.

    Args:
        key: See ``key_of``.
        fetch: Whether one on the hub may be fetched: a model file alone must not reach for the network.

    Raises:
        ConfigError: If there is none. MissingDependencyError: If it needs a package that is not installed.
    """
    if key.startswith(PLACE):
        return FolderEncoder(Path(key.removeprefix(PLACE)))
    if key.startswith(HUB):
        return hub_encoder(key.removeprefix(HUB), fetch)
    cls = encoders[key]
    if missing := cls.missing():
        raise MissingDependencyError(
            f"{cls.name} needs the package {missing[0]}, which is not installed", f"Install it with: {_install(cls)}"
        )
    return cls()


def text_trunk(key: str) -> TextTrunk:
    """What the encoder of texts of this key is made of.

    Raises:
        ConfigError, MissingDependencyError: If there is no such encoder.
        ValueError: If it can only be used as it is.
    """
    trunk = by_key(key).text_trunk()
    if trunk is None:
        raise ValueError(f"`encoder` must be a network for texts that can be trained further, but got {key!r}")
    return trunk


def check_wish(wish: str) -> None:
    """Whether what is asked for exists, before the data are read; names on the hub are looked up later.

    Raises:
        ConfigError: Naming the rule and what was given.
    """
    if wish in (AUTO, NONE):
        return
    key = key_of(wish)
    if key.startswith(PLACE) and not Path(wish).expanduser().is_dir():
        known = ", ".join(encoders)
        raise ConfigError(
            f"there is no pretrained network '{wish}'",
            f"Give auto, none, a folder, a name on the Hugging Face hub (OWNER/NAME), or one of: {known}.",
        )
    if not key.startswith(HUB):
        by_key(key)


def loaded(key: str, digest: str, size: int) -> Encode:
    """The network that a model was trained with, read once in a process.

    Raises:
        ConfigError: If it is not there any more, or cannot be loaded.
        MissingDependencyError: If its package is not installed.
        RunError: If it is there, but not the same.
    """
    encoder = by_key(key)
    if weights_digest(encoder) != digest:
        raise RunError(
            f"{encoder.name} is not the one that the model was trained with: its files have changed",
            "Put back the version of then, or train again.",
        )
    return _loaded(key, digest, size)


@lru_cache(maxsize=4)
def _loaded(key: str, digest: str, size: int) -> Encode:
    encoder = by_key(key)
    try:
        return encoder.load(size)
    except AutodlError:
        raise
    except Exception as error:  # what is wrong with files from elsewhere is anybody's guess
        raise ConfigError(f"{encoder.name} is there, but cannot be loaded ({_reason(error)})", REMEDY) from error


def weights_digest(encoder: Encoder) -> str:
    """The digest of its files.

    Raises:
        ConfigError: If one of them cannot be read.
    """
    try:
        return digest_of(encoder.files())
    except OSError as error:
        raise ConfigError(f"the files of {encoder.name} cannot be read ({_reason(error)})", REMEDY) from error


def failure(name: str, error: Exception) -> str:
    """That a network has failed, and why, in a sentence without its full stop."""
    if isinstance(error, AutodlError):
        return error.what
    return f"{name} failed ({_reason(error)})"


def _reason(error: Exception) -> str:
    if out_of_memory(error):
        return "the memory did not suffice"
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def _installed(modality: Modality) -> Found:
    absent: list[type[Encoder]] = []
    for cls in encoders.values():
        if cls.modality is not modality:
            continue
        if not cls.missing():
            return Found(cls(), "")
        absent.append(cls)
    if not absent:
        return Found(None, "No pretrained network for such data is known.")
    cls = absent[0]
    return Found(
        None,
        f"{cls.name} would have been taken, but its package {cls.missing()[0]} is not installed (to add it: "
        f"{_install(cls)}).",
    )


def _install(cls: type[Encoder]) -> str:
    return f'pip install "autodl[{cls.extra}]"' if cls.extra else f"pip install {cls.missing()[0]}"
