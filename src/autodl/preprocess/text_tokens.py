"""Columns of free text as tokens, for models that read them word by word."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from autodl.preprocess.piece_tokenizer import PieceTokenizer
from autodl.preprocess.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

    from autodl.media.batch import MediaBatch


class TextTokens:
    """One vocabulary for all columns, so that a word means the same in each.

    Args:
        columns: Names of object columns of ``str`` and ``None``.
        encoder: Key of the pretrained encoder that says how texts are cut; empty: the training rows do.
        letters: Whether each character is a token, without an encoder.
    """

    def __init__(self, columns: tuple[str, ...], encoder: str = "", letters: bool = False) -> None:
        self.columns, self.encoder, self.letters = columns, encoder, letters
        self.tokenizer: Tokenizer | PieceTokenizer | None = None

    def fit(self, frame: pd.DataFrame) -> TextTokens:
        """Learn the tokens of the training rows."""
        if self.encoder:
            self.tokenizer = PieceTokenizer.of(self.encoder)
            return self
        texts = chain.from_iterable(_texts(frame, name) for name in self.columns)
        self.tokenizer = Tokenizer.learn(texts, self.letters)
        return self

    def transform(self, frame: pd.DataFrame) -> dict[str, MediaBatch]:
        """The tokens of each column.

        Raises:
            RuntimeError: If nothing was learnt.
        """
        if self.tokenizer is None:
            raise RuntimeError("`fit` must come before `transform`")
        return {name: self.tokenizer.batch(_texts(frame, name)) for name in self.columns}


def _texts(frame: pd.DataFrame, name: str) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in frame[name]]
