"""Texts through a transformer in a folder. Notation: n texts, t tokens of the longest of them, w hidden width."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autodl.pretrained._quiet import quiet
from autodl.pretrained.base import Encode
from autodl.pretrained.text_trunk import pools_first

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHARACTERS_A_TOKEN = 10
"""More than a token ever has on average: what lies further from both ends of a text need not be cut into tokens."""


class TextEncode(Encode):
    """Sentence embeddings (Reimers & Gurevych 2019): the last layer's answer for a text, of length 1.

    The mean over the tokens, or the first token's where the folder says so (``1_Pooling/config.json``). Of longer
    texts the beginning and the end are read: what matters often stands there (Sun et al. 2019, "How to fine-tune BERT
    for text classification").

    Args:
        folder: As transformers writes it.
        tokens: Read at most of a text.
    """

    by_length = True  # texts of a batch are filled up to the longest of it

    def __init__(self, folder: Path, tokens: int) -> None:
        with quiet():
            from transformers import AutoModel, AutoTokenizer

            self._tokenizer = AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
            self._network = AutoModel.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            ).eval()
        self._tokens, self._first = tokens, pools_first(folder)
        self._pad = self._tokenizer.pad_token_id or 0

    def __call__(self, objects: Sequence[str]) -> NDArray[np.float32]:
        """(n, w)."""
        import torch

        pieces = self.tokens_of(objects)
        longest = max((len(p) for p in pieces), default=1)
        ids = np.full((len(pieces), longest), self._pad, np.int64)
        mask = np.zeros_like(ids)
        for place, piece in enumerate(pieces):
            ids[place, : len(piece)], mask[place, : len(piece)] = piece, 1
        with torch.inference_mode():
            told = torch.from_numpy(mask)
            last = self._network(input_ids=torch.from_numpy(ids), attention_mask=told).last_hidden_state
            weight = told[..., None].float()
            pooled = last[:, 0] if self._first else (last * weight).sum(1) / weight.sum(1).clamp(min=1.0)
            unit = torch.nn.functional.normalize(pooled.float(), dim=1)
        return np.asarray(unit.numpy(), np.float32)

    def tokens_of(self, texts: Sequence[str]) -> list[list[int]]:
        """The numbers of the tokens of each text, the marks of beginning and end included."""
        near = CHARACTERS_A_TOKEN * self._tokens
        short = [t if len(t) <= 2 * near else f"{t[:near]} {t[-near:]}" for t in texts]
        found = self._tokenizer(short, add_special_tokens=True, truncation=False, verbose=False)["input_ids"]
        return [both_ends(list(ids), self._tokens) for ids in found]


def both_ends(ids: list[int], most: int) -> list[int]:
    """The first and the last of a sequence, ``most`` in all.

    >>> both_ends([1, 2, 3, 4, 5, 6], 4), both_ends([1, 2], 4)
    ([1, 2, 5, 6], [1, 2])
    """
    if len(ids) <= most:
        return ids
    tail = most // 2
    return ids[: most - tail] + ids[len(ids) - tail :]
