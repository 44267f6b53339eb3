"""Texts cut into the tokens of a pretrained network, by its own rules. Notation: n texts, V tokens."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.errors import MissingDependencyError
from autodl.media.batch import ABSENT, MediaBatch
from autodl.media.tokens import FIRST, HEAD, TokenStore

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer as Rules

AT_ONCE = 256
"""Texts that are cut together."""
LONGEST_TEXT = 10_000
"""Characters of a text that are looked at: more than the tokens of any network that is trained here."""


class PieceTokenizer:
    """Cuts texts as a pretrained network was taught to, marks of beginning and end included.

    Numbers are the network's own plus ``FIRST``, so that those below keep their meaning.

    Args:
        rules: The tokenizer as JSON, in the form of the library tokenizers; models hold it.
    """

    def __init__(self, rules: str) -> None:
        self.rules = rules
        self._loaded: Rules | None = None

    @classmethod
    def of(cls, encoder: str) -> PieceTokenizer:
        """That of the encoder of this key.

        Raises:
            ConfigError, MissingDependencyError: If there is no such encoder.
            ValueError: If it cannot be trained further.
        """
        from autodl.pretrained.finding import text_trunk

        return cls(text_trunk(encoder).tokenizer())

    @property
    def size(self) -> int:
        """V and the few numbers that stand for none."""
        return FIRST + int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    @property
    def _tokenizer(self) -> Rules:
        if self._loaded is None:
            if find_spec("tokenizers") is None:
                raise MissingDependencyError(
                    "the model cuts texts by the package tokenizers, which is not installed",
                    'Install it with: pip install "autodl[text]"',
                )
            from tokenizers import Tokenizer as Rules

            self._loaded = Rules.from_str(self.rules)
            self._loaded.no_truncation()
            self._loaded.no_padding()
        return self._loaded

    def batch(self, texts: Sequence[str | None]) -> MediaBatch:
        """The tokens of n texts; none where a text is missing or empty."""
        there = [k for k, text in enumerate(texts) if text]
        pieces: list[NDArray[np.int32]] = []
        for start in range(0, len(there), AT_ONCE):  # what the library tells of each token takes much memory
            part = [_both_ends(str(texts[k])) for k in there[start : start + AT_ONCE]]
            pieces += [np.array(f.ids, np.int32) + np.int32(FIRST) for f in self._tokenizer.encode_batch(part)]
        lengths = np.zeros(len(texts), np.int64)
        lengths[there] = [len(p) for p in pieces]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        flat = np.concatenate(pieces) if pieces else np.empty(0, np.int32)
        places = np.where(lengths > 0, np.arange(len(texts)), ABSENT).astype(np.int64)
        return MediaBatch(TokenStore(flat, starts, self.size), places)

    def __getstate__(self) -> dict[str, Any]:
        return {"rules": self.rules}

    def __setstate__(self, state: dict[str, Any]) -> None:
        PieceTokenizer.__init__(self, state["rules"])


def _both_ends(text: str) -> str:
    """Of a very long text what lies near its ends: no network reads more."""
    if len(text) <= LONGEST_TEXT:
        return text
    head = int(HEAD * LONGEST_TEXT)
    return f"{text[:head]} {text[head - LONGEST_TEXT :]}"
