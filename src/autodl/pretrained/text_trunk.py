"""What a pretrained network for texts is made of, so that training can go on from it; free of torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autodl.pretrained._quiet import quiet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WORDS = "tokenizer.json"
FIRST_POOLED = "pooling_mode_cls_token"
UNKNOWN = ("[UNK]", "<unk>")
HIDDEN = ("[MASK]", "<mask>", *UNKNOWN)
"""What networks call what they do not know, and what is hidden."""


@dataclass(frozen=True)
class TextTrunk:
    """A transformer in a folder, as transformers writes it.

    Attributes:
        folder: With ``config.json``, weights and ``tokenizer.json``.
    """

    folder: Path

    @classmethod
    def found(cls, folder: Path) -> TextTrunk | None:
        """The one in a folder; None if its tokenizer is not in the form that can be stored in a model."""
        return cls(folder) if (folder / WORDS).is_file() and (folder / "config.json").is_file() else None

    def layers(self) -> dict[str, Any]:
        """The architecture: ``config.json``."""
        return dict(json.loads((self.folder / "config.json").read_text(encoding="utf-8")))

    def tokenizer(self) -> str:
        """How it cuts texts into tokens: ``tokenizer.json``."""
        return (self.folder / WORDS).read_text(encoding="utf-8")

    def hidden(self) -> int:
        """The token that stands for a hidden one, or for what it does not know; 0 if there is none."""
        named = {t["content"]: int(t["id"]) for t in json.loads(self.tokenizer()).get("added_tokens", ())}
        return next((named[name] for name in HIDDEN if name in named), 0)

    def marks(self) -> tuple[int, ...]:
        """Tokens that are no part of a text, such as those that its tokenizer puts at both ends."""
        added = json.loads(self.tokenizer()).get("added_tokens", ())
        return tuple(int(t["id"]) for t in added if t.get("special") and t["content"] not in UNKNOWN)

    def pools_first(self) -> bool:
        """Whether the first token stands for the text (``1_Pooling/config.json``); otherwise the mean of all does."""
        return pools_first(self.folder)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Its weights, by their names in transformers."""
        with quiet():
            from transformers import AutoModel

            network = AutoModel.from_pretrained(str(self.folder), local_files_only=True, trust_remote_code=False)
        return {name: value.float().numpy() for name, value in network.state_dict().items()}


def pools_first(folder: Path) -> bool:
    """Whether the folder of a sentence encoder says that the first token stands for the text."""
    file = folder / "1_Pooling" / "config.json"
    return file.is_file() and bool(json.loads(file.read_text(encoding="utf-8")).get(FIRST_POOLED, False))
