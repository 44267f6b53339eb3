"""Encoders from a folder of one's own, as transformers and sentence-transformers write it, or from the hub."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autodl.errors import ConfigError, MissingDependencyError
from autodl.pretrained.base import Encode, Encoder
from autodl.pretrained.digest import model_files
from autodl.pretrained.text_trunk import TextTrunk
from autodl.records import Modality

PLACE, HUB = "folder:", "hub:"
"""How the keys of such encoders begin."""
_WORDS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt")
_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""What is fetched; weights as safetensors alone, which are no programs."""
_PARAMETERS_A_SECOND = 5e9
"""Weights times tokens or patches that a core of the reference machine gets through."""


class FolderEncoder(Encoder):
    """A network in a folder: one for images has a ``preprocessor_config.json``, one for texts a tokenizer.

    Args:
        folder: Where it is. key: How it is called in plans and models; ``folder:PATH`` if empty.

    Raises:
        ConfigError: If there is no such folder, or no network that can be used in it.
        MissingDependencyError: If transformers is not installed.
    """

    def __init__(self, folder: Path, key: str = "") -> None:
        self.folder = folder.expanduser().absolute()
        self.key = key or f"{PLACE}{self.folder}"
        self.name = self.key.removeprefix(HUB) if key else f"the network in {self.folder.name}"
        said = _configuration(self.folder)
        _needs_transformers()
        self.width = _width(said, self.folder)
        self.modality, self.sizes = self._looked_at(said)
        self.seconds = self._cost(said)

    def files(self) -> tuple[Path, ...]:
        """Weights, configuration and vocabulary."""
        return model_files(self.folder)

    def load(self, size: int) -> Encode:
        """See ``Encoder``."""
        from autodl.pretrained._images import ImageEncode
        from autodl.pretrained._texts import TextEncode

        make = ImageEncode if self.modality is Modality.IMAGE else TextEncode
        return make(self.folder, size)

    def text_trunk(self) -> TextTrunk | None:
        """See ``Encoder``."""
        return TextTrunk.found(self.folder) if self.modality is Modality.TEXT else None

    def _looked_at(self, said: dict[str, Any]) -> tuple[Modality, tuple[int, ...]]:
        if any((self.folder / name).is_file() for name in _WORDS):
            most = int(said.get("max_position_embeddings") or 512)
            return Modality.TEXT, tuple(n for n in (256, 128, 64) if n <= most) or (most,)
        if (self.folder / "preprocessor_config.json").is_file():
            from autodl.pretrained._images import image_side

            # Networks for images need the size that they were trained on: their places are learnt.
            return Modality.IMAGE, (image_side(self.folder),)
        raise ConfigError(
            f"the pretrained network in {self.folder} comes with no tokenizer and no preprocessor_config.json, so "
            "nobody knows whether it is for texts or for images",
            "Save its tokenizer or image processor to the same folder.",
        )

    def _cost(self, said: dict[str, Any]) -> float:
        weights = sum(f.stat().st_size for f in self.files() if f.suffix in (".safetensors", ".bin")) / 4.0
        words = int(said.get("vocab_size") or 0) * int(said.get("hidden_size") or 0)  # looked up, not multiplied
        places = self.sizes[0] if self.modality is Modality.TEXT else (self.sizes[0] // 16) ** 2
        return max(1e-3, (weights - words) * places / _PARAMETERS_A_SECOND)


def hub_encoder(name: str, fetch: bool) -> FolderEncoder:
    """The network of this name on the Hugging Face hub; fetched once, then read from the disk.

    Args:
        name: OWNER/NAME. fetch: Whether it may be fetched if it is not on the disk.

    Raises:
        ConfigError: If it cannot be fetched and was not fetched before.
        MissingDependencyError: If transformers is not installed.
    """
    _needs_transformers()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        found = snapshot_download(name, allow_patterns=_FILES, local_files_only=True)
    except HFValidationError as error:
        raise ConfigError(f"'{name}' is no name on the Hugging Face hub", "Names look like OWNER/NAME.") from error
    except LocalEntryNotFoundError as error:
        if not fetch:
            raise ConfigError(
                f"the pretrained network '{name}' is not on this machine", f"Fetch it with: hf download {name}"
            ) from error
        found = _fetched(name)
    return FolderEncoder(Path(found), f"{HUB}{name}")


def _fetched(name: str) -> str:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return str(snapshot_download(name, allow_patterns=_FILES))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ConfigError(
            f"the pretrained network '{name}' is no folder here and cannot be fetched from the Hugging Face hub",
            "Check the name and the network connection, or fetch it elsewhere and give its folder.",
        ) from error


def _configuration(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ConfigError(
            f"there is no folder {folder} with a pretrained network",
            "Give a folder as `save_pretrained` of transformers writes it, or a name on the Hugging Face hub.",
        )
    file = folder / "config.json"
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the folder {folder} holds no config.json that says what the network is",
            "Give a folder as `save_pretrained` of transformers writes it.",
        ) from error
    return said if isinstance(said, dict) else {}


def _width(said: dict[str, Any], folder: Path) -> int:
    """w; the last stage's where the network has stages."""
    for name in ("hidden_size", "hidden_dim", "d_model", "hidden_sizes", "embed_dim", "num_features"):
        value = said.get(name)
        if isinstance(value, list) and value:
            value = value[-1]
        if isinstance(value, int) and value > 0:
            return value
    raise ConfigError(
        f"config.json in {folder} does not say how wide the network is (hidden_size)", "Give another network."
    )


def _needs_transformers() -> None:
    if find_spec("transformers") is None:
        raise MissingDependencyError(
            "pretrained networks from a folder or the hub need the package transformers, which is not installed",
            'Install it with: pip install "autodl[text]"',
        )
